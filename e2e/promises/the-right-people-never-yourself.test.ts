// Seen to fail when the self-approval check is taken out of services/approval/src/core/refusal.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { eventsOf, observe, timesRun } from '../support/ledger.ts'
import { countersign, deny } from '../support/reviewer.ts'

const system = await arena('people')

test('everybody who may not countersign is refused, and each refusal is an event', async () => {
  const { psql, requestId } = await heldStatement(
    system,
    'alter table shop.orders add column people int',
  )
  for (const person of ['kim', 'dev', 'ci-deploy', 'maria', 'nightly-report']) {
    const answer = await countersign(system, person, requestId)
    assert.ok(
      answer.status === 403 || answer.status === 404,
      `${person}: ${answer.status} ${JSON.stringify(answer.body)}`,
    )
  }
  assert.equal(await timesRun(system, 'people int'), 0, 'nothing reached the target')
  await using log = await observe(system)
  const reasons = (await eventsOf(log, 'approvals', 'CountersignatureRefused')).map(
    ({ by, reason }) => `${by}: ${reason}`,
  )
  assert.ok(reasons.includes('kim: WrongEnvironment'), reasons.join())
  assert.ok(reasons.includes('maria: SelfApproval'), reasons.join())
  assert.ok(
    reasons.some((reason) => /ci-deploy|maria/.test(reason)),
    reasons.join(),
  )

  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  assert.equal((await psql.finish()).status, 0)
  assert.equal(await timesRun(system, 'people int'), 1)
})

test('a vote after the end is refused, whoever gives it', async () => {
  const { psql, requestId } = await heldStatement(
    system,
    'alter table shop.orders add column late int',
  )
  assert.equal((await deny(system, 'bo', requestId, 'no')).status, 200)
  await psql.finish()
  const answer = await countersign(system, 'ana', requestId)
  assert.ok(answer.status === 409 || answer.status === 403, JSON.stringify(answer))
  assert.equal(await timesRun(system, 'late int'), 0)
})
