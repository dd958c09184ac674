// Several statements of one pipeline that need people run each under its own approval, in whatever order people vote. What is
// behind a held one is shown when its turn has come. Seen to fail when all are held at once: the roles of the first are taken
// back with the withdrawal of the second (42501).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { eventsOf, observe } from '../support/ledger.ts'
import { callConsole } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { group, openWire, told } from '../support/wire.ts'

const system = await arena('turns')
await using log = await observe(system)
await askTarget(system, 'create table shop.turns (id int, word text)', 'shop_prod')
await askTarget(system, 'grant insert on shop.turns to shop_prod_writer', 'shop_prod')

/** The orders in which a reviewer goes through what waits. */
const ORDERS: Readonly<Record<string, (pending: readonly string[]) => readonly string[]>> = {
  'the newest first': (pending) => pending.toReversed().slice(0, 1),
  'the oldest first': (pending) => pending.slice(0, 1),
  'all that wait, the newest first': (pending) => pending.toReversed(),
}
const COUNT = 5

let first = 0
for (const [name, inOrder] of Object.entries(ORDERS))
  test(`held statements of a pipeline run each under its own approval, ${name}`, async () => {
    first += 100
    const ids = Array.from({ length: COUNT }, (_, index) => String(first + index))
    const wire = await openWire(system, 'shop-prod')
    const sessionId = wire.parameters.get('countersign.session_id') ?? ''
    wire.send(
      ...ids.map((id) => group('insert into shop.turns values ($1::int, $2)', id, name)),
      toServer.sync(),
    )
    const answer = wire.ready()
    let isOver = false
    void answer.then(() => (isOver = true))
    for (const end = performance.now() + 90_000; !isOver && performance.now() < end;) {
      for (const requestId of inOrder(await pendingOf(sessionId))) {
        await callConsole(system, 'ana', {
          method: 'POST',
          path: `/v1/requests/${requestId}/countersign`,
          body: {},
        })
      }
      await setTimeout(200)
    }
    const ends = told(await answer).filter((line) => /^(done|error)/.test(line))
    assert.deepEqual(
      ends,
      ids.map(() => 'done INSERT 0 1'),
    )
    const ran = await askTarget(
      system,
      `select id::text from shop.turns where word = '${name}' order by id`,
      'shop_prod',
    )
    assert.deepEqual(ran.map(Object.values).flat(), ids)
    // Each under an approval of its own.
    const releases = (await eventsOf(log, 'sessions', 'RequestReleased')).filter(
      (event) => event.sessionId === sessionId,
    )
    assert.equal(new Set(releases.flatMap(({ approvalId }) => approvalId ?? [])).size, COUNT)
    wire.end()
  })

/** The requests of a session that people may vote for now, the oldest first. */
async function pendingOf(sessionId: string): Promise<readonly string[]> {
  const { body } = await callConsole(system, 'ana', { path: '/v1/requests?status=pending' })
  const all = body['requests'] ?? body['items']
  if (!Array.isArray(all)) throw new Error(JSON.stringify(body).slice(0, 300))
  return all
    .filter((one) => one.sessionId === sessionId)
    .map((one): string => String(one.requestId))
    .sort()
}
