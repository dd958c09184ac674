// Seen to fail when the broker does not look at leases (services/credential-broker/src/core/leases.ts).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { countersign } from '../support/reviewer.ts'
import { lockedRoles } from '../support/target.ts'

const system = await arena('dead-proxy', {
  env: { proxy: { CS_LEASE_MS: '3000', CS_HEARTBEAT_MS: '600' } },
})

test('a proxy killed with open sessions: its leases revoke the roles, and the sessions end in the log', async () => {
  const idle = await startPsql(system, { profile: 'shop-prod' })
  idle.type("select 'open';")
  await idle.says(/open/)
  const held = await heldStatement(system, 'drop table shop.orders')
  assert.equal((await lockedRoles(system)).canLogIn.length, 2)
  await system.service('proxy').kill9()
  await using log = await observe(system)
  await eventually('both revocations', async () => {
    const revoked = await eventsOf(log, 'credentials', 'CredentialRevoked')
    return revoked.filter(({ reason }) => reason === 'LeaseExpired').length === 2
  })
  assert.deepEqual(await lockedRoles(system), { canLogIn: [], backends: 0 })
  const late = await countersign(system, 'ana', held.requestId)
  assert.equal(await timesRun(system, 'drop table'), 0, JSON.stringify(late))
  await Promise.all([idle.finish(), held.psql.finish()])
  await system.service('proxy').start()
  const after = await psql(system, { profile: 'shop-prod', commands: ['select 1'] })
  assert.equal(after.status, 0, after.stderr)
})

test('a proxy that was paused beyond its lease forwards nothing when it wakes', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type("select 'before the pause';")
  await running.says(/before the pause/)
  await using log = await observe(system)
  const before = (await eventsOf(log, 'credentials', 'CredentialRevoked')).length
  system.service('proxy').freeze()
  running.type("select 'sent into the pause';")
  await eventually(
    'the revocation',
    async () => (await eventsOf(log, 'credentials', 'CredentialRevoked')).length > before,
  )
  system.service('proxy').thaw()
  const run = await running.finish()
  assert.notEqual(run.status, 0)
  assert.equal(await timesRun(system, 'sent into the pause'), 0)
})
