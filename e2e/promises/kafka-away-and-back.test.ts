// Seen to fail when `finish` in services/proxy/src/shell/journal.ts gives up after its first attempt; the second one
// when `finish` repeats nothing of what was not acknowledged.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { archivedSessions, eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { connectPg } from '../support/node-postgres.ts'

const system = await arena('kafka-away', { isCutShort: true })

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

test('what a Kafka that stood still did to busy sessions is not taken for tampering', async () => {
  const clients = await Promise.all(CLIENTS.map(() => connectPg(system, 'shop-prod')))
  const over = Promise.allSettled(
    clients.map(async (client, index) => {
      for (let number = 0; number < STATEMENTS; number++)
        await client.query(`select 'busy ${index}/${number}'`)
    }),
  )
  await eventually('busy', async () => (await timesRun(system, "'busy 3/20'")) > 0, 20_000)
  await system.kafka().freeze()
  const results = await over
  system.kafka().thaw()
  assert.deepEqual([...new Set(results.map(({ status }) => status))], ['rejected'])

  await using log = await observe(system)
  // The recorder judges a session when it archives it.
  const judged = await eventually(
    'the archives of those that Kafka ended',
    async () => {
      const ended = (await eventsOf(log, 'sessions', 'SessionEnded')).filter(
        ({ reason }) => reason === 'LogUnavailable',
      )
      const archived = new Set(await archivedSessions(system))
      const found = ended.filter(({ sessionId }) => archived.has(sessionId))
      return found.length >= CLIENTS.length ? found : false
    },
    40_000,
  )
  assert.ok(judged.length >= CLIENTS.length)
  const broken = (await eventsOf(log, 'recorder.rejected', 'MessageRejected')).filter(
    ({ code }) => code === 'CS_CHAIN_BROKEN',
  )
  assert.deepEqual(broken, [])
})

const CLIENTS = [0, 1, 2, 3]
/** More than Kafka is given time for. */
const STATEMENTS = 5_000
