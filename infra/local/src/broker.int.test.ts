import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { postgresForTests, type PostgresForTests } from './containers/for-tests.ts'
import { type Instance, takeInstance } from './instance.ts'
import { scramVerifier } from './scram.ts'
import { type BrokerLogin, seedShop, urlOf } from './seed.ts'

let instance: Instance
let postgres: PostgresForTests
let login: BrokerLogin

before(async () => {
  instance = await takeInstance('broker-test')
  postgres = await postgresForTests({ dir: instance.dir, port: instance.ports.postgres })
  login = await seedShop(postgres.adminUrl)
})

after(async () => {
  await postgres.stop()
  await instance.release()
})

test('the broker makes a role that reads, raises and lowers it while it is connected, ends and drops it', async () => {
  await using broker = await connected(login.user, login.password)
  await created(broker, 'cs_x', 'x-password')
  const agent = await connected('cs_x', 'x-password')
  const { rows } = await agent.query('SELECT count(*)::int AS count FROM shop.customers')
  assert.deepEqual(rows, [{ count: 200 }])
  const alter = 'ALTER TABLE shop.orders ADD COLUMN shipped_at timestamptz'
  await assert.rejects(agent.query(alter), { code: '42501' })

  await broker.query('GRANT shop_prod_owner TO cs_x WITH INHERIT TRUE, SET FALSE')
  await agent.query(alter)
  await agent.query('CREATE TABLE shop.made_by_agent (id int)')
  await assert.rejects(agent.query('SET ROLE shop_prod_owner'), { code: '42501' })
  await broker.query('REVOKE shop_prod_owner FROM cs_x')
  await assert.rejects(agent.query('ALTER TABLE shop.orders DROP COLUMN shipped_at'), {
    code: '42501',
  })

  await broker.query('ALTER TABLE shop.made_by_agent OWNER TO shop_prod_owner')
  const ended = new Promise((resolve) => agent.once('end', resolve))
  const { rows: terminated } = await broker.query(
    "SELECT pg_terminate_backend(pid, 5000) AS done FROM pg_stat_activity WHERE usename = 'cs_x'",
  )
  assert.deepEqual(terminated, [{ done: true }])
  await ended
  await broker.query('DROP OWNED BY cs_x')
  await broker.query('DROP ROLE cs_x')
  await assert.rejects(connected('cs_x', 'x-password'), { code: '28P01' })
})

test('a role of an agent can make nothing, not even for itself, and cannot reach another environment', async () => {
  await using broker = await connected(login.user, login.password)
  await created(broker, 'cs_y', 'y-password')
  await assert.rejects(connected('cs_y', 'y-password', 'shop_dev'), { code: '42501' })
  await using agent = await connected('cs_y', 'y-password')
  for (const forbidden of [
    'CREATE TABLE public.t (id int)',
    'CREATE TABLE shop.t (id int)',
    'CREATE TEMP TABLE t (id int)',
    'CREATE SCHEMA s',
    'INSERT INTO shop.products VALUES (999, $$x$$, 1)',
    'SET ROLE shop_prod_owner',
    'SET ROLE countersign_broker',
  ]) {
    await assert.rejects(agent.query(forbidden), { code: '42501' }, forbidden)
  }
  await assert.rejects(connected('cs_y', 'y-password'), { code: '53300' }, 'a second connection')
})

// While a role of an agent exists, the broker inherits its right to read; it must, to drop what the role owns.
test('with no agent there, the broker reads no row; it is no superuser, and becomes nobody but owners', async () => {
  await using broker = await connected(login.user, login.password)
  await broker.query('DROP OWNED BY cs_y')
  await broker.query('DROP ROLE cs_y')
  for (const forbidden of [
    'SELECT * FROM shop.customers',
    'CREATE ROLE cs_root SUPERUSER',
    'SET ROLE postgres',
    'SET ROLE shop_prod_reader',
    "COPY (SELECT 1) TO PROGRAM 'true'",
  ]) {
    await assert.rejects(broker.query(forbidden), { code: '42501' }, forbidden)
  }
})

test('no connection without TLS is taken', async () => {
  const { user, password } = login
  const client = new pg.Client({
    host: '127.0.0.1',
    port: postgres.port,
    database: 'shop_prod',
    user,
    password,
  })
  await assert.rejects(client.connect(), { code: '28000' })
})

test('the log of the server holds what each role asked, and nothing of the seed', () => {
  const log = readFileSync(postgres.logFile, 'utf8')
  assert.match(log, /user=cs_x db=shop_prod app=\S* LOG: {2}statement: SELECT count/)
  assert.ok(!log.includes('@example.com'), 'rows of the seed')
  assert.ok(!log.includes(login.password), 'the password of the broker')
})

async function created(broker: pg.Client, role: string, password: string): Promise<void> {
  await broker.query(
    `CREATE ROLE ${role} LOGIN NOINHERIT CONNECTION LIMIT 1 PASSWORD '${scramVerifier(password)}' VALID UNTIL '2099-01-01'`,
  )
  await broker.query(`GRANT shop_prod_reader TO ${role} WITH INHERIT TRUE, SET FALSE`)
}

async function connected(
  user: string,
  password: string,
  database = 'shop_prod',
): Promise<pg.Client & AsyncDisposable> {
  const url = new URL(urlOf(postgres.adminUrl, database))
  url.username = user
  url.password = password
  const client = new pg.Client({ connectionString: url.href })
  client.on('error', () => undefined)
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
