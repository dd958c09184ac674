import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import { loadStatements, type TargetCatalog, understand } from './index.ts'

const column = (name: string, index: number) => ({ attnum: index + 1, name })
const relation = (
  oid: number,
  schema: string,
  name: string,
  columns: string[],
  kind = 'table',
) => ({
  ...{ oid, schema, name, kind, dependsOn: [] },
  columns: columns.map(column),
})
const CATALOG: TargetCatalog = {
  searchPath: ['shop', 'public'],
  relations: [
    relation(1, 'shop', 'orders', ['id', 'email', 'total']),
    relation(2, 'shop', 'customers', ['id', 'name', 'card']),
    relation(3, 'public', 'log', ['line']),
    {
      ...relation(4, 'shop', 'buyers', ['name', 'n'], 'view'),
      dependsOn: [
        { relationOid: 2, attnum: 2 },
        { relationOid: 1, attnum: 0 },
      ],
    },
  ],
  routines: [
    {
      schema: 'shop',
      name: 'pay',
      volatility: 'volatile',
      securityDefiner: true,
      language: 'plpgsql',
    },
    {
      schema: 'work',
      name: 'upper',
      volatility: 'immutable',
      securityDefiner: false,
      language: 'sql',
    },
  ],
}

const effectsOf = (sql: string): string =>
  understand(sql, CATALOG)
    .effects.map(({ effect, relation: on }) =>
      on ? `${effect} ${on.schema ?? '?'}.${on.name}` : effect,
    )
    .sort()
    .join(', ')
const columnsOf = (sql: string): string =>
  understand(sql, CATALOG)
    .columns.map((each) => `${each.relation.name}.${each.column}`)
    .sort()
    .join(' ')

before(loadStatements)

