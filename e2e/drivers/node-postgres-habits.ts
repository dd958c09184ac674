/**
 * Plays the habits of node-postgres and of packages on top of it. It prints one line of JSON for each step, which must be
 * the same at PostgreSQL itself and through the proxy.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'

// These packages, and so their types, are not installed with the tests.
const fetched = createRequire(join(process.argv[2] ?? '.', 'index.js'))
const Cursor = fetched('pg-cursor')
const QueryStream = fetched('pg-query-stream')
const { from: copyFrom, to: copyTo } = fetched('pg-copy-streams')

const ssl = { ca: readFileSync(process.env['PGSSLROOTCERT'] ?? '', 'utf8') }

const report = (step: string, value: unknown): void => console.log(JSON.stringify({ step, value }))

async function connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ssl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const pooled = async <T>(work: (pool: pg.Pool) => Promise<T>, max = 1): Promise<T> => {
  const pool = new pg.Pool({ ssl, max })
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index)

/** An error of the target, in the fields that node-postgres gives out. */
function told(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return String(error)
  const { code, message, detail, hint, position, schema, table, column, constraint } = error
  // Countersign adds fields to the error of a failed transaction (docs/errors.md), so they are not compared.
  if (code === '25P02') return { code, message }
  return { code, message, detail, hint, position, schema, table, column, constraint }
}

