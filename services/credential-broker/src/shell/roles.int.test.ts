import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { Secret, systemClock } from '@countersign/kernel'
import {
  type BrokerLogin,
  type Instance,
  postgresForTests,
  type PostgresForTests,
  seedShop,
  takeInstance,
  urlOf,
} from '@countersign/local'
import { scramVerifier } from '@countersign/postgres-wire'
import type { Step } from '../core/credential.ts'
import { intended, profile, session } from '../core/examples.ts'
import { MEMBERSHIPS } from '../core/sql/role-queries.ts'
import { QUARANTINE } from '../core/sql/role-statements.ts'
import {
  creatable,
  inheritFrom,
  lendRoles,
  prepareRole,
  returnRole,
  shutOut,
  takeRolesBack,
} from './roles.ts'
import { descriptionsOf } from './descriptions.ts'
import { performer } from './perform.ts'
import { newPassword, type TargetAdmins } from './target-admin.ts'

let instance: Instance
let postgres: PostgresForTests
let login: BrokerLogin
const passwords: string[] = []

before(async () => {
  instance = await takeInstance('broker-roles')
  postgres = await postgresForTests({ dir: instance.dir, port: instance.ports.postgres })
  login = await seedShop(postgres.adminUrl)
})

after(async () => {
  await postgres.stop()
  await instance.release()
})

test('a lent role lets the statement run, and taken back does not, on the same connection', async () => {
  await using broker = await connected(login.user, login.password)
  await using agent = await opened(broker, 'cs_shop_prod_0')
  const alter = 'ALTER TABLE shop.orders ADD COLUMN shipped_at timestamptz'
  await assert.rejects(agent.query(alter), { code: '42501' })
  await lendRoles(broker, 'cs_shop_prod_0', OWNER)
  await agent.query(alter)
  await assert.rejects(agent.query('SET ROLE shop_prod_owner'), { code: '42501' })
  await takeRolesBack(broker, 'cs_shop_prod_0', OWNER)
  await assert.rejects(agent.query('ALTER TABLE shop.orders DROP COLUMN shipped_at'), {
    code: '42501',
  })
})

test('a table goes to the owner with its sequence; code goes to a role without any power', async () => {
  await using broker = await connected(login.user, login.password)
  await using agent = await opened(broker, 'cs_shop_prod_1')
  await lendRoles(broker, 'cs_shop_prod_1', OWNER)
  await agent.query('CREATE TABLE shop.made (id serial PRIMARY KEY)')
  await agent.query(`CREATE FUNCTION shop.run(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    AS 'BEGIN EXECUTE q; END'`)
  await agent.query('CREATE VIEW shop.peek AS SELECT email FROM shop.customers')
  await takeRolesBack(broker, 'cs_shop_prod_1', OWNER)
  const left = await inheritFrom(broker, 'cs_shop_prod_1', 'shop_prod_owner')
  assert.deepEqual(left.transferred, ['table shop.made'])
  assert.deepEqual(left.quarantined.toSorted(), [
    'function shop.run(pg_catalog.text)',
    'view shop.peek',
  ])

  await using next = await opened(broker, 'cs_shop_prod_2')
  await assert.rejects(next.query("SELECT shop.run('DROP TABLE shop.orders')"), { code: '42501' })
  await assert.rejects(next.query('SELECT * FROM shop.peek'), { code: '42501' })
  const { rows } = await broker.query(
    `SELECT has_schema_privilege($1, 'shop', 'CREATE') AS creates,
            (SELECT rolcanlogin FROM pg_roles WHERE rolname = $1) AS "logsIn"`,
    [QUARANTINE],
  )
  assert.deepEqual(rows, [{ creates: false, logsIn: false }])
})

test('a role that is shut out has no backend and takes no login', async () => {
  await using broker = await connected(login.user, login.password)
  const agent = await opened(broker, 'cs_shop_prod_3')
  const gone = new Promise((resolve) => agent.once('end', resolve))
  assert.equal(await shutOut(broker, 'cs_shop_prod_3'), 1)
  await gone
  await assert.rejects(connected('cs_shop_prod_3', passwords.at(-1) ?? ''), { code: '28P01' })
})