/** Statement → effects, sorted. */
const EFFECTS: Readonly<Record<string, string>> = {
  'select 1': '',
  'select * from orders': 'read shop.orders',
  'table orders': 'read shop.orders',
  'select * from nowhere': 'read ?.nowhere',
  'select * from pg_class': 'read pg_catalog.pg_class',
  'select * from pg_authid': 'read pg_catalog.pg_authid',
  'select * from information_schema.tables': 'read information_schema.tables',
  'select now(), random(), lower(email), gen_random_uuid() from orders': 'read shop.orders',
  'insert into orders values (1)': 'write shop.orders',
  'update orders set total = 1': 'write shop.orders',
  'delete from orders': 'delete shop.orders',
  'delete from orders returning *': 'delete shop.orders, read shop.orders',
  'select 1; delete from orders': 'delete shop.orders',
  'with d as (delete from orders returning *) select * from d':
    'delete shop.orders, read shop.orders',
  'with orders as (select * from orders) select * from orders': 'read shop.orders',
  'with recursive orders as (select 1 union select * from orders) select * from orders': '',
  'with delete as (select 1) select * from delete': '',
  'with log as (select 1) delete from log': 'delete public.log',
  'explain delete from orders': 'read shop.orders',
  'explain analyze delete from orders': 'delete shop.orders',
  'explain (analyze) delete from orders': 'delete shop.orders',
  'explain (analyze off) delete from orders': 'read shop.orders',
  'explain (analyze off, analyze on) delete from orders': 'delete shop.orders',
  'explain select pay(1)': 'opaque',
  'explain execute p': 'opaque',
  'merge into orders o using customers c on o.id = c.id when matched then delete':
    'delete shop.orders, read shop.customers, write shop.orders',
  'copy orders to stdout': 'read shop.orders',
  'copy orders from stdin': 'write shop.orders',
  'copy (delete from orders returning *) to stdout': 'delete shop.orders, read shop.orders',
  "copy orders to program 'sh'": 'program, read shop.orders',
  "copy orders from '/etc/passwd'": 'program, write shop.orders',
  'select * into copied from orders': 'read shop.orders, schema-change ?.copied',
  'create table copied as select * from orders': 'read shop.orders, schema-change ?.copied',
  'create temp table t as select 1': 'schema-change ?.t, session-change ?.t',
  'create temp table t (a int)': 'schema-change ?.t, session-change ?.t',
  'prepare p as delete from orders': 'delete shop.orders, session-change',
  'execute p': 'opaque',
  'deallocate p': 'session-change',
  'do $$ begin delete from orders; end $$': 'opaque',
  'call pay(1)': 'opaque',
  "load 'x'": 'program, session-change',
  "select lo_import('/etc/passwd')": 'opaque, program',
  "select lo_export(1, '/x')": 'opaque, program',
  "select dblink('x', 'y')": 'opaque',
  "select pg_read_file('x')": 'opaque',
  "select pg_catalog.pg_read_file('x')": 'opaque',
  'select pg_terminate_backend(1)': 'opaque',
  'select pg_sleep(1)': 'opaque',
  'select pg_advisory_lock(1)': 'session-change',
  "select query_to_xml('delete from orders', true, true, '')": 'opaque',
  "select nextval('s')": 'write',
  "select set_config('work_mem', '1', false)": 'session-change',
  "select set_config('role', 'x', false)": 'privilege-change, session-change',
  "select set_config('ROLE', 'x', false)": 'privilege-change, session-change',
  "select set_config('ro' || 'le', 'x', false)": 'privilege-change, session-change, unknown',
  // As pg_dump sets settings that the server may not have.
  "select set_config(name, 'view', false) from pg_settings where name = 'restrict_nonsystem_relation_kind'":
    'read pg_catalog.pg_settings, session-change',
  "select set_config(name, 'x', false) from pg_catalog.pg_settings s where name = 'role'":
    'privilege-change, read pg_catalog.pg_settings, session-change',
  "select current_setting('server_version')": '',
  "select current_setting('app.secret')": 'read',
  'select upper(email) from orders': 'opaque, read shop.orders',
  'select pg_catalog.upper(email) from orders': 'read shop.orders',
  'select o.pay from orders o': 'opaque, read shop.orders',
  "select 'x'::shop.kind": 'opaque',
  'select id::int, total::numeric(3, 1), email::text from orders': 'read shop.orders',
  // The query of JDBC for the primary key of a table; no other function of that schema, and not without its name.
  'select (information_schema._pg_expandarray(i.indkey)).n from pg_catalog.pg_index i':
    'read pg_catalog.pg_index',
  'select _pg_expandarray(array[1])': 'opaque',
  'select shop._pg_expandarray(array[1])': 'opaque',
  'select information_schema.pay(1)': 'opaque',
  'select information_schema.upper(email) from orders': 'opaque, read shop.orders',
  'select 1 operator(shop.+) 2': 'opaque',
  'select 1 operator(pg_catalog.+) 2': '',
  'select 1 from orders order by id using operator(shop.<)': 'opaque, read shop.orders',
  'select * from orders tablesample shop.odd(1)': 'opaque, read shop.orders',
  'set role x': 'privilege-change, session-change',
  'reset role': 'privilege-change, session-change',
  'set session authorization x': 'privilege-change, session-change',
  'set search_path = evil': 'session-change, unknown',
  "set application_name = 'x'": 'session-change',
  "set application_name = 'countersign/0192f000-0000-7000-8000-000000000000'":
    'session-change, unknown',
  "select set_config('Application_Name', ' Countersign/x', false)": 'session-change, unknown',
  'set standard_conforming_strings = off': 'session-change, unknown',
  'set debug_print_plan = on': 'session-change, unknown',
  'set local log_statement_stats to on': 'session-change, unknown',
  'set "Trace_Sort" = on': 'session-change, unknown',
  "select set_config('DEBUG_print_parse', 'on', false)": 'session-change, unknown',
  'reset debug_print_plan': 'session-change',
  'set client_min_messages = debug5': 'session-change',
  "set client_encoding = 'SJIS'": 'session-change, unknown',
  "set client_encoding = 'UTF8'": 'session-change',
  'set transaction read only': 'transaction',
  'discard all': 'session-change',
  'listen a': 'session-change',
  "notify a, 'b'": 'notify',
  'show work_mem': 'read',
  'begin; commit': 'transaction',
  "prepare transaction 'x'": 'opaque',
  "commit prepared 'x'": 'opaque',
  checkpoint: 'program',
  'lock table orders': 'write shop.orders',
  'lock table orders in access share mode': 'read shop.orders',
  'lock table orders in row share mode': 'write shop.orders',
  'select * from orders for update': 'read shop.orders, write shop.orders',
  'select * from orders o, customers c for share of c':
    'read shop.customers, read shop.orders, write shop.customers',
  'declare c cursor for delete from orders': 'unknown',
  'declare c cursor for select * from orders': 'read shop.orders',
  'fetch 1 from c': 'read',
  'truncate orders, log': 'delete public.log, delete shop.orders',
  'drop table orders': 'schema-change shop.orders',
  'drop trigger t on orders': 'schema-change shop.orders',
  'alter table orders add column x int': 'schema-change shop.orders',
  'alter table orders add column x int default pay(1)': 'opaque, schema-change shop.orders',
  'alter table orders owner to x': 'privilege-change shop.orders, schema-change shop.orders',
  'alter table orders disable row level security':
    'privilege-change shop.orders, schema-change shop.orders',
  'create index on orders (pay(id))': 'opaque, schema-change shop.orders',
  'create view v as select * from orders': 'read shop.orders, schema-change ?.v',
  'refresh materialized view log': 'schema-change public.log',
  'vacuum orders': 'schema-change shop.orders',
  'grant select on orders to x': 'privilege-change shop.orders',
  'grant a to b': 'privilege-change',
  'create role x': 'privilege-change',
  'alter default privileges grant select on tables to public': 'privilege-change',
  'reassign owned by a to b': 'privilege-change',
  "security label on table orders is 'x'": 'privilege-change shop.orders',
  "alter system set archive_command = 'sh'": 'privilege-change, program, schema-change',
  'alter system set work_mem = 1': 'privilege-change, schema-change',
  'create extension dblink': 'schema-change',
  "create function f() returns int language sql as 'delete from orders'": 'schema-change',
  'create trigger t after insert on orders for each row execute function f()':
    'schema-change, schema-change shop.orders',
  'create schema s create table t (a int) grant select on t to public':
    'privilege-change ?.t, schema-change, schema-change ?.t',
  "select 'DROP TABLE orders'": '',
  '/* outer /* delete from orders */ ; */ select 1': '',
  "select has_table_privilege('orders', 'delete') as delete": '',
  "select E'O\\'B'; delete from orders": 'delete shop.orders',
  "select 'a\\'; delete from orders; --'": 'delete shop.orders',
  'select $tag$a(b$tag$; delete from orders': 'delete shop.orders',
  'select $a$; delete from orders; $a$': '',
  'insert into orders (id[pay(1)]) values (1)': 'opaque, write shop.orders',
  'drop table orders; drop schema s': 'schema-change, schema-change shop.orders',
  'drop policy p on orders': 'privilege-change shop.orders, schema-change shop.orders',
  'alter role a rename to b': 'privilege-change, schema-change',
  'create temp sequence s': 'schema-change ?.s, session-change ?.s',
  'selec 1': 'unknown',
}

