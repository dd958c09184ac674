import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import postgres from 'postgres'
import { agentEnvironment } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldRows, MASKED_EMAIL, plantEmail, reviewInTurn, WORDS } from '../support/driver.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('postgres-js')
await using log = await observe(system)
await plantEmail(system)

type Client = postgres.Sql & AsyncDisposable & { readonly notices: string[] }

/** A postgres.js client with one connection; it ends with the scope that holds it. */
async function connect(profile: string, options: postgres.Options<{}> = {}): Promise<Client> {
  const { PGUSER, PGPASSWORD, PGPORT } = await agentEnvironment(system, { profile })
  const notices: string[] = []
  const sql = postgres({
    host: '127.0.0.1',
    port: Number(PGPORT),
    user: PGUSER ?? '',
    password: PGPASSWORD ?? '',
    database: profile,
    ssl: { ca: await readFile(system.caFile, 'utf8') },
    max: 1,
    onnotice: ({ message }) => void notices.push(message ?? ''),
    ...options,
  })
  return Object.assign(sql, {
    notices,
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  })
}

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index)

test('its types are fetched, and prepared, unprepared and simple queries give the same rows', async () => {
  await using sql = await connect('shop-dev')
  const prepared = []
  for (let round = 0; round < 3; round++)
    prepared.push(await sql`select id, price_cents from shop.products where id = ${7}`)
  const unprepared = await sql.unsafe(
    'select id, price_cents from shop.products where id = $1',
    [7],
  )
  const simple = await sql`select id, price_cents from shop.products where id = 7`.simple()
  for (const rows of [...prepared, unprepared, simple])
    assert.deepEqual([...rows], [...(prepared[0] ?? [])])
  assert.equal(prepared[0]?.[0]?.['id'], 7)
  assert.deepEqual(
    (await sql`select ${sql.array([1, 2, 3])}::int[] as list`)[0]?.['list'],
    [1, 2, 3],
  )
})

test('a connection without prepared statements, as behind a pool, gives the same rows', async () => {
  await using sql = await connect('shop-dev', { prepare: false, fetch_types: false })
  for (const id of numbers(5, 1))
    assert.equal((await sql`select id from shop.products where id = ${id}`)[0]?.['id'], id)
})

test('values of every kind arrive as they were sent', async () => {
  await using sql = await connect('shop-dev')
  const at = new Date('2026-02-03T04:05:06.789Z')
  const [row] = await sql`
    select ${"ä 漢 😀 it's $1; --"}::text a, ${null}::text b, ${-2147483648}::int c, ${true}::boolean d,
      ${at}::timestamptz e, ${Buffer.from([0, 255])}::bytea f, ${sql.json({ deep: [1, null] })}::jsonb g`
  assert.deepEqual(row, {
    a: "ä 漢 😀 it's $1; --",
    b: null,
    c: -2147483648,
    d: true,
    e: at,
    f: Buffer.from([0, 255]),
    g: { deep: [1, null] },
  })
})

test('hundreds of queries that are sent without waiting are answered in order', async () => {
  await using sql = await connect('shop-dev')
  const heard = await Promise.all(numbers(300).map((n) => sql`select ${n}::int as n`))
  assert.deepEqual(
    heard.map((rows) => rows[0]?.['n']),
    numbers(300),
  )
})

test('a statement is described before it runs', async () => {
  await using sql = await connect('shop-dev')
  const { columns, types } =
    await sql`select id, name from shop.products where id = ${1}::int`.describe()
  assert.deepEqual([columns.map(({ name }) => name), types], [['id', 'name'], [23]])
})

test('a cursor reads in pieces, and may stop in the middle', async () => {
  await using sql = await connect('shop-dev')
  const sizes: number[] = []
  await sql`select id from shop.orders order by id`.cursor(100, (rows) => {
    sizes.push(rows.length)
  })
  assert.deepEqual(sizes, [100, 100, 20])
  let first = 0
  for await (const rows of sql`select id from shop.orders where id > ${20} order by id`.cursor(
    30,
  )) {
    first = rows[0]?.['id']
    break
  }
  assert.equal(first, 21)
  assert.equal((await sql`select 1 as n`)[0]?.['n'], 1)
})

test('rows are copied out and in as streams', async () => {
  await using sql = await connect('shop-dev')
  const out = await sql`copy (select id from shop.products order by id) to stdout`.readable()
  let text = ''
  for await (const chunk of out) text += String(chunk)
  assert.deepEqual(text.trim().split('\n').map(Number), numbers(40, 1))
  const into = await sql`copy shop.products (id, name, price_cents) from stdin`.writable()
  await pipeline(
    Readable.from(numbers(3_000, 50_000).map((id) => `${id}\t${'x'.repeat(300)}\t1\n`)),
    into,
  )
  const [row] = await sql`select count(*)::int as n from shop.products where id >= 50000`
  assert.equal(row?.['n'], 3_000)
})

