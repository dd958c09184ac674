// Seen to fail when `sweep.ts` in services/approval/src/shell ends nothing that is overdue.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { applyCatalog, countersign } from '../support/reviewer.ts'

const system = await arena('deadline')

test('a deadline that passes while approval is away ends the hold when it is back, and a late vote is refused', async () => {
  await applyCatalog(system, (name, text) =>
    name === 'chains.yaml' ? text.replaceAll('deadline: 15m', 'deadline: 15s') : text,
  )
  const { psql, requestId } = await heldStatement(
    system,
    'alter table shop.orders add column too_late int',
  )
  await using log = await observe(system)
  const asked = await eventually('the question', async () =>
    (await eventsOf(log, 'approvals', 'ApprovalRequested')).at(0),
  )
  await system.service('approval').kill9()
  // If the request had expired already, the restart would prove nothing.
  assert.deepEqual(await eventsOf(log, 'approvals', 'ApprovalExpired'), [])
  await eventually('the deadline', async () => Date.now() > asked.deadline / 1_000, 30_000)
  await system.service('approval').start()
  const run = await psql.finish()
  assert.match(run.stderr, /CS_REVIEW_EXPIRED/)
  assert.equal((await eventsOf(log, 'approvals', 'ApprovalExpired'))[0]?.requestId, requestId)
  assert.equal((await countersign(system, 'ana', requestId)).status, 409)
  assert.equal(await timesRun(system, 'too_late'), 0)
})
