// Seen to fail when `coveringPolicy` in services/proxy/src/shell/requests.ts does not compare what policy has read with what the
// proxy has read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { openWire, told } from '../support/wire.ts'

const system = await arena('in-force')

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