test('transactions commit, roll back with an error, and have savepoints', async () => {
  await using sql = await connect('shop-dev')
  await sql.begin(async (tx) => {
    await tx`update shop.orders set note = 'kept' where id = ${61}`
    await assert.rejects(
      tx.savepoint(async (inner) => {
        await inner`update shop.orders set note = 'lost' where id = ${62}`
        await inner`select ${1}::int / 0`
      }),
      { code: '22012' },
    )
  })
  await assert.rejects(
    sql.begin(async (tx) => {
      await tx`update shop.orders set note = 'lost' where id = ${63}`
      await tx`select ${1}::int / 0`
    }),
    { code: '22012' },
  )
  const notes = await sql`select id, note from shop.orders where note in ('kept', 'lost')`
  assert.deepEqual([...notes], [{ id: 61, note: 'kept' }])
})

test('a pipelined transaction is answered in order', async () => {
  await using sql = await connect('shop-dev')
  const heard = await sql.begin((tx) => numbers(20).map((n) => tx`select ${n}::int as n`))
  assert.deepEqual(
    heard.map((rows) => rows[0]?.['n']),
    numbers(20),
  )
})

test('cancelling a running query ends it at the target', async () => {
  await using sql = await connect('shop-dev')
  const running = sql`select count(*) from generate_series(1, 100000) a, generate_series(1, ${1_000_000}::int) b`
  const refused = assert.rejects(running.execute(), { code: '57014' })
  await eventually('the running statement', async () => {
    const rows = await askTarget(
      system,
      "select 1 from pg_stat_activity where usename like 'cs\\_%' and state = 'active'",
    )
    return rows.length === 1
  })
  running.cancel()
  await refused
  assert.equal((await sql`select 1 as n`)[0]?.['n'], 1)
})

test('a masked column arrives masked, prepared, simple and copied', async () => {
  await using sql = await connect('shop-dev')
  const prepared = await sql`select email from shop.customers where id = ${90001}`
  const simple = await sql`select email from shop.customers where id = 90001`.simple()
  const raw = await sql`select email from shop.customers where id = ${90001}`.raw()
  const copied =
    await sql`copy (select email from shop.customers where id = 90001) to stdout`.readable()
  let text = ''
  for await (const chunk of copied) text += String(chunk)
  assert.equal(prepared[0]?.['email'], MASKED_EMAIL)
  assert.equal(simple[0]?.['email'], MASKED_EMAIL)
  assert.equal(raw[0]?.[0]?.toString(), MASKED_EMAIL)
  assert.ok(!text.includes('canary.zebra'), text)
  assert.notEqual(text, '')
})

test('a refusal inside a transaction leaves it failed, and nothing of it stays', async () => {
  await using sql = await connect('shop-dev')
  const codes: unknown[] = []
  const noted = (error: unknown): void => {
    codes.push(error instanceof postgres.PostgresError ? error.code : error)
  }
  await assert.rejects(
    sql.begin(async (tx) => {
      await tx`update shop.orders set note = 'half' where id = ${64}`
      await tx`grant shop_dev_owner to public`.catch(noted)
      await tx`select ${1}::int as n`.catch(noted)
    }),
  )
  assert.deepEqual(codes, ['42C01', '25P02'])
  assert.equal((await sql`select 1 from shop.orders where note = 'half'`).length, 0)
})

test('held statements are countersigned and denied while it waits', async () => {
  await using sql = await connect('shop-prod')
  const reviewed = reviewInTurn(system, log)
  const done =
    await sql`update shop.orders set note = ${'postgres.js countersigned'} where id = ${65}`
  assert.equal(done.count, 1)
  await assert.rejects(
    async () => sql`update shop.orders set note = ${'postgres.js denied'} where id = ${66}`,
    (error) =>
      error instanceof postgres.PostgresError &&
      error.code === '42C03' &&
      (error.detail ?? '').includes(WORDS),
  )
  await reviewed
  assert.equal(sql.notices.filter((notice) => /held for review/.test(notice)).length, 2)
  assert.deepEqual(await heldRows(system, 'postgres.js'), { countersigned: 1, denied: 0 })
})

test('everything that was released was completed', async () => {
  await eventually('the completions', async () => {
    const released = await eventsOf(log, 'sessions', 'RequestReleased')
    const completed = new Set(
      (await eventsOf(log, 'sessions', 'RequestCompleted')).map(({ requestId }) => requestId),
    )
    return released.length > 300 && released.every(({ requestId }) => completed.has(requestId))
  })
})
