/**
 * Captures what real clients send: `node e2e/long/capture.ts` runs a short session of each through a relay to a
 * PostgreSQL without TLS, and writes the bytes to libs/postgres-wire/captures/. One connection, one file.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import postgres from 'postgres'
import { ensureSystemParts, type Postgres, ROOT, startPostgres } from '@countersign/local'
import { program } from '../support/driver.ts'
import { jdbc, pgx, python } from '../support/parts.ts'

/** Runs one session of a client, which finds the relay by this environment of libpq. */
type Play = (env: Readonly<Record<string, string>>) => Promise<void>

const FOLDER = join(ROOT, '.countersign', 'capture')
const CAPTURES = join(ROOT, 'libs', 'postgres-wire', 'captures')
/** Nothing secret: the server ends with this script. */
const PASSWORD = 'capture'
const LONG = import.meta.dirname

/** Starts the server, runs every client once, and writes the bytes that it sent. */
async function capture(): Promise<void> {
  await ensureSystemParts('clients')
  await rm(FOLDER, { recursive: true, force: true })
  await mkdir(FOLDER, { recursive: true })
  await mkdir(CAPTURES, { recursive: true })
  const target = await startPostgres({ dir: FOLDER, port: 26_543 })
  try {
    await prepare(target)
    for (const [name, play] of Object.entries(await clients())) {
      const bytes = await captured(play, target.port)
      await writeFile(join(CAPTURES, `${name}.bin`), bytes)
      process.stdout.write(`${name}: ${bytes.length} bytes\n`)
    }
  } finally {
    await target.stop()
  }
}

/** Creates a role that logs in with its password in clear, as agents do behind TLS, and a table. */
async function prepare(server: Postgres): Promise<void> {
  const admin = new pg.Client({ connectionString: server.adminUrl })
  await admin.connect()
  await writeFile(
    join(FOLDER, 'postgres', 'data', 'pg_hba.conf'),
    'host all agent 127.0.0.1/32 password\nhostssl all all 127.0.0.1/32 scram-sha-256\n',
  )
  await admin.query('select pg_reload_conf()')
  await admin.query(`create role agent login password '${PASSWORD}'`)
  await admin.query('create database items owner agent')
  await admin.end()
  const owner = new pg.Client({ ...libpq(server.port), user: 'agent', password: PASSWORD })
  await owner.connect()
  await owner.query('create table items (id int primary key, name text)')
  await owner.query("insert into items select n, 'item ' || n from generate_series(1, 9) s(n)")
  await owner.end()
}

const libpq = (port: number) => ({ host: '127.0.0.1', port, database: 'items' })

/** The bytes that a client sent on its last connection: pgbench first reads the catalogs on another one. */
async function captured(play: Play, port: number): Promise<Buffer> {
  const connections: Buffer[][] = []
  const relay = createServer((client) => {
    const chunks: Buffer[] = []
    connections.push(chunks)
    const server = connect(port, '127.0.0.1')
    client.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
    })
    client.on('error', () => undefined)
    server.on('error', () => undefined)
    client.pipe(server).pipe(client)
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  await play({
    PATH: process.env['PATH'] ?? '',
    HOME: FOLDER,
    TZ: 'UTC',
    PGHOST: '127.0.0.1',
    PGPORT: String(portOf(relay.address())),
    PGUSER: 'agent',
    PGPASSWORD: PASSWORD,
    PGDATABASE: 'items',
    PGSSLMODE: 'disable',
    PGGSSENCMODE: 'disable',
  })
  relay.close()
  await once(relay, 'close')
  return Buffer.concat(connections.at(-1) ?? [])
}

function portOf(address: AddressInfo | string | null): number {
  assert.ok(address !== null && typeof address !== 'string')
  return address.port
}

/** Runs a client that is a program of its own; it must succeed. */
const runs =
  (file: string, ...args: readonly string[]): Play =>
  async (env) => {
    const run = await program(file, args, { env })
    assert.ok(run.ok, run.stderr)
  }

async function clients(): Promise<Record<string, Play>> {
  const [drivers, classes, built] = [await python(), await jdbc(), await pgx(FOLDER, 'capture')]
  for (const part of [drivers, classes, built])
    if ('missing' in part) throw new Error(`nothing is captured: ${part.missing}`)
  assert.ok('python' in drivers && 'classPath' in classes && 'program' in built)
  const bench = join(FOLDER, 'bench.sql')
  await writeFile(bench, BENCH)
  const script = join(LONG, 'psycopg_capture.py')
  return {
    psql: runs('psql', '-X', '-q', ...PSQL.flatMap((command) => ['-c', command])),
    'pgbench-extended': runs('pgbench', '-n', '-M', 'extended', '-f', bench, '-t', '2'),
    'node-postgres': nodePostgres,
    'postgres-js': postgresJs,
    psycopg: runs(drivers.python, script, 'psycopg'),
    asyncpg: runs(drivers.python, script, 'asyncpg'),
    jdbc: runs('java', '-cp', classes.classPath, join(LONG, 'jdbc', 'Capture.java')),
    pgx: runs(built.program),
  }
}

const nodePostgres: Play = async (env) => {
  const client = new pg.Client({
    ...libpq(Number(env['PGPORT'])),
    user: 'agent',
    password: PASSWORD,
  })
  await client.connect()
  await client.query('select 1; select 2')
  await client.query('select name from items where id = $1', [1])
  for (const id of [1, 2])
    await client.query({ name: 'one', text: 'select name from items where id = $1', values: [id] })
  await client.query('begin')
  await client.query('select 1 / $1::int', [0]).catch(() => undefined)
  await client.query('rollback')
  await client.query({ name: 'binary', text: 'select $1::bytea', values: [Buffer.of(0, 255)] })
  await client.end()
}

const postgresJs: Play = async (env) => {
  const sql = postgres({
    ...libpq(Number(env['PGPORT'])),
    ...{ user: 'agent', password: PASSWORD, max: 1, onnotice: () => undefined },
  })
  for (const id of [1, 2]) await sql`select name from items where id = ${id}`
  await sql`select 1`.simple()
  await sql`select id from items order by id`.cursor(4, () => undefined)
  await sql
    .begin(async (tx) => {
      await tx`update items set name = ${'postgres.js'} where id = ${1}`
      await tx`select 1 / ${0}::int`
    })
    .catch(() => undefined)
  const into = await sql`copy items (id, name) from stdin`.writable()
  into.write('601\tä\n')
  into.end('602\t\\N\n')
  await once(into, 'finish')
  await sql.end()
}

const PSQL = [
  'select 1; select 2',
  'select 1 / 0',
  '\\dt',
  "\\copy (select id from items where id < 3) to '/dev/null'",
  "\\copy items (id, name) from program 'echo 701,ä' with (format csv)",
]
const BENCH = `\\set id random(1, 1)
select name from items where id = :id;
\\startpipeline
begin;
update items set name = 'pgbench' where id = :id;
end;
\\endpipeline
`

await capture()