test('an agent that keeps the row of its role locked does not keep its connection', async () => {
  await using broker = await connected(login.user, login.password)
  const agent = await opened(broker, 'cs_shop_prod_7')
  const gone = new Promise((resolve) => agent.once('end', resolve))
  await agent.query('BEGIN')
  await agent.query(`ALTER ROLE CURRENT_USER PASSWORD 'of the agent'`)
  await broker.query(`SET statement_timeout = '200ms'`)
  await assert.rejects(shutOut(broker, 'cs_shop_prod_7'), { code: '57014' })
  await gone
  assert.equal(await shutOut(broker, 'cs_shop_prod_7'), 0)
})

test('a table that somebody locks keeps neither the connection nor the raise; in the end the role is put aside with it', async () => {
  const role = 'cs_shop_prod_8'
  await using broker = await connected(login.user, login.password)
  const agent = await opened(broker, role)
  const gone = new Promise((resolve) => agent.once('end', resolve))
  await lendRoles(broker, role, OWNER)
  await agent.query('CREATE TABLE shop.busy (id int)')
  const { username, password } = new URL(postgres.adminUrl)
  await using admin = await connected(username, password)
  await admin.query('BEGIN')
  await admin.query('LOCK TABLE shop.busy IN ACCESS SHARE MODE')

  const intent = intended(role)
  assert.ok(intent.type === 'CredentialIntended')
  const step: Step = { do: 'revoke', intent, profile, reason: 'Failed' }
  const perform = performer({
    admins,
    descriptions: descriptionsOf({ admins, clock: systemClock, onDescribed: () => undefined }),
    clock: systemClock,
    logger: silent,
    profileOf: () => profile,
  })
  await assert.rejects(perform(session, step, { lent: OWNER, mayLeave: false }), { code: '55P03' })
  await gone
  const held = await broker.query<{ role: string }>(MEMBERSHIPS, [role])
  assert.deepEqual(
    held.rows.map((membership) => membership.role),
    BASE,
  )
  const [followed] = await perform(session, step, { lent: OWNER, mayLeave: true })
  assert.equal(followed?.message.type, 'CredentialRevoked')
  const { rows } = await broker.query(
    `SELECT rolcanlogin AS "logsIn" FROM pg_roles WHERE rolname ~ '^cs_retired_.*shop_prod_8$'`,
  )
  assert.deepEqual(rows, [{ logsIn: false }])
})

test('the next session of a role inherits no setting, no password and no raise of the one before', async () => {
  await using broker = await connected(login.user, login.password)
  const agent = await opened(broker, 'cs_shop_prod_4')
  await agent.query('ALTER ROLE CURRENT_USER SET search_path = elsewhere')
  await lendRoles(broker, 'cs_shop_prod_4', OWNER)
  await shutOut(broker, 'cs_shop_prod_4')
  await returnRole(broker, 'cs_shop_prod_4', 'shop_prod')
  const before = passwords.at(-1) ?? ''
  {
    await using next = await opened(broker, 'cs_shop_prod_4')
    const { rows } = await next.query<{ search_path: string }>('SHOW search_path')
    assert.deepEqual(rows, [{ search_path: '"$user", public' }])
    await assert.rejects(next.query('CREATE TABLE shop.t (id int)'), { code: '42501' })
  }
  await assert.rejects(connected('cs_shop_prod_4', before), { code: '28P01' })
})

test('a base role that the role could become, or lend on, is lent anew without that', async () => {
  await using broker = await connected(login.user, login.password)
  await (await opened(broker, 'cs_shop_prod_9')).end()
  for (const role of [...BASE, ...OWNER])
    await broker.query(`GRANT ${role} TO cs_shop_prod_9 WITH INHERIT TRUE, SET TRUE`)
  {
    await using next = await opened(broker, 'cs_shop_prod_9')
    assert.equal((await next.query('SELECT 1 FROM shop.orders LIMIT 1')).rowCount, 1)
    for (const role of [...BASE, ...OWNER])
      await assert.rejects(next.query(`SET ROLE ${role}`), { code: '42501' })
  }
  // What a superuser granted the broker cannot take back: then no session gets the role.
  const { username, password } = new URL(postgres.adminUrl)
  await using admin = await connected(username, password)
  await admin.query('GRANT shop_prod_owner TO cs_shop_prod_9 WITH SET TRUE')
  await assert.rejects(opened(broker, 'cs_shop_prod_9'), { code: '42501' })
})

