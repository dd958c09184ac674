// Seen to fail when `isCoverable` in services/proxy/src/shell/requests.ts does not look at the age of the sign of life.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'

const system = await arena('no-policy', { env: { proxy: { CS_DECISION_LIMIT_MS: '1500' } } })

test('a covered release stops within 3 s when the proxy no longer hears policy', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  await using log = await observe(system)
  await eventually('a covered release', async () => {
    running.type("select 'covered' from shop.products where id = 1;")
    await pause(300)
    return (await eventsOf(log, 'sessions', 'RequestReleased')).some(
      ({ coverage }) => coverage === 'Shape',
    )
  })
  await system.service('policy').freeze()
  try {
    await pause(3_200)
    const ran = await timesRun(system, "'covered'")
    running.type("select 'covered' from shop.products where id = 2;")
    await running.says(/CS_POLICY_UNAVAILABLE/)
    assert.equal(await timesRun(system, "'covered'"), ran)
  } finally {
    system.service('policy').thaw()
    await running.finish()
  }
})
