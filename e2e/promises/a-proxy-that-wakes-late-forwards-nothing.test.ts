// Seen to fail when `append` in services/proxy/src/shell/lease.ts takes a lease to last a thousand times as long. That `isHeld`
// and the watch each look by themselves is what lease.test.ts beside it shows: here either is enough.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { lockedRoles } from '../support/target.ts'

const LEASE_MS = 6_000
const system = await arena('wakes-late', {
  isCutShort: true,
  env: { proxy: { CS_LEASE_MS: String(LEASE_MS), CS_HEARTBEAT_MS: '600' } },
})
const proxy = system.service('proxy')
const broker = system.service('credential-broker')

test('a proxy that wakes after its lease forwards nothing, even where nobody could revoke its role meanwhile', async (context) => {
  const running = await openSession(context)
  await broker.freeze()
  await proxy.freeze()
  const frozenAtMs = performance.now()
  running.type("select 'sent into the pause';")
  await outlived(frozenAtMs)
  assert.equal((await lockedRoles(system)).backends, 1, 'the target would still run it')
  proxy.thaw()
  // The proxy may notice an append that took too long before it notices that its lease has run out.
  await running.says(/CS_LEASE_LOST|CS_LOG_UNAVAILABLE/)
  assert.equal(await timesRun(system, 'sent into the pause'), 0)
  broker.thaw()
  await revoked()
})

test('what was recorded before the pause and acknowledged in it is not forwarded either', async (context) => {
  await using log = await observe(system)
  const running = await openSession(context)
  const releases = async (): Promise<number> =>
    (await eventsOf(log, 'sessions', 'RequestReleased')).length
  const before = await releases()
  const countedBefore = await countedReleases()
  await broker.freeze()
  await system.kafka().freeze()
  running.type("select 'under way in the pause';")
  await eventually('the release', async () => (await countedReleases()) > countedBefore)
  await proxy.freeze()
  const frozenAtMs = performance.now()
  system.kafka().thaw()
  await eventually('the release in the log', async () => (await releases()) > before)
  await outlived(frozenAtMs)
  assert.equal((await lockedRoles(system)).backends, 1, 'the target would still run it')
  proxy.thaw()
  await running.says(/CS_LEASE_LOST|CS_LOG_UNAVAILABLE/)
  assert.equal(await timesRun(system, 'under way in the pause'), 0)
  broker.thaw()
  await revoked()
})

/** Opens a session whose next SELECT is covered. It is cleaned up however the test ends. */
async function openSession(context: TestContext): Promise<Psql> {
  const running = await startPsql(system, { profile: 'shop-prod' })
  context.after(() => {
    for (const frozen of [system.kafka(), proxy, broker]) frozen.thaw()
    running.signal('SIGKILL')
  })
  running.type("select 'before the pause';")
  await running.says(/before the pause/)
  return running
}

/** Waits until a lease from this time has run out; only the time can tell. */
const outlived = (sinceMs: number): Promise<void> =>
  pause(Math.max(0, sinceMs + LEASE_MS - performance.now()))

/** The number of releases that the proxy itself has counted; it counts a release before that is in the log. */
async function countedReleases(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${proxy.healthPort}/metrics`)).text()
  return [...text.matchAll(/^countersign_requests_released\S* (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
}

const revoked = (): Promise<unknown> =>
  eventually('the revocation', async () => {
    const { canLogIn, backends } = await lockedRoles(system)
    return canLogIn.length === 0 && backends === 0
  })
