// The rows with pay() were tried at PostgreSQL 18, where it runs; behind a record of nameless columns only if it takes one.
// Seen to fail when `attributeCallOf` in functions.ts gives null (55 rows), when A_Indirection has no visitor in query.ts
// (34), and when `isColumnOf` there answers true for a name that it does not find (the one of COPY).
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { loadStatements, shapeKey, type TargetCatalog, understand } from './index.ts'

const routine = (name: string) => ({
  ...{ schema: 'shop', name, volatility: 'volatile' },
  ...{ securityDefiner: true, language: 'plpgsql' },
})
const CATALOG: TargetCatalog = {
  searchPath: ['shop', 'public'],
  relations: [
    {
      ...{ oid: 1, schema: 'shop', name: 'orders', kind: 'table', dependsOn: [] },
      columns: ['id', 'email', 'total'].map((name, index) => ({ attnum: index + 1, name })),
    },
  ],
  // A routine, one with the name of a column, a domain, an operator, and one that catalogs have a column of.
  routines: [...['pay', 'total', 'checked', '===>', 'description'].map(routine)],
}

before(loadStatements)

const effectsOf = (sql: string): string =>
  understand(sql, CATALOG)
    .effects.map(({ effect }) => effect)
    .sort()
    .join(', ')

/** With a field that is the call of a function. */
const CALLS: readonly string[] = [
  'select (42).pay',
  'select ((42)).pay',
  'select ($1).pay',
  'select $1.pay',
  'select (select 42).pay',
  'select (array[42])[1].pay',
  'select (42).int8.int4.pay',
  'select (case when true then 1 end).pay',
  'select (1).pay::text',
  "select (json_value('{}', '$' returning text)).pay",
  "select (row(1, 'a', 2)).pay",
  'select o.pay from orders o',
  'select shop.orders.pay from shop.orders',
  'select (o).pay from orders o',
  'select (o.*).pay from orders o',
  'select u.pay from unnest(array[42]) u',
  'select x.pay from generate_series(1, 1) x',
  'select s.pay from (select o.* from orders o) s',
  'select s.pay from (select id from orders) s (pay_of)',
  'with s as (select * from orders) select s.pay from s',
  'with s (id) as (select id as pay from orders) select s.pay from s',
  'select j.pay from (orders a join orders b using (id)) j',
  'select o.total from orders as o (a, b, c)',
  'update orders set email = (42).pay',
  'update orders set email = orders.pay',
  'update orders set email = (1).pay where id = 1 returning (1).pay',
  'update orders set total = 1 returning new.pay',
  'insert into orders (email) values ((42).pay)',
  'insert into orders (id) values (1) on conflict do nothing returning orders.pay',
  'insert into orders (id) values (1) on conflict (id) do update set email = excluded.pay',
  'delete from orders where (id).pay is null',
  'merge into orders o using orders c on o.id = c.id when matched then update set email = c.pay',
  'select 1 order by (42).pay',
  'select 1 from orders group by orders.pay',
  'select count(*) filter (where (42).pay is null) from orders',
  'select sum(id) over (partition by (id).pay) from orders',
  'select 1 from orders o join orders p on o.pay = p.pay',
  'select 1 from orders o, lateral (select o.pay) l',
  'select 1 from orders tablesample system ((1).pay)',
  'values ((1).pay)',
  'copy (select (42).pay) to stdout',
  'copy orders from stdin where orders.pay is null',
  'create view v as select (42).pay',
  'create index on orders (((id).pay))',
  'alter table orders alter total type text using (total).pay',
  'explain analyze select (42).pay',
  // Of pg_catalog, and of any type.
  "select ('/etc/passwd'::text).pg_read_file",
  'select (4242::oid).lo_unlink',
  'select u.lo_unlink from unnest(array[4242::oid]) u',
  'select (1).pg_of_a_version_to_come',
  // A type is called as a function too, and a sign that only the target knows is one.
  "select ('x'::text).checked",
  "select u.checked from unnest(array['x'::text]) u",
  'select 1 ===> 2',
]

/** With a field that can be nothing else, or is harmless as a call too. */
const FIELDS: readonly string[] = [
  'select (o).email, o.email from orders o',
  'select (x).y from (select $1) s (x)',
  'select (row(1, 2)).f1',
  'select (id).abs, (email).upper from orders',
  "select ('server_version'::text).current_setting",
  'select o.total from orders o',
  'select s.total from (select sum(id) as total from orders) s',
  'select s.total from (select * from orders) s',
  'select s.total from (select o.*, 1 as one from orders o join pg_class c on true) s',
  'select s.pay from (select id from orders) s (pay)',
  'with s as (select o.total from orders o) select s.total from s',
  'with s (total) as (select 1) select t.total from s t',
  'with recursive s as (select 1 as total union all select s.total from s) select s.total from s',
  'select f.total from generate_series(1, 2) f (total)',
  'select f.total from json_to_recordset($1) as f (total int)',
  "select x.total from xmltable('/a' passing '<a/>' columns total int path '.') x",
  "select j.total from json_table('[]', '$[*]' columns (total int path '$')) j",
  'update orders set email = null where orders.total = 1 returning orders.total',
  'insert into orders (total) values (1) on conflict (id) do update set total = excluded.total',
  // psql's \d, and JDBC's keys.
  'select a.attname, d.description from pg_catalog.pg_attribute a, pg_catalog.pg_description d',
  'select c.table_name from information_schema.columns c',
  'select (information_schema._pg_expandarray(i.indkey)).n from pg_catalog.pg_index i',
  'select (r.keys).x from (select information_schema._pg_expandarray(i.indkey) as keys from pg_index i) r',
  'select 1 || 2, 1 operator(pg_catalog.+) 2',
]

describe('a field that may be a function', () => {
  for (const sql of CALLS) test(`is a call: ${sql}`, () => assert.match(effectsOf(sql), /opaque/))

  for (const sql of FIELDS)
    test(`is none: ${sql}`, () => assert.doesNotMatch(effectsOf(sql), /opaque/))

  test('has the effects of the function', () => {
    assert.equal(effectsOf("select ('s'::regclass).nextval"), 'write')
    assert.equal(effectsOf('select (1::bigint).pg_advisory_lock'), 'session-change')
    assert.equal(effectsOf("select ('app.secret'::text).current_setting"), 'read')
    assert.equal(effectsOf("select ('/x'::text).lo_import"), 'opaque, program')
    assert.equal(understand('select (42).pay', CATALOG).stateChanging, true)
    assert.equal(understand('select (42).pay', CATALOG).columnsUnknown, true)
    assert.deepEqual(understand('select (42).pay', CATALOG).functions, [
      { name: 'pay', harmless: false },
    ])
  })

  test('keeps its argument in the shape, unless the function is harmless', () => {
    assert.notEqual(shapeKey('select (42).pay'), shapeKey('select (43).pay'))
    assert.notEqual(shapeKey('select (f(42)).a'), shapeKey('select (f(43)).a'))
    assert.equal(shapeKey('select ($1).pay'), null)
    assert.equal(shapeKey('select (-42).abs'), shapeKey('select (-43).abs'))
  })
})
