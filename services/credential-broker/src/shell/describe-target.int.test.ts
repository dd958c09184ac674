import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { systemClock } from '@countersign/kernel'
import {
  type Instance,
  postgresForTests,
  type PostgresForTests,
  seedShop,
  takeInstance,
} from '@countersign/local'
import { profile } from '../core/examples.ts'
import { functionClass } from '@countersign/statements'
import { describeTarget, extentOf } from './describe-target.ts'
import { descriptionsOf } from './descriptions.ts'

let instance: Instance
let postgres: PostgresForTests
let admin: pg.Client

before(async () => {
  instance = await takeInstance('broker-descriptions')
  postgres = await postgresForTests({ dir: instance.dir, port: instance.ports.postgres })
  await seedShop(postgres.adminUrl)
  const url = new URL(postgres.adminUrl)
  url.pathname = '/shop_prod'
  admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
})

after(async () => {
  await admin.end()
  await postgres.stop()
  await instance.release()
})

test('a partition and an inheriting table say of what', async () => {
  await admin.query(`
    CREATE TABLE shop.visits (at date NOT NULL, who text) PARTITION BY RANGE (at);
    CREATE TABLE shop.visits_2024 PARTITION OF shop.visits
      FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE shop.vips (rank integer) INHERITS (shop.customers)`)
  const { relations } = await describeTarget(admin, profile)
  const byName = new Map(relations.map((relation) => [relation.name, relation]))
  const parents = (name: string) => byName.get(name)?.inherits
  assert.deepEqual(parents('visits'), [])
  assert.deepEqual(parents('visits_2024'), [byName.get('visits')?.oid])
  assert.deepEqual(parents('vips'), [byName.get('customers')?.oid])
})

test('a column says which fields the composite values in it have, at any depth', async () => {
  await admin.query(`
    CREATE TYPE shop.place AS (street text, at point);
    CREATE DOMAIN shop.known_place AS shop.place;
    CREATE TYPE shop.person AS (name text, homes shop.known_place[]);
    CREATE TABLE shop.kept (id integer, who shop.person, old shop.customers[])`)
  const { relations } = await describeTarget(admin, profile)
  const columns = relations.find(({ name }) => name === 'kept')?.columns ?? []
  const [id, who, old] = columns.map(({ fields }) =>
    fields.map(({ schema, type, name }) => `${schema}.${type}.${name}`),
  )
  assert.deepEqual(id, [])
  assert.deepEqual(who, [
    ...['shop.person.name', 'shop.person.homes', 'shop.place.street', 'shop.place.at'],
  ])
  assert.ok(old?.includes('shop.customers.email'))
  await admin.query(
    'DROP TABLE shop.kept; DROP TYPE shop.person; DROP DOMAIN shop.known_place; DROP TYPE shop.place',
  )
})

test('whatever changes a description changes the extent too, and what does not costs nothing', async () => {
  const changes = [
    'CREATE FUNCTION shop.answer() RETURNS integer LANGUAGE sql IMMUTABLE RETURN 42',
    'CREATE OR REPLACE FUNCTION shop.answer() RETURNS integer LANGUAGE sql VOLATILE RETURN 42',
    'ALTER FUNCTION shop.answer() RENAME TO reply',
    'DROP FUNCTION shop.reply()',
    'CREATE VIEW shop.contacts AS SELECT id, email AS contact FROM shop.customers',
    'CREATE OR REPLACE VIEW shop.contacts AS SELECT id, phone AS contact FROM shop.customers',
    'ALTER TABLE shop.orders ADD seen text GENERATED ALWAYS AS (lower(note)) STORED',
    'ALTER TABLE shop.orders ALTER seen SET EXPRESSION AS (upper(status))',
    'ALTER TABLE shop.orders RENAME COLUMN note TO remark',
    'ALTER TABLE shop.orders RENAME TO purchases',
    'CREATE DOMAIN shop.short AS text CHECK (length(VALUE) < 9)',
    'CREATE FUNCTION shop.checks(text) RETURNS boolean LANGUAGE sql RETURN true',
    'ALTER DOMAIN shop.short ADD CONSTRAINT more CHECK (shop.checks(VALUE))',
    'ALTER DOMAIN shop.short DROP CONSTRAINT more',
    "CREATE TYPE shop.mood AS ENUM ('sad')",
    'ALTER TABLE shop.visits DETACH PARTITION shop.visits_2024',
    'CREATE DOMAIN shop.small AS integer CHECK (VALUE < 10)',
    'ALTER DOMAIN shop.small RENAME TO tiny',
    'CREATE OPERATOR shop.@#@ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = shop.noisy)',
    'DROP OPERATOR shop.@#@ (integer, integer)',
    'ALTER SCHEMA shop RENAME TO store',
    'ALTER SCHEMA store RENAME TO shop',
    'ALTER DATABASE shop_prod SET search_path = shop, public',
    'ALTER DATABASE shop_prod RESET search_path',
  ]
  await admin.query(
    'CREATE FUNCTION shop.noisy(integer, integer) RETURNS integer LANGUAGE sql VOLATILE RETURN 1',
  )
  for (const change of changes) {
    const before = await looks()
    await admin.query(change)
    const after = await looks()
    assert.notEqual(after.version, before.version, change)
    assert.notEqual(after.extent, before.extent, change)
  }
  const { extent } = await looks()
  for (const upkeep of ['ANALYZE shop.customers', 'VACUUM shop.customers', 'CREATE ROLE somebody'])
    await admin.query(upkeep)
  assert.equal((await looks()).extent, extent)
})

