import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import { isImpossible, nameProbesOf, obstaclesOf, type Probe, probesOf } from './probes.ts'

before(loadStatements)

const list = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `t${from + index}`).join(', ')

/** A question for an object of another kind. */
const address = (type: string, ...names: string[]): string =>
  `select from pg_catalog.pg_get_object_address(E'${type}', array[${names.map((name) => `E'${name}'`).join(', ')}], array[]::pg_catalog.text[])`
const relation = (name: string): string => `select E'${name}'::pg_catalog.regclass`
const routine = (name: string): string => `select E'${name}'::pg_catalog.regproc`
const type = (name: string): string => address('type', name)
const column = (...names: string[]): string => address('table column', ...names)
const shop = address('schema', 'shop')

/**
 * The questions that the target is asked before people are asked about a statement, by that statement. Tests at a PostgreSQL
 * show that they fail where it cannot run, and only there (services/credential-broker).
 */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'update shop.orders set note = $1 where id = $2': [
    'update shop.orders set note = $1 where id = $2',
  ],
  'create table x as select nothing from shop.orders': [
    'create table x as select nothing from shop.orders',
  ],
  'create view v (a) with (security_barrier) as select "as" from b -- as': [
    ' select "as" from b -- as',
  ],
  'create view shop.v as table b with local check option': [' table b ', shop],
  'create recursive view v (n) as select a from b union select n from v': [relation('b')],
  'prepare p as delete from a where b = $1': [' delete from a where b = $1'],
  'prepare p (int, mood) as delete from a where b = $1': [type('"mood"'), relation('a')],
  'alter table shop.orders drop column note, add column x int': [
    shop,
    relation('shop.orders'),
    column('shop', 'orders', 'note'),
  ],
  'alter table orders add column x nosuch[], alter column x set not null': [
    relation('orders'),
    type('"nosuch"'),
  ],
  'alter table if exists shop.orders drop column note': [],
  'alter table orders drop column if exists note': [relation('orders')],
  'alter table orders rename column a to b': [relation('orders'), column('orders', 'a')],
  'alter table orders rename to b': [relation('orders')],
  'alter index a rename to b': [relation('a')],
  'drop table shop.orders, "we""ird"': [shop, relation('shop.orders'), relation('"we""ird"')],
  [`drop table "it's"`]: [relation(`"it\\'s"`)],
  'drop index a': [relation('a')],
  'drop table if exists shop.orders': [],
  [`drop table ${'a, '.repeat(2_000)}b`]: [relation('a'), relation('b')],
  [`lock table ${list(0, 2_000)}`]: list(0, 20).split(', ').map(relation),
  'drop schema shop': [shop],
  'drop schema pg_temp': [],
  'drop function f(mood), shop.g': [type('"mood"'), routine('f'), shop, routine('shop.g')],
  'drop trigger a on b': [relation('b'), address('trigger', 'b', 'a')],
  'drop extension a': [address('extension', 'a')],
  'drop role a, current_user': [address('role', 'a')],
  'truncate shop.orders, lines': [shop, relation('shop.orders'), relation('lines')],
  'create index on orders (note, lower(note), f(note), g(1, 2))': [
    relation('orders'),
    `select case when pg_catalog.to_regtype(E'"f"') is null and not exists (select from pg_catalog.pg_attribute where attname operator(pg_catalog.=) E'f') then E'f'::pg_catalog.text::pg_catalog.regproc end`,
    routine('g'),
    column('orders', 'note'),
  ],
  'copy orders (id, note) from stdin': [
    relation('orders'),
    column('orders', 'id'),
    column('orders', 'note'),
  ],
  'copy (select 1) to stdout': [],
  'vacuum full orders': [relation('orders')],
  "comment on column shop.orders.note is 'x'": [
    relation('shop.orders'),
    column('shop', 'orders', 'note'),
  ],
  "comment on table orders is 'x'": [relation('orders')],
  "comment on database x is 'x'": [],
  'grant select (a) on orders to x, public': [
    relation('orders'),
    address('role', 'x'),
    column('orders', 'a'),
  ],
  'grant select on all tables in schema shop to current_user': [shop],
  'grant x to y': [address('role', 'y'), address('role', 'x')],
  'create table shop.x (id int, x serial, y shop.x, z text)': [shop],
  'create table if not exists x (a nosuch)': [],
  'create table x (a mood, b int references x, c int references y, like z)': [
    type('"mood"'),
    relation('y'),
    relation('z'),
  ],
  'create function f(a mood, b t.c%type) returns nosuch language sql as $$select 1$$': [
    type('"mood"'),
    type('"nosuch"'),
  ],
  'create function f(a mood) returns nosuch language c as $$x$$': [],
  'create index on a (b) with (fastupdate = off)': [relation('a'), column('a', 'b')],
  'set search_path = nosuch': [],
  // Several statements: a later one as far as the earlier ones leave its names alone.
  'begin; set local lock_timeout = 1; select 1; update a set b = 1; delete from c; commit; drop table d':
    ['select 1', 'update a set b = 1', 'delete from c'],
  'create table x (id int); insert into x values (1)': [],
  'create table x (id serial); alter sequence x_id_seq restart; comment on index x_pkey is $$a$$; drop table x_1':
    [],
  'create table x (id int); update a set b = 1; alter table c drop column d; select z::_x': [
    relation('a'),
    relation('c'),
  ],
  'alter table a rename to b; drop table c; delete from a; delete from b; delete from c; delete from d':
    [relation('a'), relation('c'), relation('d')],
  'create type mood as enum (); create table a (b mood, c other); drop function mood': [
    type('"other"'),
  ],
  [`create table ${'long'.repeat(15)} (a int); drop index ${'long'.repeat(10)}_a_idx, short`]: [
    relation('short'),
  ],
  'insert into a values (1); update a set b = 2; truncate c': [
    'insert into a values (1)',
    'update a set b = 2',
    relation('c'),
  ],
  // Each partition has an index of its own, whose name nothing in the text says.
  'create index on a (b); alter index part1_b_idx set (fillfactor = 50); drop index part2_b_idx; comment on type mood is $$x$$':
    [relation('a'), column('a', 'b'), type('"mood"')],
  'alter table a add unique (b); drop index part1_b_key': [relation('a'), column('a', 'b')],
  'alter table a add column b int unique; drop index part1_b_key': [relation('a')],
  'alter table a attach partition b for values in (1); drop index c_x_idx': [
    relation('a'),
    relation('b'),
  ],
  'alter table a add column b int; drop table c': [relation('a'), relation('c')],
  // Known limit: what a view does is not known.
  'select a from view_that_makes_b; drop table b': [
    'select a from view_that_makes_b',
    relation('b'),
  ],
  'does not parse': [],
  '': [],
}

