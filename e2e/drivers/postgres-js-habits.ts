/**
 * Plays the habits of postgres.js. It prints one line of JSON for each step, which must be the same at PostgreSQL itself
 * and through the proxy.
 */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import postgres from 'postgres'

const ssl = { ca: readFileSync(process.env['PGSSLROOTCERT'] ?? '', 'utf8') }

const report = (step: string, value: unknown): void => console.log(JSON.stringify({ step, value }))

async function connected<T>(
  work: (sql: postgres.Sql) => Promise<T>,
  options: postgres.Options<{}> = {},
): Promise<T> {
  const sql = postgres({ ssl, max: 1, onnotice: () => undefined, ...options })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index)

/** An error of the target, in the fields that postgres.js gives out. */
function told(error: unknown): unknown {
  if (!(error instanceof postgres.PostgresError)) return String(error)
  const { code, message, detail, hint, position, schema_name, table_name, constraint_name } = error
  // Countersign adds fields to the error of a failed transaction (docs/errors.md), so they are not compared.
  if (code === '25P02') return { code, message }
  return { code, message, detail, hint, position, schema_name, table_name, constraint_name }
}

const STEPS: Readonly<Record<string, () => Promise<unknown>>> = {
  'types are fetched when it connects': () =>
    connected(async (sql) => {
      const moods = ['sad', 'happy']
      return [
        await sql`select ${sql.array(moods)}::shop.mood[] as moods, ${sql.array([1, 2])}::int[] as numbers`,
        await sql`select array['sad', 'happy']::shop.mood[] as moods, array[[1, 2], [3, 4]] as deep`,
      ]
    }),
  'values of every kind': () =>
    connected(async (sql) => {
      const json = sql.json({ deep: [1, null] })
      return sql`
        select ${"ä 漢 😀 it's $1; --"}::text a, ${null}::text b, ${-2147483648}::int c, ${true}::boolean d,
          ${new Date(0)}::timestamptz e, ${Buffer.from([0, 255])}::bytea f, ${json}::jsonb g, ${'9223372036854775807'}::bigint h`
    }),
  'a pipeline': () =>
    connected(async (sql) => {
      const heard = await Promise.all(
        numbers(200).map((n) =>
          n % 3 === 0 ? sql`select ${n}::int as n` : sql`select ${n}::text as n`,
        ),
      )
      return heard.map((rows) => rows[0]?.['n'])
    }),
  'a pipeline with errors': () =>
    connected(async (sql) => {
      const heard = await Promise.allSettled([
        sql`select ${1}::int as n`,
        sql`select ${1}::int / 0 as n`,
        sql`select nothing_like_this from shop.spoken where id = ${1}`,
        sql`select ${2}::int as n`,
      ])
      return heard.map((one) => (one.status === 'fulfilled' ? one.value : told(one.reason)))
    }),
  'a cursor, and one that is left': () =>
    connected(async (sql) => {
      const sizes: number[] = []
      await sql`select id, total_cents + ${1} as more from shop.orders order by id`.cursor(
        70,
        (rows) => void sizes.push(rows.length),
      )
      let first: unknown
      for await (const rows of sql`select n from generate_series(1, 50) s(n)`.cursor(20)) {
        first = rows
        break
      }
      const failed = await sql`select 6 / (5 - n) as n from generate_series(1, 9) s(n)`
        .cursor(3, (rows) => void sizes.push(rows.length))
        .catch(told)
      return [sizes, first, failed, await sql`select 1 as n`]
    }),
  'rows one by one': () =>
    connected(async (sql) => {
      const heard: unknown[] = []
      await sql`select id, upper(status) as status from shop.orders order by id limit 20`.forEach(
        (row) => void heard.push(row),
      )
      return heard
    }),
  transactions: () =>
    connected(async (sql) => {
      const committed = await sql.begin('isolation level repeatable read', async (tx) => {
        await tx`insert into shop.spoken values (1, 'kept')`
        const inner = await tx
          .savepoint(async (nested) => {
            await nested`update shop.spoken set note = 'lost'`
            return nested`select ${1}::int / 0`
          })
          .catch(told)
        return [
          inner,
          await tx`select note from shop.spoken where id = 1`,
          await tx`show transaction_isolation`,
        ]
      })
      const undone = await sql
        .begin(async (tx) => {
          await tx`delete from shop.spoken`
          throw new Error('undone')
        })
        .catch(told)
      const pipelined = await sql.begin((tx) => [
        tx`select count(*)::int as n from shop.spoken`,
        tx`delete from shop.spoken where id = 1`,
        tx`select count(*)::int as n from shop.spoken`,
      ])
      return [committed, undone, pipelined.map((rows) => [rows.command, rows.count, [...rows]])]
    }),
  'a reserved connection': () =>
    connected(async (sql) => {
      const one = await sql.reserve()
      await one`set work_mem = '5MB'`
      const heard = await one`select current_setting('work_mem') as work_mem`
      one.release()
      return heard
    }),
  'insert and update helpers': () =>
    connected(async (sql) => {
      const rows = numbers(500, 100).map((id) => ({ id, note: `n${id}` }))
      const inserted = await sql`insert into shop.spoken ${sql(rows, 'id', 'note')} returning id`
      const updated = await sql`
        update shop.spoken set ${sql({ note: 'changed' }, 'note')} where id in ${sql([101, 102])} returning *`
      const listed = await sql`
        select ${sql(['id', 'note'])} from ${sql('shop.spoken')} where id = any(${[101, 103]}::int[]) order by id`
      const deleted = await sql`delete from shop.spoken`
      return [inserted.length, updated, listed, deleted.count]
    }),
  'LISTEN and NOTIFY': () =>
    connected(async (sql) => {
      const { promise, resolve } = Promise.withResolvers<string>()
      const listening = await sql.listen('habits', resolve)
      await sql.notify('habits', '{"id":7}')
      const heard = await promise
      await listening.unlisten()
      return heard
    }),
  'COPY in and out': () =>
    connected(async (sql) => {
      const into = await sql`copy shop.spoken from stdin`.writable()
      await pipeline(
        Readable.from(numbers(3_000, 1).map((n) => `${n}\t${'x'.repeat(300)}\n`)),
        into,
      )
      const out =
        await sql`copy (select id from shop.spoken where id < ${sql.unsafe('4')} order by id) to stdout`.readable()
      let text = ''
      for await (const chunk of out) text += String(chunk)
      const deleted = await sql`delete from shop.spoken`
      return [text, deleted.count]
    }),
  'described, simple, raw and as values': () =>
    connected(async (sql) => {
      const { columns, types } =
        await sql`select id, note from shop.spoken where id = ${1}`.describe()
      const simple = await sql`select 1 as n; select 'two' as n`.simple()
      return [
        columns.map(({ name, type }) => [name, type]),
        types,
        simple,
        await sql`select 1 as n`.raw(),
        await sql`select 1 as n, 'a' as a`.values(),
      ]
    }),
  'unsafe texts and files': () =>
    connected(async (sql) => [
      await sql.unsafe('select $1::int + 1 as n', [1]),
      await sql.unsafe('select $1::int + 1 as n', [2], { prepare: true }),
      await sql.unsafe('/* close all */ select 1 as a; select 2 as b'),
    ]),
  'without prepared statements': () =>
    connected(
      async (sql) => {
        const heard: unknown[] = []
        for (const n of numbers(3))
          heard.push(
            await sql`select ${n}::int as n, ${'x'}::shop.mood is null as none`.catch(told),
          )
        return heard
      },
      { prepare: false, fetch_types: false },
    ),
  'functions and types of users, again and again': () =>
    connected(async (sql) => {
      const heard: unknown[] = []
      for (const n of numbers(5)) {
        // The result of a function whose code nobody looked into is masked whole, so only the number of rows is compared.
        heard.push((await sql`select shop.thrice(${n})`).length)
        heard.push(await sql`select ${n % 2 ? 'sad' : 'happy'}::shop.mood as mood`)
      }
      return heard
    }),
  'settings of the connection': () =>
    connected(
      (sql) =>
        sql`select name, setting from pg_settings where name in ('statement_timeout', 'work_mem') order by 1`,
      { connection: { application_name: 'habits', statement_timeout: 60_000, work_mem: '7MB' } },
    ),
  'errors in their fields': () =>
    connected(async (sql) => {
      const wrong = [
        'selec 1',
        'select * from no_such_table',
        'insert into shop.spoken values (null)',
        "insert into shop.spoken values (900, 'a'), (900, 'b')",
      ]
      const heard: unknown[] = []
      for (const text of wrong) heard.push(await sql.unsafe(text).catch(told))
      return heard
    }),
  'a query is cancelled': () =>
    connected(async (sql) => {
      const running = sql`select pg_sleep(60)`
      const over = running.execute().catch(told)
      setTimeout(() => running.cancel(), 500)
      return [await over, await sql`select 1 as n`]
    }),
}