test('nothing that this server brings is without a class', async () => {
  const { rows } = await admin.query<{ name: string }>(
    "SELECT DISTINCT proname AS name FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace",
  )
  assert.deepEqual(
    rows.map(({ name }) => name).filter((name) => functionClass(name) === null),
    [],
  )
  const { systemColumns } = await describeTarget(admin, profile)
  // Only columns that are known to show values of users are masked.
  const unexpected = systemColumns.filter(
    ({ relation, column }) =>
      !SHOWING_VALUES.some((pattern) => pattern.test(`${relation}.${column}`)),
  )
  assert.deepEqual(unexpected, [])
  const named = new Set(systemColumns.map(({ relation, column }) => `${relation}.${column}`))
  for (const name of [
    'pg_stats.histogram_bounds',
    'pg_statistic.stavalues1',
    'pg_proc.prosrc',
    'pg_proc.proconfig',
  ])
    assert.ok(named.has(name), name)
})

test('a view over what PostgreSQL itself has depends on it, tables with fixed OIDs too', async () => {
  await admin.query(`
    CREATE VIEW shop.guesses AS SELECT attname, histogram_bounds::text AS bounds FROM pg_stats;
    CREATE VIEW shop.samples AS SELECT starelid, stavalues1::text AS bounds FROM pg_statistic`)
  const { relations, systemColumns } = await describeTarget(admin, profile)
  for (const [view, below] of [
    ['guesses', 'pg_stats'],
    ['samples', 'pg_statistic'],
  ] as const) {
    const masked = new Set(
      systemColumns
        .filter(({ relation }) => relation === below)
        .map(({ relationOid }) => relationOid),
    )
    const found = relations.find(({ name }) => name === view)
    assert.ok(
      found?.dependsOn.some(({ relationOid }) => masked.has(relationOid)),
      view,
    )
  }
})

test('a row that a view or a rule uses as a whole is a dependency on all of its columns, whatever else it names', async () => {
  await admin.query(`
    CREATE TABLE shop.vault (id integer, email text, city text);
    CREATE TABLE shop.plain (id integer, town text);
    CREATE TABLE shop.inbox (id integer, body text);
    CREATE FUNCTION shop.first_of(shop.vault) RETURNS text LANGUAGE sql RETURN $1.email`)
  for (const [view, below] of Object.entries(USING_ROWS)) {
    await admin.query(`CREATE VIEW shop.rows AS ${view}`)
    assert.deepEqual(await wholesOf('rows'), below, view)
    await admin.query('DROP VIEW shop.rows')
  }
  await admin.query(`
    CREATE MATERIALIZED VIEW shop.kept AS SELECT id, to_jsonb(v) AS doc FROM shop.vault v;
    CREATE RULE kept_too AS ON INSERT TO shop.inbox DO INSTEAD
      INSERT INTO shop.plain SELECT v.id, to_jsonb(v)::text FROM shop.vault v RETURNING id, town;
    CREATE RULE only_writes AS ON DELETE TO shop.plain DO ALSO
      UPDATE shop.inbox SET body = shop.first_of(NULL) WHERE id = old.id`)
  assert.deepEqual(await wholesOf('kept'), ['vault'])
  assert.deepEqual(await wholesOf('inbox'), ['vault'])
  assert.deepEqual(await wholesOf('plain'), [])
})

