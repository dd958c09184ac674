// Seen to fail when `cancel` in services/proxy/src/shell/serve-session.ts cancels nothing at the target.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentEnvironment, psql, type PsqlRun, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('psql')
const dev = (...commands: readonly string[]): Promise<PsqlRun> =>
  psql(system, { profile: 'shop-dev', commands, args: ['-At'] })

/** Runs another client program of PostgreSQL as an agent. */
async function program(name: string, ...args: readonly string[]): Promise<PsqlRun> {
  const env = await agentEnvironment(system, { profile: 'shop-dev' })
  return new Promise((resolve) => {
    execFile(name, args, { env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : 1, stdout, stderr }),
    )
  })
}

const DESCRIPTIONS = {
  '\\d shop.orders': /customer_id\|integer\|\|not null/,
  '\\dt shop.*': /shop\|customers\|table\|shop_dev_owner/,
  '\\d+ shop.customer_emails': /email/,
  '\\dn': /shop\|shop_dev_owner/,
  '\\di shop.*': /orders_pkey/,
  '\\df pg_catalog.lower': /lower/,
} as const

for (const [command, says] of Object.entries(DESCRIPTIONS)) {
  test(`psql's ${command} answers`, async () => {
    const run = await dev(command)
    assert.equal(run.status, 0, run.stderr)
    assert.match(run.stdout, says)
  })
}

test('several statements in one -c run as one message, in one transaction', async () => {
  const run = await dev(
    "select 'one'; select 'two'; update shop.orders set note = 'c' where id = 31; select 1/0",
    'select count(*) from shop.orders where note = $$c$$',
  )
  assert.match(run.stderr, /division by zero/)
  assert.deepEqual(run.stdout.trim().split('\n'), ['one', 'two', 'UPDATE 1', '0'])
})

test('a big result arrives whole', async () => {
  const run = await dev("select n, repeat('y', 100) from generate_series(1, 100000) as s(n)")
  const lines = run.stdout.trim().split('\n')
  assert.equal(lines.length, 100_000)
  assert.equal(lines.at(-1), `100000|${'y'.repeat(100)}`)
})

test('\\copy to stdout gives the rows of the table', async () => {
  const run = await dev('\\copy (select id from shop.products order by id) to stdout')
  assert.equal(run.status, 0, run.stderr)
  assert.deepEqual(
    run.stdout.trim().split('\n').map(Number),
    Array.from({ length: 40 }, (_, index) => index + 1),
  )
})

test('\\copy from stdin writes the rows, however many there are', async () => {
  const running = await startPsql(system, { profile: 'shop-dev', args: ['-At'] })
  running.type('\\copy shop.products (id, name, price_cents) from stdin')
  for (let id = 1_000; id < 6_000; id++) running.type(`${id}\tcopied ${'z'.repeat(200)}\t${id}`)
  running.type('\\.')
  await running.says(/COPY 5000/)
  running.type("select 'and on';")
  await running.says(/and on/)
  await running.finish()
  const [row] = await askTarget(
    system,
    "select count(*)::int as n, sum(price_cents)::int as total from shop.products where name like 'copied %'",
    'shop_dev',
  )
  assert.deepEqual(row, { n: 5_000, total: 17_497_500 })
})

test('a \\copy that fails at the target leaves the session usable', async () => {
  const running = await startPsql(system, { profile: 'shop-dev', args: ['-At'] })
  running.type('\\copy shop.products (id, name, price_cents) from stdin')
  running.type('7000\tfine\t1')
  running.type('not a number\twrong\t2')
  for (let id = 7_001; id < 8_000; id++) running.type(`${id}\tbehind the error\t1`)
  running.type('\\.')
  await running.says(/invalid input syntax/)
  running.type("select 'and on';")
  await running.says(/and on/)
  await running.finish()
})

test('Ctrl-C ends a running statement at the target', async () => {
  const running = await startPsql(system, { profile: 'shop-dev', args: ['-At'] })
  const isRunning = async (): Promise<boolean> => {
    const rows = await askTarget(
      system,
      "select 1 from pg_stat_activity where usename like 'cs\\_%' and state = 'active'",
    )
    return rows.length === 1
  }
  running.type('select count(*) from generate_series(1, 100000) a, generate_series(1, 1000000) b;')
  await eventually('the running statement', isRunning)
  running.signal('SIGINT')
  // A psql that reads a script ends on Ctrl-C, with status 3.
  await running.says(/canceling statement due to user request/)
  assert.equal((await running.finish()).status, 3)
  assert.equal(await isRunning(), false)
})

const SELECT = `\\set id random(1, 40)
select id, price_cents from shop.products where id = :id;
`
const PIPELINE = `\\set id random(1, 40)
\\startpipeline
select id from shop.products where id = :id;
select price_cents from shop.products where id = :id;
select count(*) from shop.products;
\\endpipeline
`

/** Runs pgbench with a script; every transaction must succeed. */
async function bench(mode: string, script: string, transactions = 40): Promise<void> {
  const file = join(system.instance.dir, `${mode}.sql`)
  await writeFile(file, script)
  const run = await program(
    'pgbench',
    ...['-n', '-M', mode, '-f', file, '-c', '4', '-t', String(transactions)],
  )
  assert.equal(run.status, 0, run.stderr)
  const done = transactions * 4
  assert.ok(run.stdout.includes(`processed: ${done}/${done}`), run.stdout)
  assert.match(run.stdout, /failed transactions: 0 /)
}

for (const mode of ['simple', 'extended', 'prepared']) {
  test(`pgbench in its mode ${mode} has no failed transaction`, () => bench(mode, SELECT))
}
for (const mode of ['extended', 'prepared']) {
  test(`pgbench with a pipeline in its mode ${mode} has no failed transaction`, () =>
    bench(mode, PIPELINE))
}

test('what pg_dump begins with passes', async () => {
  // A pg_dump that is older than the server refuses to run, so this test sends its first statements without it.
  const run = await dev(
    'begin',
    'set transaction isolation level repeatable read, read only',
    'lock table shop.orders in access share mode',
    'commit',
  )
  assert.equal(run.stderr, '')
  assert.match(run.stdout, /LOCK TABLE\nCOMMIT/)
})

test('everything that was released was completed', async () => {
  await using log = await observe(system)
  const openRequests = async (): Promise<string[]> => {
    const released = await eventsOf(log, 'sessions', 'RequestReleased')
    const completed = new Set(
      (await eventsOf(log, 'sessions', 'RequestCompleted')).map(({ requestId }) => requestId),
    )
    assert.ok(released.length > 500, `only ${released.length} releases`)
    return released
      .filter(({ requestId }) => !completed.has(requestId))
      .map(({ origin, content }) => `${origin}: ${content?.rendering ?? 'covered'}`)
  }
  await eventually('the completions', async () => (await openRequests()).length === 0).catch(
    async () => assert.deepEqual(await openRequests(), []),
  )
})