for (const [sql, probes] of Object.entries(EXAMPLES)) {
  test(`before people are asked, the target parses ${probes.join(' and ') || 'nothing'} for: ${sql}`, () => {
    assert.deepEqual(
      probesOf(sql).map((probe) => probe.sql),
      probes,
    )
  })
}

for (const sql of [
  ...['rollback', 'commit', 'rollback to a', 'set search_path = b', 'set role b', 'reset all'],
  ...['do $$ $$', 'call f()', 'execute p', 'create extension e', 'alter schema a rename to b'],
  ...['alter table a set schema b', 'select 1 as b into c', 'select 1 into c union select 2'],
  ...[
    "set datestyle = 'ISO, DMY'",
    "set local lc_monetary = 'de_DE'",
    'set intervalstyle = iso_8601',
  ],
  ...[
    'create trigger t before insert on a execute function b()',
    'alter table a enable trigger all',
  ],
  ...['create cast (a as b) without function', 'import foreign schema a from server b into c'],
])
  test(`behind this, any name may be known: ${sql}`, () => {
    const probes = probesOf(`select 1; ${sql}; drop table nosuch`)
    assert.equal(probes[0]?.sql, 'select 1')
    assert.ok(!probes.some((probe) => probe.sql.includes('nosuch')))
  })

test('where a trigger may run before a statement, its probes say so', () => {
  const are = probesOf('begin; select 1; delete from a; lock table b; drop table c; drop table d')
  assert.deepEqual(
    are.map((probe) => probe.isBehindCode),
    [false, false, true, true, true],
  )
})

test('a text too long to be parsed where others wait is parsed whole by the target', () => {
  for (const each of ['select', 'drop table nosuch; select']) {
    const sql = `${each} ${'1, '.repeat(20_000)}1`
    const [probe, ...others] = probesOf(sql)
    assert.deepEqual(probe, { sql, of: 'text', from: 0, isBehindCode: false })
    assert.deepEqual(others, [])
    assert.deepEqual(nameProbesOf(sql), [])
    // Several statements are not parsed as one.
    assert.ok(probe !== undefined && !isImpossible(probe, '42601') && isImpossible(probe, '42703'))
  }
  assert.deepEqual(probesOf(`select ${'1, '.repeat(100_000)}1`), [])
})