const USING_ROWS: Readonly<Record<string, readonly string[]>> = {
  'SELECT id, to_jsonb(v) AS doc FROM shop.vault v': ['vault'],
  'SELECT id, v AS rec FROM shop.vault v': ['vault'],
  'SELECT id, v::text FROM shop.vault v': ['vault'],
  'SELECT json_agg(v), count(v.id) FROM shop.vault v': ['vault'],
  'SELECT id, shop.first_of(v) FROM shop.vault v': ['code', 'vault'],
  'SELECT v.id, j.* FROM shop.vault v, LATERAL jsonb_each_text(to_jsonb(v)) j': ['vault'],
  "SELECT v.id, j.e FROM shop.vault v, json_table(to_jsonb(v), '$' COLUMNS (e text PATH '$.email')) j":
    ['vault'],
  'SELECT p.id, (SELECT to_jsonb(v) FROM (SELECT 1) x WHERE v.id = p.id) FROM shop.plain p, shop.vault v':
    ['vault'],
  'WITH w AS (SELECT id, to_jsonb(v) AS d FROM shop.vault v) SELECT w.id, w.d, p.id AS n FROM w, shop.plain p':
    ['vault'],
  'SELECT j.id, to_jsonb(j) FROM (shop.vault v JOIN shop.plain p USING (id)) j': ['plain', 'vault'],
  'SELECT id, to_jsonb(v) FROM (SELECT id, city FROM shop.vault) v': [],
  'SELECT v.id, v.city, to_jsonb(p) FROM shop.vault v, shop.plain p': ['plain'],
  'SELECT id AS "a :varattno 0 {VAR", city FROM shop.vault': [],
}

/** The names of what a relation uses as a whole. */
async function wholesOf(name: string): Promise<readonly string[]> {
  const { relations } = await describeTarget(admin, profile)
  const names = new Map(relations.map(({ oid, name }) => [oid, name]))
  const found = relations.find((relation) => relation.name === name)
  return (found?.dependsOn ?? [])
    .flatMap(({ relationOid, attnum }) =>
      attnum === 0 ? (names.get(relationOid) ?? (relationOid === 0 ? 'code' : 'system')) : [],
    )
    .sort()
}

test('a view over code that may read anything says so, and one over plain functions does not', async () => {
  await admin.query(`
    CREATE EXTENSION IF NOT EXISTS citext;
    CREATE FUNCTION shop.mails() RETURNS TABLE (town text) LANGUAGE sql STABLE AS 'SELECT email FROM shop.vault';
    CREATE FUNCTION shop.add(text, integer) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1;
    CREATE AGGREGATE shop.all_of(integer) (SFUNC = shop.add, STYPE = text)`)
  for (const [query, expected] of Object.entries({
    'SELECT town FROM shop.mails()': true,
    'SELECT id, shop.all_of(id) OVER () FROM shop.plain': true,
    'SELECT shop.all_of(id) FROM shop.plain': true,
    "SELECT id, query_to_xml('select email from shop.vault', true, true, '') FROM shop.plain": true,
    "SELECT id, pg_read_file('pg_hba.conf') FROM shop.plain": true,
    "SELECT id, lower(town) || now(), max(id) OVER () FROM shop.plain WHERE town = current_setting('app.tenant')": false,
    "SELECT id, town::citext = 'a', town::citext::text FROM shop.plain": false,
  })) {
    await admin.query(`CREATE VIEW shop.over AS ${query}`)
    assert.equal((await wholesOf('over')).includes('code'), expected, query)
    await admin.query('DROP VIEW shop.over')
  }
})