const STEPS: Readonly<Record<string, () => Promise<unknown>>> = {
  'pool, released and destroyed': () =>
    pooled(async (pool) => {
      const heard: unknown[] = []
      for (const n of numbers(4)) {
        const client = await pool.connect()
        const { rows } = await client.query("select $1::int as n, current_setting('work_mem')", [n])
        heard.push(rows)
        await client.query("set work_mem = '5MB'")
        client.release(n === 2)
      }
      return heard
    }),
  'pool, many at once': () =>
    pooled(async (pool) => {
      const answers = await Promise.all(
        numbers(60).map((n) => pool.query('select $1::int * 2 as twice', [n])),
      )
      return answers.map(({ rows }) => rows[0]?.twice)
    }, 4),
  'pool, a failed transaction is given back': () =>
    pooled(async (pool) => {
      const client = await pool.connect()
      await client.query('begin')
      const failed = await client.query('select 1 / $1::int', [0]).catch(told)
      const again = await client.query('select 1').catch(told)
      await client.query('rollback')
      client.release()
      return [failed, again, (await pool.query('select 1 as n')).rows]
    }),
  'prepared, with comments and casts to types of users': () =>
    connected(async (client) => {
      const heard: unknown[] = []
      for (const n of numbers(6)) {
        const comment = `/* deallocate all */ select $1::int as prepared_at -- close ${n % 2}`
        heard.push(
          (await client.query({ name: `c${n % 2}`, text: comment, values: [n] })).rows,
          (
            await client.query({
              name: 'mood',
              text: 'select $1::shop.mood as mood, $2::shop.mood[] as moods',
              values: ['sad', ['sad', 'happy']],
            })
          ).rows,
        )
      }
      return heard
    }),
  'prepared again under another text': () =>
    connected(async (client) => {
      await client.query({ name: 'one', text: 'select 1 as n' })
      return client.query({ name: 'one', text: 'select 2 as n' }).catch(told)
    }),
  'several statements, several results': () =>
    connected(async (client) => {
      const results: unknown = await client.query(
        "select 1 as a; insert into shop.spoken values (1, 'x'); update shop.spoken set note = 'y'; delete from shop.spoken; select 2 as b",
      )
      return Array.isArray(results)
        ? results.map(({ command, rowCount, rows }: pg.QueryResult) => [command, rowCount, rows])
        : results
    }),
  'values of every kind': () =>
    connected(async (client) => {
      const values = [new Date(0), Buffer.from([0, 255]), { a: [1, null] }, [1, null, 3], 1.5, 'ä']
      const text =
        'select $1::timestamptz a, $2::bytea b, $3::jsonb c, $4::int[] d, $5::float8 e, $6::text f'
      const asked: pg.QueryConfig & { binary: boolean } = { text, values, binary: true }
      return [(await client.query(text, values)).rows, (await client.query(asked)).rows]
    }),
  cursor: () =>
    connected(async (client) => {
      const cursor = client.query(
        new Cursor(
          'select id, total_cents + 1 as more from shop.orders where id > $1 order by id',
          [5],
        ),
      )
      const sizes = [(await cursor.read(30)).length, (await cursor.read(1))[0]]
      await cursor.close()
      const next = client.query(new Cursor('select n from generate_series(1, 7) s(n)'))
      const heard: unknown[] = []
      for (;;) {
        const rows: unknown[] = await next.read(3)
        heard.push(rows)
        if (rows.length === 0) break
      }
      return [sizes, heard, (await client.query('select 1 as n')).rows]
    }),
  'cursor that fails in its middle': () =>
    connected(async (client) => {
      const cursor = client.query(
        new Cursor('select 6 / (5 - n) as n from generate_series(1, 9) s(n)'),
      )
      const heard: unknown[] = [await cursor.read(3)]
      heard.push(await cursor.read(3).catch(told))
      return [heard, (await client.query('select 1 as n')).rows]
    }),
  'stream of a query, read to its end and left in its middle': () =>
    connected(async (client) => {
      const text = 'select id, lower(status) as status from shop.orders order by id'
      let count = 0
      for await (const _ of client.query(new QueryStream(text, [], { batchSize: 17 }))) count++
      const stream = client.query(new QueryStream(text, [], { batchSize: 10, highWaterMark: 10 }))
      let first: unknown
      for await (const row of stream) {
        first = row
        break
      }
      return [count, first, (await client.query('select 1 as n')).rows]
    }),
  'COPY in and out': () =>
    connected(async (client) => {
      await client.query('begin')
      const into = client.query(copyFrom('copy shop.spoken from stdin'))
      await pipeline(
        Readable.from(numbers(3_000, 1).map((n) => `${n}\t${'x'.repeat(200)}\n`)),
        into,
      )
      let bytes = 0
      const counting = new Writable({
        write(chunk: Buffer, _, done) {
          bytes += chunk.length
          done()
        },
      })
      await pipeline(client.query(copyTo('copy shop.spoken to stdout (format binary)')), counting)
      const out = client.query(
        copyTo('copy (select id from shop.spoken where id < 4 order by id) to stdout'),
      )
      let text = ''
      for await (const chunk of out) text += String(chunk)
      const failing = client.query(copyFrom('copy shop.spoken from stdin'))
      const failed = await pipeline(Readable.from(['not a number\t1\n']), failing).catch(told)
      await client.query('rollback')
      return [into.rowCount, bytes, text, failed, (await client.query('select 1 as n')).rows]
    }),
  'COPY that the client gives up': () =>
    connected(async (client) => {
      const into = client.query(copyFrom('copy shop.spoken from stdin'))
      into.write('5000\tnever\n')
      const over = new Promise((resolve) =>
        into.once('error', (error: unknown) => resolve(told(error))),
      )
      into.destroy(new Error('given up'))
      await over
      return [(await client.query('select count(*)::int as n from shop.spoken')).rows]
    }),
  notifications: () =>
    connected(async (client) => {
      const heard = new Promise((resolve) =>
        client.once('notification', ({ channel, payload }) => resolve([channel, payload])),
      )
      await client.query('listen habits')
      await client.query('select pg_notify($1, $2)', ['habits', '{"id":7}'])
      return heard
    }),
  'errors in their fields': () =>
    connected(async (client) => {
      const wrong = [
        'selec 1',
        'select * from no_such_table',
        'select no_such_column from shop.spoken',
        'insert into shop.spoken values (null)',
        "insert into shop.spoken values (900, 'a'), (900, 'b')",
        'select 1 / 0',
      ]
      const heard: unknown[] = []
      for (const text of wrong) heard.push(await client.query(text).catch(told))
      for (const text of wrong) heard.push(await client.query({ text, name: text }).catch(told))
      return heard
    }),
  'a large insert': () =>
    connected(async (client) => {
      const rows = numbers(5_000, 10_000)
      const places = rows.map((_, at) => `($${2 * at + 1}, $${2 * at + 2})`)
      await client.query('begin')
      const { rowCount } = await client.query(
        `insert into shop.spoken values ${places.join()}`,
        rows.flatMap((n) => [n, 'x'.repeat(100)]),
      )
      await client.query('rollback')
      return rowCount
    }),
  'settings of the connection': async () => {
    const client = new pg.Client({
      ssl,
      ...{ statement_timeout: 60_000, lock_timeout: 50_000 },
      ...{ idle_in_transaction_session_timeout: 70_000, application_name: 'habits' },
      options: '-c work_mem=7MB',
    })
    await client.connect()
    const { rows } = await client.query(
      "select name, setting from pg_settings where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'work_mem') order by 1",
    )
    await client.end()
    return rows
  },
}

/** The fields of node-postgres that tell a program of a refusal and of a hold. */
async function contract(database: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ ssl, database })
  const notices: unknown[] = []
  let session: unknown
  client.on('notice', (notice) => void notices.push(fieldsOf(notice)))
  const parameters = 'connection' in client ? client.connection : undefined
  if (parameters instanceof pg.Connection)
    parameters.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName === 'countersign.session_id') session = parameterValue
    })
  await client.connect()
  try {
    await client.query(sql)
    return 'not refused'
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    return { session, notices, error: fieldsOf(error) }
  } finally {
    await client.end()
  }
}

const fieldsOf = (said: object): unknown => {
  const fields: Readonly<Record<string, unknown>> = { ...said }
  return {
    sqlstate: fields['code'],
    schema: fields['schema'],
    code: fields['constraint'],
    request: fields['table'],
    status: fields['column'],
    deadline: fields['dataType'] ?? null,
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
    await contract(held, "update shop.orders set note = 'node-postgres' where id = 44"),
  )
} else for (const [name, step] of Object.entries(STEPS)) report(name, await step().catch(told))
