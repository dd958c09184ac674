// Seen to fail when `finish` in services/proxy/src/shell/journal.ts gives up after its first attempt.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'

const system = await arena('kafka-away')

test('with Kafka killed nothing is forwarded and the agent is told why; the first statement passes at most 10 s after it is back', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type("select 'before';")
  await running.says(/before/)
  await system.kafka().kill9()
  // The same shape as before: a decision covers it, and nothing has to be asked.
  running.type("select 'while away';")
  const run = await running.finish()
  assert.match(run.stderr, /CS_LOG_UNAVAILABLE/)
  assert.equal(await timesRun(system, 'while away'), 0)
  const refused = await psql(system, { profile: 'shop-prod', commands: ['select 1'] })
  assert.notEqual(refused.status, 0)

  await system.restartKafka()
  const back = performance.now()
  await eventually(
    'the first statement',
    async () =>
      (await psql(system, { profile: 'shop-prod', commands: ["select 'after'"] })).status === 0,
    10_000,
  )
  assert.ok(performance.now() - back <= 10_500)
  await using log = await observe(system)
  await eventually('the end of the session that Kafka ended', async () =>
    (await eventsOf(log, 'sessions', 'SessionEnded')).some(
      ({ reason }) => reason === 'LogUnavailable',
    ),
  )
})