describe('the effects of a statement', () => {
  for (const [sql, expected] of Object.entries(EFFECTS))
    test(`${sql} → ${expected || 'nothing'}`, () => assert.equal(effectsOf(sql), expected))
})

describe('the columns of a statement', () => {
  const COLUMNS: Readonly<Record<string, string>> = {
    'select id from orders where email = $1': 'orders.email orders.id',
    'select * from orders': 'orders.*',
    'select o.email from orders o join customers c on o.id = c.id':
      'customers.id orders.email orders.id',
    'select name, email from orders, customers': 'customers.name orders.email',
    'select o from orders o': 'orders.*',
    'select row_to_json(o) from orders o': 'orders.*',
    'select x from orders as o (x)': 'orders.*',
    'select (select card from customers where id = o.id) from orders o':
      'customers.card customers.id orders.id',
    'select x from (select email as x from orders) s': 'orders.email',
    'select s.x from (select email as x from orders) s': 'orders.email',
    'select mystery from nowhere': 'nowhere.mystery',
    // A column that came after the description: policy must hear that an unknown column is read.
    'select upper(mystery) from orders': 'orders.mystery',
    'select upper(o.mystery) from orders o': 'orders.* orders.mystery',
    'select o.x, o.ctid from orders as o (x)': 'orders.*',
    'select upper(mystery) as mystery from orders': 'orders.mystery',
    'select id from orders where mystery = 1': 'orders.id orders.mystery',
    'select (select mystery) from orders': 'orders.mystery',
    'update orders set total = 1 returning mystery': 'orders.mystery',
    'copy orders (mystery) to stdout': 'orders.mystery',
    'select ctid, tableoid from orders': '',
    'select count(*) as n from orders order by n': '',
    'select total as t from orders group by t': 'orders.total',
    'select f.mystery from orders, generate_series(1, 2) f (mystery)': '',
    'select count(*) from orders': '',
    'copy orders (email) to stdout': 'orders.email',
    'copy orders to stdout': 'orders.*',
    'update orders set total = 1 returning old.email': 'orders.email',
    'insert into orders values (1) on conflict (id) do update set email = excluded.email':
      'orders.email',
    'select n from buyers': 'buyers.n customers.name orders.*',
    'select j.email from (orders join customers using (id)) j':
      'customers.* customers.id orders.* orders.id',
    // Only the target knows which columns NATURAL compares.
    'select count(*) from orders natural join customers': 'customers.* orders.*',
    'select 1 from customers natural left join (select $1 as email) x': 'customers.*',
    "select (select count(*) from orders natural join (select v.email) x) from (values ('a')) v(email)":
      'orders.*',
    'update orders set total = 1 from customers natural full join (select 1 as id) x':
      'customers.* orders.*',
    'delete from orders using customers natural join (select 1 as id) x': 'customers.* orders.*',
  }
  for (const [sql, expected] of Object.entries(COLUMNS))
    test(`${sql} → ${expected || 'none'}`, () => assert.equal(columnsOf(sql), expected))
})

