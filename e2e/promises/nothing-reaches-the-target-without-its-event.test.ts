// Seen to fail when `forward` in services/proxy/src/shell/pipeline.ts sends its bytes before `recorded` resolves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe, targetStatements, timesRun } from '../support/ledger.ts'

const system = await arena('recorded')

test('each statement of an agent in the log of the target has exactly one RequestReleased', async () => {
  const run = await psql(system, {
    profile: 'shop-prod',
    commands: [
      'select count(*) from shop.orders',
      'select id, status from shop.orders order by id limit 5',
      'begin',
      'select 1',
      'commit',
      'select id from shop.products where id = 1',
      'select id from shop.products where id = 2',
    ],
  })
  assert.equal(run.status, 0, run.stderr)
  await using log = await observe(system)
  const released = await eventsOf(log, 'sessions', 'RequestReleased')
  const statements = await targetStatements(system)
  assert.equal(statements.length, 7)
  assert.equal(
    released.length,
    statements.length,
    'one event for each statement, no more and no fewer',
  )
  const coverage = released.map((event) => event.coverage)
  assert.ok(
    coverage.includes('Shape'),
    'the second product is covered by the decision on the first',
  )
})

test('50 statements while Kafka is frozen leave the log of the target unchanged', async () => {
  const before = (await targetStatements(system)).length
  const running = await Promise.all(
    Array.from({ length: 5 }, () =>
      startPsql(system, { profile: 'shop-prod', args: ['-v', 'ON_ERROR_STOP=0'] }),
    ),
  )
  for (const [index, one] of running.entries()) {
    one.type(`select 'warm ${index}';`)
    await one.says(new RegExp(`warm ${index}`))
  }
  const warm = (await targetStatements(system)).length
  assert.equal(warm, before + 5)
  await system.kafka().freeze()
  try {
    for (const one of running) {
      // Covered, so that only the append of its release stands between it and the target.
      one.type("select 'frozen, and covered';")
      for (let number = 1; number < 10; number++)
        one.type(`select 'frozen ${number}' from shop.orders;`)
    }
    const runs = await Promise.all(running.map((one) => one.finish()))
    for (const run of runs) assert.match(run.stderr, /CS_LOG_UNAVAILABLE|connection|terminat/i)
    assert.equal((await targetStatements(system)).length, warm, 'nothing was forwarded')
  } finally {
    system.kafka().thaw()
  }
  await eventually(
    'the system serves again',
    async () => (await psql(system, { profile: 'shop-prod', commands: ['select 7'] })).status === 0,
    10_000,
  )
  assert.equal(await timesRun(system, 'frozen'), 0)
})