test('a role that was left open is closed, with its connection, before it is lent again', async () => {
  await using broker = await connected(login.user, login.password)
  const before = await opened(broker, 'cs_shop_prod_10')
  const ended = new Promise((resolve) => before.once('error', resolve))
  await using next = await opened(broker, 'cs_shop_prod_10')
  await ended
  assert.equal((await next.query('SELECT 1')).rowCount, 1)
})

test('a role on which a grant still hangs is put aside, and its name makes a fresh one', async () => {
  await using broker = await connected(login.user, login.password)
  await (await opened(broker, 'cs_shop_prod_5')).end()
  const { username, password } = new URL(postgres.adminUrl)
  await using admin = await connected(username, password)
  await admin.query('GRANT DELETE ON shop.orders TO cs_shop_prod_5')
  await shutOut(broker, 'cs_shop_prod_5')
  await returnRole(broker, 'cs_shop_prod_5', 'shop_prod')
  await using fresh = await opened(broker, 'cs_shop_prod_5')
  await assert.rejects(fresh.query('DELETE FROM shop.orders'), { code: '42501' })
})

test('what no role can be given is put aside together with the role, and does not stop the end', async () => {
  await using broker = await connected(login.user, login.password)
  const agent = await opened(broker, 'cs_shop_prod_6')
  await agent.query('ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC')
  await agent.query('SELECT lo_create(0)')
  await shutOut(broker, 'cs_shop_prod_6')
  const left = await inheritFrom(broker, 'cs_shop_prod_6', 'shop_prod_owner')
  assert.deepEqual(left, { transferred: [], quarantined: [] })
  await returnRole(broker, 'cs_shop_prod_6', 'shop_prod')
  const { rows } = await broker.query(
    'SELECT rolcanlogin AS "logsIn" FROM pg_roles WHERE rolname ~ \'^cs_retired_.*shop_prod_6$\'',
  )
  assert.deepEqual(rows, [{ logsIn: false }])
})

test('base roles that may create are found, with what to run', async () => {
  await using broker = await connected(login.user, login.password)
  assert.equal(await creatable(broker, BASE), null)
  assert.match((await creatable(broker, OWNER)) ?? '', /REVOKE CREATE ON SCHEMA shop/)
})

test('no password is in the log of the target', () => {
  const log = readFileSync(postgres.logFile, 'utf8')
  assert.ok(log.includes('PASSWORD'), 'the log holds what the broker asked')
  assert.ok(passwords.length > 0)
  for (const password of passwords) assert.ok(!log.includes(password))
})

async function opened(broker: pg.Client, role: string): Promise<Connected> {
  const password = newPassword()
  passwords.push(password)
  await prepareRole(broker, {
    role,
    database: 'shop_prod',
    baseRoles: BASE,
    verifier: scramVerifier(new Secret(password), randomBytes(16), 4_096),
    validUntil: '2099-01-01',
  })
  return connected(role, password)
}

async function connected(user: string, password: string): Promise<Connected> {
  const url = new URL(urlOf(postgres.adminUrl, 'shop_prod'))
  url.username = user
  url.password = password
  const client = new pg.Client({ connectionString: url.href })
  client.on('error', () => undefined)
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

const admins: TargetAdmins = {
  async on(_profile, run) {
    await using client = await connected(login.user, login.password)
    return await run(client)
  },
  [Symbol.asyncDispose]: async () => undefined,
}
const silent = { debug() {}, info() {}, warn() {}, error() {} }

type Connected = pg.Client & AsyncDisposable

const BASE = ['shop_prod_reader']
const OWNER = ['shop_prod_owner']