/**
 * Unqualified names are looked up along the path that the target gives to a session, so a session keeps it. The
 * path of the target here is shop, public.
 */
describe('names keep their meaning', () => {
  const KEEPS = [
    'set search_path = shop, public',
    'set search_path to "shop", \'public\'',
    "set search_path = ''",
    'set local search_path = pg_catalog',
    'set search_path to default',
    'reset search_path',
    'reset all',
    'discard all',
    "select pg_catalog.set_config('search_path', '', false)",
    "select set_config('search_path', 'SHOP , \"public\"', true)",
    "select set_config('search_path'::text, '\"\"', false)",
    "select set_config('work_mem', '1MB', false)",
    "update orders set email = 'pg_settings'",
    'create temp table t (a int)',
    'create temp table if not exists mine as select 1',
    'alter table nowhere rename to elsewhere',
    'alter table nowhere rename column a to orders',
  ]
  const CHANGES = [
    'set search_path = shop',
    'set search_path = public, shop',
    'set search_path = evil, shop, public',
    // The last schema counts for operators and functions too: a schema before pg_catalog shadows it.
    'set search_path = shop, public, pg_catalog',
    'set search_path = evil, pg_catalog',
    'set search_path = pg_temp, shop, public',
    'set search_path = "Shop", public',
    "set search_path = 'shop, public'",
    'set search_path = "$user", shop, public',
    "set schema 'evil'",
    'set "search_path" = evil',
    'set "SEARCH_PATH" = evil',
    'set local search_path = evil',
    'set session search_path to evil',
    'set search_path from current',
    'begin; set local search_path = evil; rollback',
    "select 1; set schema 'evil'; select * from orders",
    "prepare p as select set_config('search_path', 'evil', false)",
    "prepare p (text) as select set_config('search_path', $1, false)",
    "select set_config('search_path', 'evil', false)",
    "select set_config('SEARCH_PATH', 'evil', true)",
    "select set_config(E'search\\x5fpath', 'evil', false)",
    "select set_config('search' || '_path', 'evil', false)",
    "select set_config('search_path', $1, false)",
    "select set_config('search_path', current_user, false)",
    "select set_config('search_path', email, false) from orders",
    "select set_config('search_pathology'::varchar(11), 'evil', false)",
    "select set_config('search_path', is_local => false, new_value => 'evil')",
    "select set_config(name, 'evil', false) from pg_settings where name = 'search_path'",
    "select set_config(name, 'evil', false) from pg_settings where name = 'work_mem' or true",
    "select set_config(name, 'evil', false) from pg_settings where name <> 'work_mem'",
    "select set_config(name, 'evil', false) from pg_settings where name > 'work_mem'",
    "select set_config(name, 'evil', false) from pg_settings where name = any ('{work_mem}')",
    "select set_config(name, 'evil', false) from pg_settings where setting = 'work_mem'",
    "select set_config(setting, 'evil', false) from pg_settings where name = 'work_mem'",
    "select set_config(name, 'evil', false) from orders where name = 'work_mem'",
    "select set_config(name, 'evil', false) from pg_settings, orders where name = 'work_mem'",
    "select set_config(name, 'evil', false) from pg_settings join orders on true where name = 'work_mem'",
    "with pg_settings (name) as (select 'work_mem') select set_config(name, 'evil', false) from pg_settings where name = 'work_mem'",
    "select (select set_config(name, 'evil', false) from orders) from pg_settings where name = 'work_mem'",
    "select 1 from pg_settings where name = 'work_mem' union select set_config(name, 'evil', false) from orders",
    "select * from set_config('search_path', 'evil', false)",
    "select 1 where set_config('search_path', 'evil', false) = ''",
    "select set_config('search_path', '\u00a0shop, public', false)",
    "select set_config('search_path', 'shop,, public', false)",
    "update pg_settings set setting = 'evil' where name = 'search_path'",
    "update pg_catalog.pg_settings set setting = 'evil'",
    "with x as (update pg_settings set setting = 'evil' returning 1) select 1",
    'create temp table orders (id int)',
    'create temp table pg_class (id int)',
    // A table is a type too, and those are looked for in the same order.
    'create temp table text (id int)',
    'create table pg_temp.orders (id int)',
    'create temp view log as select 1',
    'create temp table log as select 1',
    'select 1 as id into temp log',
    'create temp sequence orders',
    'alter table nowhere rename to orders',
    'alter table pg_temp.t rename to orders',
  ]
  const isUnknown = (sql: string): boolean =>
    understand(sql, CATALOG).effects.some(({ effect }) => effect === 'unknown')
  for (const sql of KEEPS)
    test(`${sql} keeps them`, () => {
      assert.equal(isUnknown(sql), false)
      assert.equal(understand(sql, CATALOG).changesNames, false)
    })
  for (const sql of CHANGES)
    test(`${sql} does not`, () => {
      assert.equal(isUnknown(sql), true)
      assert.equal(understand(sql, CATALOG).stateChanging, true)
    })

  test('where pg_catalog does not come first, no path but that of the target keeps them', () => {
    const last = { ...CATALOG, searchPath: ['shop', 'pg_catalog'] }
    const keeps = (sql: string): boolean => !understand(sql, last).changesNames
    assert.equal(keeps('set search_path = shop, pg_catalog'), true)
    assert.equal(keeps("set search_path = ''"), false)
    assert.equal(keeps('set search_path = pg_catalog'), false)
  })
})

