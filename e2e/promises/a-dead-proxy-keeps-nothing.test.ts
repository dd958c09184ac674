// Seen to fail when the broker does not look at leases (services/credential-broker/src/core/leases.ts), and the last one
// when `complete` in services/proxy/src/shell/journal.ts does not wait for the transcript.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '@countersign/log'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { archivedSessions, eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { callReplay, countersign } from '../support/reviewer.ts'
import { lockedRoles } from '../support/target.ts'

const system = await arena('dead-proxy', {
  isCutShort: true,
  env: { proxy: { CS_LEASE_MS: '5000', CS_HEARTBEAT_MS: '600' } },
})

test('a proxy killed with open sessions: its leases revoke the roles, and the sessions end in the log', async () => {
  const idle = await startPsql(system, { profile: 'shop-prod' })
  idle.type("select 'open';")
  await idle.says(/open/)
  const held = await heldStatement(system, 'drop table shop.orders')
  assert.equal((await lockedRoles(system)).canLogIn.length, 2)
  await system.service('proxy').kill9()
  await using log = await observe(system)
  await eventually('both revocations', async () => (await expiredSessions(log)).size === 2)
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
  const opened = await eventsOf(log, 'sessions', 'SessionOpened')
  const [session] = opened.sort((one, other) => other.at - one.at)
  assert.ok(session !== undefined)
  await system.service('proxy').freeze()
  running.type("select 'sent into the pause';")
  await eventually('the revocation', async () =>
    (await expiredSessions(log)).has(session.sessionId),
  )
  system.service('proxy').thaw()
  const run = await running.finish()
  assert.notEqual(run.status, 0)
  assert.equal(await timesRun(system, 'sent into the pause'), 0)
})

test('a proxy killed in the middle of answers leaves sessions that are cut short, and no broken chain', async () => {
  await using log = await observe(system)
  const before = await expiredSessions(log)
  const busy = await Promise.all(
    [1, 2, 3].map((each) => startPsql(system, { profile: 'shop-prod', commands: many(each) })),
  )
  await Promise.all(busy.map((each) => each.says(/row 40\b/)))
  await system.service('proxy').kill9()
  await Promise.all(busy.map((each) => each.finish()))
  const cut = await eventually('the revocations', async () => {
    const fresh = (await expiredSessions(log)).difference(before)
    return fresh.size >= busy.length && fresh
  })
  await system.service('proxy').start()
  for (const sessionId of cut) {
    await eventually(
      'the archive',
      async () => (await archivedSessions(system)).includes(sessionId),
      30_000,
    )
    const { body } = await callReplay(system, 'ana', `/v1/sessions/${sessionId}`)
    assert.deepEqual([body['complete'], body['cutShort']], [true, true])
  }
  assert.deepEqual(await eventsOf(log, 'recorder.rejected', 'MessageRejected'), [])
})

/** The sessions whose credential was revoked because of a lease, not because they ended, which may happen at any time. */
const expiredSessions = async (log: Log): Promise<Set<string>> =>
  new Set(
    (await eventsOf(log, 'credentials', 'CredentialRevoked'))
      .filter(({ reason }) => reason === 'LeaseExpired')
      .map(({ sessionId }) => sessionId),
  )

const many = (each: number): string[] =>
  Array.from({ length: 2_000 }, (_, index) => `select 'row ${index}', ${each}`)
