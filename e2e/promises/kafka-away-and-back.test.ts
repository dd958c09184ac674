// Seen to fail when `finish` in services/proxy/src/shell/journal.ts gives up after its first attempt; the second one
// when `finish` repeats nothing of what was not acknowledged.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { archivedSessions, eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { connectPg } from '../support/node-postgres.ts'

const system = await arena('kafka-away', { isCutShort: true })

for (const how of ['kill9', 'stop'] as const) {
  test(`with Kafka ${how === 'stop' ? 'stopped' : 'killed'} nothing is forwarded and the agent is told why; the first statement passes at most 10 s after it is back`, async () => {
    const running = await startPsql(system, { profile: 'shop-prod' })
    running.type("select 'before';")
    await running.says(/before/)
    const endedBefore = await endedByKafka()
    await system.kafka()[how]()
    // The statement has the same shape as the one before, so a decision covers it and policy need not be asked.
    running.type(`select 'away ${how}';`)
    const run = await running.finish()
    assert.match(run.stderr, /CS_LOG_UNAVAILABLE/)
    assert.equal(await timesRun(system, `away ${how}`), 0)
    const refused = await psql(system, { profile: 'shop-prod', commands: ['select 1'] })
    assert.notEqual(refused.status, 0)

    await system.restartKafka()
    await eventually('that Kafka answers', () => kafkaAnswers(), 60_000)
    // The attempts run side by side, so that one that starts too early does not use up the time of the others.
    const attempts = [1, 2, 3].map(() => eventually('the first statement', passes, 10_000))
    await Promise.any(attempts)
    await Promise.allSettled(attempts)
    await eventually(
      'the end of the session that Kafka ended',
      async () => (await endedByKafka()).difference(endedBefore).size > 0,
    )
  })
}

test('what a Kafka that stood still did to busy sessions is not taken for tampering', async () => {
  const endedBefore = await endedByKafka()
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
  // The recorder checks the hash chain of a session when it archives it.
  await eventually(
    'the archives of those that Kafka ended',
    async () => {
      const ended = (await endedByKafka()).difference(endedBefore)
      const archived = new Set<string>(await archivedSessions(system))
      return ended.intersection(archived).size >= CLIENTS.length
    },
    60_000,
  )
  const broken = (await eventsOf(log, 'recorder.rejected', 'MessageRejected')).filter(
    ({ code }) => code === 'CS_CHAIN_BROKEN',
  )
  assert.deepEqual(broken, [])
})

const passes = async (): Promise<boolean> => {
  const env = { PGCONNECT_TIMEOUT: '3' }
  const commands = ["select 'after'"]
  return (await psql(system, { profile: 'shop-prod', commands, env })).status === 0
}

/** True if Kafka answers a new client. Its process accepts connections earlier than that. */
async function kafkaAnswers(): Promise<boolean> {
  try {
    await using log = await observe(system)
    return (await log.endOffsets('sessions')).size > 0
  } catch {
    return false
  }
}

/** The sessions that ended because the log did not answer. */
async function endedByKafka(): Promise<ReadonlySet<string>> {
  await using log = await observe(system)
  const ended = await eventsOf(log, 'sessions', 'SessionEnded')
  return new Set(
    ended
      .filter(({ reason }) => reason === 'LogUnavailable')
      .map(({ sessionId }): string => sessionId),
  )
}

const CLIENTS = [0, 1, 2, 3]
/** More statements than a client can run before Kafka is frozen. */
const STATEMENTS = 5_000
