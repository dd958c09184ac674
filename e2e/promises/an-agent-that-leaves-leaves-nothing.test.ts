// Seen to fail when `hold` in services/proxy/src/shell/hold.ts does not race the wait against the end of the client.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { countersign } from '../support/reviewer.ts'
import { lockedRoles } from '../support/target.ts'

const system = await arena('leaves')

test('an agent killed while held: withdrawn, nothing runs, and its role is locked with no backend left', async () => {
  const { psql, requestId } = await heldStatement(system, 'drop table shop.orders')
  psql.signal('SIGKILL')
  await psql.done
  await using log = await observe(system)
  await eventually('the withdrawal', async () =>
    (await eventsOf(log, 'approvals', 'ApprovalWithdrawn')).some(
      (event) => event.requestId === requestId,
    ),
  )
  const answer = await countersign(system, 'ana', requestId)
  assert.ok(answer.status >= 400, JSON.stringify(answer))
  await eventually(
    'the revocation',
    async () => (await eventsOf(log, 'credentials', 'CredentialRevoked')).length > 0,
  )
  assert.deepEqual(await lockedRoles(system), { canLogIn: [], backends: 0 })
  assert.equal(await timesRun(system, 'drop table'), 0)
})

test('Ctrl-C cancels a hold: the agent gets an error and may go on', async () => {
  const { psql, requestId } = await heldStatement(system, 'drop table shop.orders')
  psql.signal('SIGINT')
  await psql.says(/canceling statement due to user request/)
  await using log = await observe(system)
  await eventually('the withdrawal', async () =>
    (await eventsOf(log, 'sessions', 'RequestWithdrawn')).some(
      (event) => event.requestId === requestId,
    ),
  )
  await psql.finish()
  assert.equal(await timesRun(system, 'drop table'), 0)
})

test('a token that expires ends its session: what is held is withdrawn, and its role is locked', async () => {
  const token = await system.tokenFor('ci-deploy', 5)
  const { psql, requestId } = await heldStatement(system, 'drop table shop.orders', { token })
  assert.match(psql.stderr(), /this session ends at/, 'the agent is warned')
  const run = await psql.done
  assert.match(run.stderr, /FATAL: {2}.*CS_SESSION_EXPIRED/)
  const answer = await countersign(system, 'ana', requestId)
  assert.ok(answer.status >= 400, JSON.stringify(answer))
  await using log = await observe(system)
  const ended = await eventually('the end', async () =>
    (await eventsOf(log, 'sessions', 'SessionEnded')).find(
      ({ code }) => code === 'CS_SESSION_EXPIRED',
    ),
  )
  const of = ({ sessionId }: { sessionId: string }): boolean => sessionId === ended.sessionId
  const admitted = (await eventsOf(log, 'decisions', 'SessionAdmitted')).find(of)
  const issued = (await eventsOf(log, 'credentials', 'CredentialIssued')).find(of)
  assert.equal(admitted?.expiresAt, admitted?.identity.expiresAt)
  assert.equal(issued?.validUntil, admitted?.expiresAt)
  await eventually('the revocation', async () =>
    (await eventsOf(log, 'credentials', 'CredentialRevoked')).some(of),
  )
  assert.deepEqual(await lockedRoles(system), { canLogIn: [], backends: 0 })
  assert.equal(await timesRun(system, 'drop table'), 0)
})