/** The fields of postgres.js that tell a program of a refusal and of a hold. */
async function contract(database: string, text: string): Promise<unknown> {
  const notices: unknown[] = []
  const sql = postgres({
    ssl,
    max: 1,
    database,
    onnotice: (notice) => void notices.push(fieldsOf(notice)),
  })
  try {
    await sql.unsafe(text)
    return 'not refused'
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error
    return { session: sql.parameters['countersign.session_id'], notices, error: fieldsOf(error) }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

const fieldsOf = (said: object): unknown => {
  const fields: Readonly<Record<string, unknown>> = { ...said }
  return {
    sqlstate: fields['code'],
    schema: fields['schema_name'],
    code: fields['constraint_name'],
    request: fields['table_name'],
    status: fields['column_name'],
    // The driver spells the name of this field with a space.
    deadline: fields['data type_name'] ?? null,
    session: fields['routine'],
  }
}

const held = process.env['HELD_DATABASE']
if (held !== undefined) {
  report(
    'refused',
    await contract(process.env['PGDATABASE'] ?? '', 'grant shop_dev_owner to public'),
  )
  report(
    'denied',
    await contract(held, "update shop.orders set note = 'postgres.js' where id = 44"),
  )
} else for (const [name, step] of Object.entries(STEPS)) report(name, await step().catch(told))