describe('what else is understood', () => {
  const facts = (sql: string) => understand(sql, CATALOG)

  test('a column that flows into a table is a move of data', () => {
    const moves = [
      'insert into log select email from orders',
      'create table t as select email from orders',
      'select email into t from orders',
      "copy orders to '/x'",
      'update orders set total = id',
      'alter table customers alter column name type text using id::text',
      'alter table log alter id type text using (log.line || 1), alter line type text',
      'update orders set email = (select name from customers limit 1)',
      'merge into log using orders on true when not matched then insert values (orders.email)',
      // A column of the same name, of another relation.
      'update log set line = c.line from customers c',
      'update log l set line = log.line from log',
      'merge into log l using orders o on true when matched then update set line = o.line',
      // To sessions, to sequences, to large objects, to the WAL.
      "select set_config('application_name', name, false) from customers",
      "select set_config('application_name', upper(c.name), false) from customers c",
      "select set_config('a.b', (select name from customers limit 1), false)",
      "select * from customers c, set_config('a.b', c.name, false)",
      "select set_config('a.b', new_value => name, is_local => true) from customers",
      "select pg_notify('a', email) from orders",
      "select pg_notify(email, '') from orders",
      "select pg_catalog.setval('s', card::bigint) from customers",
      'select lo_from_bytea(0, email::bytea) from orders',
    ]
    for (const sql of moves) assert.equal(facts(sql).movesData, true, sql)
    const none = [
      'insert into log values (1)',
      'select * from orders',
      'update orders set total = total + 1',
      'alter table customers alter column name type text using upper(customers.name)',
      'alter table customers alter column name type text, add check (id > 0)',
      'update orders o set total = o.total + 1 from customers c where c.id = o.id',
      "select set_config('application_name', 'x', false), name from customers",
      "select set_config('application_name', $1, false), name from customers",
      "select pg_notify('a', current_user)",
      'insert into orders (total) values (1) on conflict (id) do update set total = excluded.total',
    ]
    for (const sql of none) assert.equal(facts(sql).movesData, false, sql)
    assert.equal(facts('explain insert into log select email from orders').movesData, false)
  })

  test('what is moved behind a change that gives a name other rows is not known', () => {
    const moves = 'insert into log select total from orders'
    for (const change of [
      'create or replace view v as select 1',
      'alter table customers rename to orders',
      'alter table customers set schema other',
      'create rule r as on insert to log do instead nothing',
      'drop schema other',
      'alter table customers inherit orders',
      'alter table orders attach partition customers for values in (1)',
      'alter table orders alter column total set expression as (1)',
      'alter table orders drop column id, add column id int generated always as (total) stored',
    ]) {
      assert.equal(facts(`${change}; ${moves}`).columnsUnknown, true, change)
      const before = `${moves}; ${change}; select 1`
      assert.equal(facts(before).columnsUnknown, facts(change).columnsUnknown, change)
      assert.equal(facts(before).movesData, true)
      assert.equal(facts(`${change}; update orders set total = 1`).columnsUnknown, false, change)
    }
    for (const change of [
      'alter table log add column more int',
      'drop table if exists scratch',
      'drop index i',
      'drop function f',
      'alter index a rename to b',
      'alter table orders rename constraint a to b',
    ])
      assert.equal(facts(`${change}; ${moves}`).columnsUnknown, false, change)
  })

  test('a rule or a trigger that copies moves what nobody asks about again', () => {
    for (const sql of [
      'create rule r as on insert to log do also insert into log select total from orders',
      'create rule r as on insert to log do instead select total from orders',
      "create trigger t before insert on orders for each row execute function tsvector_update_trigger(tsv, 'simple', note)",
    ]) {
      const { movesData, columnsUnknown } = facts(sql)
      assert.deepEqual([movesData, columnsUnknown], [true, true], sql)
    }
    const { movesData } = facts('create rule r as on insert to log do instead nothing')
    assert.equal(movesData, false)
  })

  test('a column that is generated no more keeps what was computed of others', () => {
    const { movesData, columns } = facts('alter table orders alter column total drop expression')
    assert.equal(movesData, true)
    assert.deepEqual(
      columns.map(({ column }) => column),
      ['total'],
    )
  })

  test('UPDATE and DELETE without WHERE are named', () => {
    assert.equal(facts('delete from orders').unbounded[0]?.tag, 'DELETE')
    assert.equal(facts('update orders set total = 1').unbounded[0]?.relation.oid, 1)
    assert.deepEqual(facts('delete from orders where id = 1').unbounded, [])
  })

  test('an ALTER TABLE says its lock', () => {
    const altered = facts('alter table orders add column note text')
    assert.equal(altered.locks, 'ACCESS EXCLUSIVE on shop.orders')
    assert.equal(altered.summary, 'adds the column note of shop.orders (takes ACCESS EXCLUSIVE)')
    assert.equal(altered.statements[0]?.tag, 'ALTER TABLE')
  })

  test('what changes the meaning of later texts changes the state', () => {
    for (const sql of [
      'set search_path = a',
      'set role a',
      'select pay(1)',
      'listen a',
      'discard all',
      'create temp table t (a int)',
      'prepare p as select 1',
      "select set_config('a.b', 'c', true)",
    ])
      assert.equal(facts(sql).stateChanging, true, sql)
    for (const sql of ['select 1', 'begin', 'delete from orders'])
      assert.equal(facts(sql).stateChanging, false, sql)
  })

  test('harmless settings are told apart', () => {
    assert.equal(facts("set application_name = 'x'").harmlessSetting, true)
    assert.equal(facts("set application_name = 'x'; set search_path = a").harmlessSetting, false)
    assert.equal(facts('select 1').harmlessSetting, false)
  })

  test('statements that bring code say so', () => {
    for (const sql of [
      "create function f() returns int language sql as 'select 1'",
      'create extension x',
      'create rule r as on insert to orders do nothing',
      'create language plperlu',
    ])
      assert.equal(facts(sql).createsCode, true, sql)
    assert.equal(facts('create table t (a int)').createsCode, false)
  })

  test('spans count bytes', () => {
    const spans = facts("select 'é'; select 2").statements
    assert.deepEqual(spans, [
      { tag: 'SELECT', start: 0, length: 11 },
      { tag: 'SELECT', start: 13, length: 8 },
    ])
  })

  test('COPY and transactions are told to the engine', () => {
    assert.equal(facts('copy orders from stdin').copy, 'in')
    assert.equal(facts('copy orders to stdout').copy, 'out')
    assert.equal(facts("copy orders to '/x'").copy, null)
    assert.deepEqual(facts('begin; savepoint a; rollback to a; commit').transactionControls, [
      ...['begin', 'savepoint', 'rollback-to', 'commit'],
    ])
  })

  test('columns of cursors and prepared statements are unknown', () => {
    for (const sql of ['fetch c', 'execute p', 'select pay(1)'])
      assert.equal(facts(sql).columnsUnknown, true)
    // These may hold values that masking hides, when somebody wrote them there.
    for (const sql of ['show app.name', 'show "App.Name"'])
      assert.equal(facts(sql).columnsUnknown, true, sql)
    // Drivers show it; values that masking hides do not come into it without an approval.
    const harmless = [
      'show application_name',
      'show all',
      'select pg_sleep(1)',
      "select current_setting('application_name')",
    ]
    for (const sql of [...harmless, 'show search_path', "select current_setting('server_version')"])
      assert.equal(facts(sql).columnsUnknown, false, sql)
    assert.equal(facts('select 1').columnsUnknown, false)
  })

  test('an empty message has no effect', () => {
    for (const sql of ['', ' ; ', '-- nothing', '/* nothing */']) {
      assert.equal(facts(sql).empty, true, sql)
      assert.deepEqual(facts(sql).effects, [], sql)
    }
  })
})