test('a generated column says of what it is made, stored or virtual', async () => {
  await admin.query(`
    CREATE TABLE shop.made (id integer, email text, city text,
      stored text GENERATED ALWAYS AS (lower(email) || city) STORED,
      plain integer GENERATED ALWAYS AS (7) STORED)`)
  const { relations } = await describeTarget(admin, profile)
  const found = (name: string) => relations.find((relation) => relation.name === name)?.computed
  assert.deepEqual(found('made'), [
    { attnum: 4, of: [2, 3] },
    { attnum: 5, of: [] },
  ])
  assert.deepEqual(found('customers'), [])
  const { rows } = await admin.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  )
  if ((rows[0]?.version ?? 0) < 180_000) return
  await admin.query(
    'ALTER TABLE shop.made ADD kept_not text GENERATED ALWAYS AS (upper(email)) VIRTUAL',
  )
  const described = await describeTarget(admin, profile)
  const made = described.relations.find(({ name }) => name === 'made')?.computed
  assert.deepEqual(made?.at(-1), { attnum: 6, of: [2] })
})

test('a column that RETURNING of a rule shows as another one has no origin', async () => {
  await admin.query(`
    CREATE VIEW shop.ruled AS SELECT id, city FROM shop.vault;
    CREATE RULE same AS ON DELETE TO shop.ruled DO INSTEAD
      DELETE FROM shop.vault WHERE id = old.id RETURNING id, city`)
  const origins = async () => {
    const { relations } = await describeTarget(admin, profile)
    const found = relations.find(({ name }) => name === 'ruled')
    return found?.columns.map(({ origin }) => origin?.attnum ?? null)
  }
  assert.deepEqual(await origins(), [1, 3])
  await admin.query(`
    CREATE RULE other AS ON UPDATE TO shop.ruled DO INSTEAD
      UPDATE shop.vault SET city = new.city WHERE id = old.id RETURNING id, email`)
  assert.deepEqual(await origins(), [1, null])
})

const SHOWING_VALUES: readonly RegExp[] = [
  /^pg_stats\w*\./,
  /^pg_statistic(_ext_data)?\./,
  /^(pg_attribute\.attmissingval|pg_largeobject\.data|pg_proc\.(prosrc|prosqlbody|proconfig)|routines\.routine_definition)$/,
  /^(pg_stat_activity\.query|pg_(prepared_statements|cursors)\.statement|pg_backend_memory_contexts\.ident)$/,
  /^pg_(authid|roles|shadow|user)\.(rolpassword|rolconfig|passwd|useconfig)$/,
  /^pg_(db_role_setting\.setconfig|file_settings\.|hba_file_rules\.|ident_file_mappings\.|subscription\.subconninfo)/,
  /^pg_stat_(wal_receiver|ssl|gssapi)\./,
  /\.(fdwoptions|srvoptions|umoptions|ftoptions|attfdwoptions|option_value)$/,
]

const looks = async () => ({
  version: (await describeTarget(admin, profile)).targetVersion,
  extent: await extentOf(admin),
})

test('a base role that was mended counts at once, and so does one that got too strong', async () => {
  const descriptions = descriptionsOf({
    admins: { on: (_, run) => run(admin), [Symbol.asyncDispose]: async () => undefined },
    // The clock stands still, so that no kept description grows old.
    clock: { ...systemClock, monotonicMs: () => 0 },
    onDescribed: () => undefined,
  })
  const opens = (): Promise<boolean> =>
    descriptions.recent(profile).then(
      () => true,
      () => false,
    )
  const WAYS: Readonly<Record<string, string>> = {
    'GRANT TEMP ON DATABASE shop_prod TO shop_prod_reader':
      'REVOKE TEMP ON DATABASE shop_prod FROM shop_prod_reader',
    'GRANT CREATE ON DATABASE shop_prod TO PUBLIC':
      'REVOKE CREATE ON DATABASE shop_prod FROM PUBLIC',
    'GRANT CREATE ON SCHEMA shop TO shop_prod_reader':
      'REVOKE CREATE ON SCHEMA shop FROM shop_prod_reader',
  }
  assert.equal(await opens(), true)
  for (const [stronger, mended] of Object.entries(WAYS)) {
    await admin.query(stronger)
    assert.equal(await opens(), false, stronger)
    await admin.query(mended)
    assert.equal(await opens(), true, mended)
  }
})