test('of what may run code only the names are looked at', () => {
  const names = (sql: string): readonly string[] => nameProbesOf(sql).map((probe) => probe.sql)
  assert.deepEqual(
    names(
      `with nosuch as (select 1) select shop.f(g(1, 2), 3), 2::mood, now(), x::int
       from pg_catalog.lower($1), nosuch, orders as o for update of o`,
    ),
    [shop, routine('shop.f'), routine('g'), type('"mood"'), relation('orders')],
  )
  assert.deepEqual(names('create view v as select 2::mood'), [type('"mood"')])
  assert.deepEqual(names('do $$ begin perform f(); end $$'), [])
})

test('the place of a query in its text is told in characters', () => {
  const sql = 'create view "ü😀" as select nosuch'
  const [probe] = probesOf(sql)
  assert.deepEqual(probe, { sql: ' select nosuch', of: 'text', from: 19, isBehindCode: false })
  const [, behind] = probesOf(`select 'ü😀'; ${sql}`)
  assert.deepEqual(behind, { ...probe, from: 19 + 13 })
})

test('a probe tells that a statement cannot run only where nobody could run it', () => {
  const text: Probe = { sql: 'select 1', of: 'text', from: 0, isBehindCode: false }
  const name: Probe = { sql: routine('f'), of: 'function', isBehindCode: false }
  for (const [sqlState, ofText, ofName] of [
    ['42P01', true, true],
    ['3F000', true, true],
    // A wrong value, the wrong type of a value or object, an overloaded function, a right, a lock, a cancel.
    ['22P02', true, false],
    ['42804', true, false],
    ['42809', true, false],
    ['42725', true, false],
    ['42501', false, false],
    ['55P03', false, false],
    ['57014', false, false],
  ] as const) {
    assert.equal(isImpossible(text, sqlState), ofText, sqlState)
    assert.equal(isImpossible(name, sqlState), ofName, sqlState)
  }
})

/** The obstacles that are looked for, in the words that the agent is told where it is there. */
const OBSTACLES: Readonly<Record<string, readonly string[]>> = {
  'create table shop.orders (id int)': ['42P07 relation "orders" already exists'],
  'create table orders (id int)': [],
  'create temp table shop.orders (id int)': [],
  'create table pg_temp.orders (id int)': [],
  'create table if not exists shop.orders (id int, id int)': [],
  'create table t (id int, "Id" int, ID int)': ['42701 column "id" specified more than once'],
  'create index i on shop.orders (id)': ['42P07 relation "i" already exists'],
  'create index on shop.orders (id)': [],
  "create type shop.mood as enum ('a')": ['42710 type "mood" already exists'],
  'create schema shop': ['42P06 schema "shop" already exists'],
  'alter table orders add column a int, add column if not exists b int': [
    '42701 column "a" of relation "orders" already exists',
  ],
  'alter table orders add column a int, drop column a': [],
  'alter type pair add attribute a int': [],
  'drop view shop.a, b': ['42809 "a" is not a view', '42809 "b" is not a view'],
  'drop view if exists a': [],
  'drop function f': [],
  'refresh materialized view a': ['42809 "a" is not a table or materialized view'],
  'drop table shop.a; create table shop.a (id int)': ['42809 "a" is not a table'],
  'alter table a add column b int; alter table c add column d int': [
    '42701 column "b" of relation "a" already exists',
  ],
  'do $$ $$; create schema shop': [],
  // Each of these may give a name free that it does not say.
  'select f(); create table shop.orders (id int)': [],
  'explain analyze select f(); create schema shop': [],
  'drop table shop.a cascade; create view shop.b as select 1': ['42809 "a" is not a table'],
  'drop extension x cascade; create table shop.a (id int)': [],
  'alter table a drop column b cascade; drop view c': [],
  'drop table a; create index i on shop.b (c)': ['42809 "a" is not a table'],
  'begin; set statement_timeout = 0; create schema shop': ['42P06 schema "shop" already exists'],
  'does not parse': [],
}

for (const [sql, told] of Object.entries(OBSTACLES))
  test(`in the way of it may stand ${told.join(' and ') || 'nothing that is known'}: ${sql}`, () => {
    assert.deepEqual(
      obstaclesOf(sql).map(({ sqlState, message }) => `${sqlState} ${message}`),
      told,
    )
  })

test('so many obstacles are looked for', () => {
  assert.equal(obstaclesOf(`truncate ${list(0, 2_000)}`).length, 20)
})
