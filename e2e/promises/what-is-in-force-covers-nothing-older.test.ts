import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { eventsOf, observe } from '../support/ledger.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { openWire, told } from '../support/wire.ts'

const system = await arena('in-force')

// Meant to fail when `noteEffects` in services/proxy/src/shell/requests.ts takes no end of a transaction for a change.
// This test comes first: the masking plan that follows a new catalog also clears all earlier coverage.
test('what was decided under settings that a transaction undid covers nothing behind its end', async (t) => {
  await using log = await observe(system)
  const ends = ['rollback and chain', 'commit and chain', 'rollback; begin', 'rollback to a']
  for (const end of ends) {
    const wire = await openWire(system, 'shop-dev')
    t.after(() => wire.end())
    const read = 'select count(*) from shop.products'
    const set = 'set local datestyle = german'
    for (const sql of ['begin', 'savepoint a', set, read, read, end, read]) {
      wire.send(toServer.query(sql))
      assert.ok(told(await wire.ready()).includes('ready T'), sql)
    }
    const sessionId = wire.parameters.get('countersign.session_id')
    const coverages = (await eventsOf(log, 'sessions', 'RequestReleased'))
      .filter((event) => event.sessionId === sessionId && event.origin === 'Agent')
      .map(({ coverage }) => coverage)
    assert.deepEqual(coverages.slice(3), ['None', 'Shape', 'None', 'None'], end)
  }
})

// Seen to fail when `coveringPolicy` in services/proxy/src/shell/requests.ts does not compare what policy has read with what the
// proxy has read.
test('once a forbid is said to be in force, no statement runs because it was covered before', async (t) => {
  const wires = await Promise.all([0, 1, 2, 3].map(() => openWire(system, 'shop-prod')))
  t.after(() => wires.forEach((wire) => wire.end()))
  const sql = 'select count(*) from shop.products'
  const asked = async (): Promise<string[]> => {
    const answers = await Promise.all(
      wires.map((wire) => {
        wire.send(toServer.query(sql))
        return wire.ready()
      }),
    )
    return answers.flatMap(told)
  }
  for (let turn = 0; turn < 3; turn++) {
    for (let covered = 0; covered < 2; covered++)
      assert.equal((await asked()).filter((line) => line.startsWith('row')).length, wires.length)
    const forbidden = await applyCatalog(system, (name, text) =>
      name === 'prod.cedar' ? `${text}\n${FORBID}` : text,
    )
    assert.equal(forbidden.status, 200, JSON.stringify(forbidden.body))
    assert.deepEqual(
      (await asked()).filter((line) => line.startsWith('row')),
      [],
      'asked at once, as somebody would who was told that it is in force',
    )
    assert.equal((await applyCatalog(system)).status, 200)
  }
})

const FORBID = `@id("closed")
@reason("Closed today.")
forbid (principal, action == Countersign::Action::"read", resource in Countersign::Environment::"prod");
`