describe('what is not understood is unknown', () => {
  const cases: Readonly<Record<string, Uint8Array | string>> = {
    'invalid UTF-8': Uint8Array.of(0x73, 0xff),
    'a NUL': 'select 1\0; delete from orders',
    'a lone surrogate': "select '\ud800'",
    'more bytes than allowed': `select '${'x'.repeat(1024 * 1024)}'`,
    'a byte order mark': Buffer.from('\ufeffselect 1; selec'),
    'terms without end': `select ${'1+'.repeat(20_000)}1`,
    'parentheses without end': `select ${'('.repeat(30_000)}1${')'.repeat(30_000)}`,
  }
  for (const [name, sql] of Object.entries(cases))
    test(`${name} is unknown`, () => {
      const effects = understand(sql, CATALOG).effects.map((each) => each.effect)
      if (name === 'parentheses without end')
        assert.ok(effects.length === 0 || effects[0] === 'unknown')
      else assert.deepEqual(effects, ['unknown'])
    })

  // Its reason stands in clear in the log.
  for (const sql of [
    "select 1 'kept secret'",
    "select 'kept secret",
    'select \'kept\nsecret " at or near "secret',
    'select $$kept secret',
    "select x'kept secret",
    'select 1secret',
    'select 1 as "kept secret',
    'create role r secret',
  ])
    test(`the reason why ${JSON.stringify(sql)} is unknown has no value of it`, () => {
      const [effect] = understand(sql, CATALOG).effects
      assert.match(effect?.why ?? '', /^the statement does not parse: [a-z -]+$/)
      assert.doesNotMatch(effect?.why ?? '', /secret/)
    })

  test('the parser still works after it ran out of stack', () => {
    understand(`select ${'1+'.repeat(20_000)}1`, CATALOG)
    assert.equal(effectsOf('delete from orders'), 'delete shop.orders')
  })

  test('any text is answered without a throw', () => {
    const words = fc.constantFrom(
      'select',
      'from',
      'orders',
      '(',
      ')',
      "'",
      '$$',
      ';',
      'with',
      'as',
      'delete',
      ',',
      '*',
      '--',
      'é',
      '\\',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 20 }).map((each) => each.join(' ')),
    )
    fc.assert(
      fc.property(text, (sql) => {
        const found = understand(sql, CATALOG)
        assert.ok(found.effects.length > 0 || found.statements.length > 0 || found.empty)
      }),
      { numRuns: 400 },
    )
  })

  test('any bytes are answered without a throw', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        (sql) => understand(sql, CATALOG).summary !== '',
      ),
    )
  })
})

