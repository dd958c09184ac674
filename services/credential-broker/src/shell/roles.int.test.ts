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
import {
  creatable,
  forgetDefaultPrivileges,
  inheritFrom,
  lendRoles,
  mirrorDefaultPrivileges,
  prepareMaker,
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

/** Statements that make something, each with the object that it makes. */
const MADE: Readonly<Record<string, string>> = {
  'CREATE TABLE shop.made (id serial PRIMARY KEY, kind int)': 'table shop.made',
  'CREATE VIEW shop.peek AS SELECT id, name FROM shop.customers': 'view shop.peek',
  'CREATE MATERIALIZED VIEW shop.sums AS SELECT count(*) FROM shop.orders':
    'materialized view shop.sums',
  "CREATE FUNCTION shop.one() RETURNS int LANGUAGE sql AS 'SELECT 1'": 'function shop.one()',
  "CREATE PROCEDURE shop.two() LANGUAGE sql AS 'SELECT 2'": 'procedure shop.two()',
  'CREATE AGGREGATE shop.total(int) (SFUNC = int4pl, STYPE = int)': 'aggregate shop.total(integer)',
  "CREATE TYPE shop.mood AS ENUM ('fine')": 'type shop.mood',
  'CREATE TYPE shop.pair AS (a int, b int)': 'type shop.pair',
  'CREATE DOMAIN shop.small AS int CHECK (VALUE < 10)': 'type shop.small',
  'CREATE SEQUENCE shop.numbers': 'sequence shop.numbers',
  'CREATE STATISTICS shop.stat ON id, kind FROM shop.made': 'statistics object shop.stat',
  'CREATE OPERATOR shop.@@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl)':
    'operator shop.@@@(integer,integer)',
  'CREATE COLLATION shop.plain FROM "C"': 'collation shop.plain',
  'CREATE TEXT SEARCH CONFIGURATION shop.words (COPY = simple)':
    'text search configuration shop.words',
}

test('what a raised role made goes to the owner, and is as open to others as what the owner makes', async () => {
  const role = 'cs_shop_prod_1'
  const { username, password } = new URL(postgres.adminUrl)
  await using admin = await connected(username, password)
  await admin.query(
    `ALTER DEFAULT PRIVILEGES FOR ROLE shop_prod_owner REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
     ALTER DEFAULT PRIVILEGES FOR ROLE shop_prod_owner IN SCHEMA shop GRANT EXECUTE ON ROUTINES TO shop_prod_reader;
     ALTER DEFAULT PRIVILEGES FOR ROLE shop_prod_owner GRANT USAGE ON SEQUENCES TO shop_prod_writer;
     GRANT CREATE ON DATABASE shop_prod TO shop_prod_owner`,
  )
  await using broker = await connected(login.user, login.password)
  await using agent = await opened(broker, role)
  await mirrorDefaultPrivileges(broker, role, 'shop_prod_owner')
  await mirrorDefaultPrivileges(broker, role, 'shop_prod_owner')
  await lendRoles(broker, role, OWNER)
  for (const sql of Object.keys(MADE)) await agent.query(sql)
  await agent.query('CREATE SCHEMA more; CREATE TABLE more.t (id int)')
  // A privilege that the same text revokes stays revoked.
  await agent.query(
    'CREATE TABLE shop.closed (id int); REVOKE SELECT ON shop.closed FROM shop_prod_reader',
  )
  await takeRolesBack(broker, role, OWNER)
  const left = await inheritFrom(broker, role, 'shop_prod_owner')
  assert.deepEqual(left.quarantined, [])
  const more = ['schema more', 'table more.t', 'table shop.closed']
  assert.deepEqual(
    left.transferred.map((one) => one.replaceAll('pg_catalog.', '')).toSorted(),
    [...Object.values(MADE), ...more].toSorted(),
  )
  // Nothing depends on the role any more, so that it serves the next session.
  await forgetDefaultPrivileges(broker, role)
  await returnRole(broker, role, 'shop_prod')
  const kept = await broker.query('SELECT FROM pg_roles WHERE rolname = $1', [role])
  assert.equal(kept.rowCount, 1)
  const lentToOwner = await broker.query<{ role: string }>(MEMBERSHIPS, ['shop_prod_owner'])
  assert.deepEqual(lentToOwner.rows, [])

  // The same objects, made by the owner itself, have the same privileges.
  await admin.query('SET ROLE shop_prod_owner; CREATE TABLE shop.of_owner (id int)')
  await admin.query("CREATE FUNCTION shop.of_owner() RETURNS int LANGUAGE sql AS 'SELECT 1'")
  await admin.query('CREATE SEQUENCE shop.of_owner_numbers; RESET ROLE')
  await admin.query(
    'REVOKE CREATE ON DATABASE shop_prod FROM shop_prod_owner; DROP SCHEMA more CASCADE',
  )
  const openTo = async (name: string): Promise<string[]> => {
    const { rows } = await admin.query<{ item: string }>(
      name.endsWith('()')
        ? 'SELECT a::text AS item FROM pg_proc, unnest(proacl) a WHERE pg_proc.oid = $1::regprocedure ORDER BY 1'
        : 'SELECT a::text AS item FROM pg_class, unnest(relacl) a WHERE pg_class.oid = $1::regclass ORDER BY 1',
      [name],
    )
    return rows.map(({ item }) => item)
  }
  for (const [made, byOwner] of [
    ['shop.made', 'shop.of_owner'],
    ['shop.numbers', 'shop.of_owner_numbers'],
    ['shop.one()', 'shop.of_owner()'],
  ] as const)
    assert.deepEqual(await openTo(made), await openTo(byOwner), made)
  await using next = await opened(broker, 'cs_shop_prod_2')
  assert.equal((await next.query('SELECT * FROM shop.made, shop.peek LIMIT 1')).rowCount, 0)
  assert.equal((await next.query('SELECT shop.one()')).rowCount, 1)
  await assert.rejects(next.query('SELECT * FROM shop.closed'), { code: '42501' })
  await assert.rejects(next.query('INSERT INTO shop.made VALUES (1, 1)'), { code: '42501' })
  await assert.rejects(next.query('CREATE OR REPLACE VIEW shop.peek AS SELECT 1'), {
    code: '42501',
  })
})

test('where the profile names no owner, what a role made stays with it, and it is put aside', async () => {
  const role = 'cs_shop_prod_11'
  await using broker = await connected(login.user, login.password)
  await using agent = await opened(broker, role)
  await lendRoles(broker, role, OWNER)
  await agent.query('CREATE TABLE shop.orphan (id int)')
  await takeRolesBack(broker, role, OWNER)
  await shutOut(broker, role)
  assert.deepEqual(await inheritFrom(broker, role, null), { transferred: [], quarantined: [] })
  await returnRole(broker, role, 'shop_prod')
  const { rows } = await broker.query(
    `SELECT rolcanlogin AS "logsIn" FROM pg_roles
      WHERE oid = (SELECT relowner FROM pg_class WHERE oid = 'shop.orphan'::regclass)`,
  )
  assert.deepEqual(rows, [{ logsIn: false }])
})

test('where base roles may create, what one session makes is every session’s, and none of it the owner’s', async () => {
  const { username, password } = new URL(postgres.adminUrl)
  await using admin = await connected(username, password)
  await admin.query(
    'GRANT CREATE ON SCHEMA shop TO shop_prod_reader; GRANT TEMP ON DATABASE shop_prod TO shop_prod_reader',
  )
  await using broker = await connected(login.user, login.password)
  for (let twice = 0; twice < 2; twice++) await prepareMaker(broker, MAKER, BASE)
  await using first = await opened(broker, 'cs_shop_prod_12', MAKER)
  await first.query(
    "CREATE TABLE shop.free (id serial, mood int); CREATE FUNCTION shop.sly() RETURNS name LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user'",
  )
  await first.query("CREATE TEMP TABLE scratch (id int); CREATE TYPE shop.feeling AS ENUM ('fine')")
  await using other = await opened(broker, 'cs_shop_prod_13', MAKER)
  await other.query(
    'INSERT INTO shop.free (mood) VALUES (1); ALTER TABLE shop.free ADD COLUMN more int',
  )
  const { rows } = await other.query<{ sly: string }>('SELECT shop.sly()')
  assert.deepEqual(rows, [{ sly: MAKER }])
  for (const sql of [
    'DELETE FROM shop.orders',
    'ALTER TABLE shop.orders ADD COLUMN x int',
    'SET ROLE shop_prod_owner',
  ])
    await assert.rejects(other.query(sql), { code: '42501' }, sql)
  // Objects that people approved are made by the session's own role, and go to the owner.
  await lendRoles(broker, 'cs_shop_prod_12', OWNER)
  await first.query('SET ROLE NONE')
  await first.query('CREATE TABLE shop.approved (id int)')
  await first.query('RESET ROLE')
  await takeRolesBack(broker, 'cs_shop_prod_12', OWNER)
  const left = await inheritFrom(broker, 'cs_shop_prod_12', 'shop_prod_owner')
  assert.deepEqual(left.transferred, ['table shop.approved'])
  await assert.rejects(first.query('ALTER TABLE shop.approved ADD COLUMN x int'), { code: '42501' })
  // Once its profile may not create any more, the role acts as itself again.
  await using strict = await opened(broker, 'cs_shop_prod_12')
  const acts = await strict.query('SELECT current_user = session_user AS same')
  assert.deepEqual(acts.rows, [{ same: true }])
  await admin.query(
    'REVOKE CREATE ON SCHEMA shop FROM shop_prod_reader; REVOKE TEMP ON DATABASE shop_prod FROM shop_prod_reader',
  )
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
  const step: Step = { do: 'revoke', intent, profile, reason: 'Failed', leftNothing: false }
  const perform = performer({
    admins,
    descriptions: descriptionsOf({ admins, clock: systemClock, onDescribed: () => undefined }),
    clock: systemClock,
    logger: silent,
    profileOf: () => profile,
  })
  await assert.rejects(
    perform(session, step, { lent: OWNER, mayLeave: false, lookFailure: null }),
    { code: '55P03' },
  )
  await gone
  const held = await broker.query<{ role: string }>(MEMBERSHIPS, [role])
  assert.deepEqual(
    held.rows.map((membership) => membership.role),
    BASE,
  )
  const [followed] = await perform(session, step, {
    lent: OWNER,
    mayLeave: true,
    lookFailure: null,
  })
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
  // A role that a superuser granted cannot be taken back by the broker: then no session gets the role.
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

test('a role that somebody else granted too keeps no other from being taken back', async () => {
  await using broker = await connected(login.user, login.password)
  const role = 'cs_shop_prod_11'
  await (await opened(broker, role)).end()
  const lent = ['shop_prod_owner', 'shop_prod_writer']
  await lendRoles(broker, role, lent)
  const { username, password } = new URL(postgres.adminUrl)
  await using admin = await connected(username, password)
  await admin.query(`GRANT shop_prod_owner TO ${role}`)
  await assert.rejects(takeRolesBack(broker, role, lent), { code: 'CS_CREDENTIAL_FAILED' })
  const { rows } = await admin.query(
    'SELECT roleid::regrole::text AS role FROM pg_auth_members WHERE member = $1::regrole AND roleid::regrole::text = ANY($2)',
    [role, lent],
  )
  assert.deepEqual(rows, [{ role: 'shop_prod_owner' }])
  await admin.query(`REVOKE shop_prod_owner FROM ${role}`)
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

async function opened(
  broker: pg.Client,
  role: string,
  maker: string | null = null,
): Promise<Connected> {
  const password = newPassword()
  passwords.push(password)
  await prepareRole(broker, {
    role,
    database: 'shop_prod',
    baseRoles: BASE,
    maker,
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

const MAKER = 'cs_shop_prod_maker'
const BASE = ['shop_prod_reader']
const OWNER = ['shop_prod_owner']