test('known limit: an unqualified operator is taken for the built-in one', () => {
  assert.equal(effectsOf('select email || email from orders'), 'read shop.orders')
})

/** A foreign table of a program, and what leads to it; `kept` is a materialized view, which has its rows. */
const WITH_PROGRAM: TargetCatalog = {
  ...CATALOG,
  relations: [
    ...CATALOG.relations,
    { ...relation(20, 'shop', 'ran', ['line'], 'foreign-program'), inherits: [21] },
    relation(21, 'shop', 'parent', ['line'], 'partitioned-table'),
    {
      ...relation(22, 'shop', 'seen', ['line'], 'view'),
      dependsOn: [{ relationOid: 21, attnum: 1 }],
    },
    {
      ...relation(23, 'shop', 'kept', ['line'], 'materialized-view'),
      dependsOn: [{ relationOid: 22, attnum: 1 }],
    },
    { ...relation(24, 'shop', 'guarded', ['line']), reaches: [20] },
    relation(25, 'shop', 'far', ['line'], 'foreign-table'),
  ],
}

// Seen to fail when the kind of a relation does not count, and for each way that is not followed.
for (const [sql, runs] of Object.entries({
  'select * from ran': true,
  'select line from parent': true,
  'select count(*) from seen': true,
  'table guarded': true,
  'copy ran to stdout': true,
  'copy (select 1 from orders where exists (select from ran)) to stdout': true,
  'insert into orders select 1, line, 1 from ran': true,
  'insert into ran values (1)': true,
  'delete from parent': true,
  'create table x as select * from seen': true,
  'declare c cursor for select * from ran': true,
  'explain analyze select * from ran': true,
  'analyze ran': true,
  'refresh materialized view kept': true,
  'explain select * from ran': false,
  'select * from kept': false,
  'select * from far': false,
  'select * from orders': false,
  'drop foreign table ran': false,
}))
  test(`a statement ${runs ? 'runs' : 'runs no'} program on the server: ${sql}`, () => {
    const { effects, summary } = understand(sql, WITH_PROGRAM)
    assert.equal(
      effects.some(({ effect }) => effect === 'program'),
      runs,
    )
    assert.equal(/from a program on the server/.test(summary), runs, summary)
  })
