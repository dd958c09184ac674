// Seen to fail when ColumnDef or JsonOutput is left out of what is walked, and when parameters are not looked at.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { loadStatements, type TargetCatalog, understand } from './index.ts'
import { NODE_TABLE } from './generated/nodes.ts'

const type = (oid: number, name: string, more: object = {}) => ({
  ...{
    oid,
    schema: 'shop',
    name,
    kind: 'domain',
    plain: false,
    composed: false,
    runsWhenRead: false,
  },
  ...more,
})
const CATALOG: TargetCatalog = {
  searchPath: ['shop'],
  relations: [
    {
      ...{ oid: 20_001, schema: 'shop', name: 'w', kind: 'table', dependsOn: [] },
      columns: [
        { attnum: 1, name: 'id', typeOid: 23 },
        { attnum: 2, name: 'd', typeOid: 20_100 },
        { attnum: 3, name: 'ds', typeOid: 20_101 },
        { attnum: 4, name: 'm', typeOid: 20_102 },
      ],
    },
    {
      ...{ oid: 20_002, schema: 'shop', name: 'acc', kind: 'table', dependsOn: [] },
      columns: [{ attnum: 1, name: 'id', typeOid: 23 }],
    },
    {
      ...{ oid: 20_003, schema: 'shop', name: 'heir', kind: 'table', dependsOn: [] },
      columns: [{ attnum: 1, name: 'id', typeOid: 23 }],
      inherits: [20_002],
    },
    {
      ...{ oid: 20_004, schema: 'shop', name: 'one', kind: 'table', dependsOn: [] },
      columns: [
        { attnum: 1, name: 'id', typeOid: 23 },
        { attnum: 2, name: 'd', typeOid: 20_100 },
      ],
    },
  ],
  routines: [],
  types: [
    type(20_100, 'd'),
    type(20_101, '_d', { kind: 'array', composed: true }),
    type(20_102, 'mood', { kind: 'enum', plain: true }),
    type(20_104, 'acc', { kind: 'composite', plain: true, composed: true, runsWhenRead: true }),
    type(20_103, 'read', { kind: 'base', plain: true, runsWhenRead: true }),
  ],
}

before(loadStatements)

const isOpaque = (sql: string, options = {}): boolean =>
  understand(sql, CATALOG, options).effects.some(({ effect }) => effect === 'opaque')

const effectsOf = (sql: string): string[] =>
  understand(sql, CATALOG).effects.map(({ effect }) => effect)
const isWrite = (sql: string): boolean => effectsOf(sql).includes('write')
const isRead = (sql: string): boolean => effectsOf(sql).every((effect) => effect === 'read')

/** One statement for each node of the grammar that holds the name of a type whose values a query makes. */
const OF_QUERIES: Readonly<Record<string, readonly string[]>> = {
  TypeCast: ["select 'x'::!", "select cast('x' as !)", "select ! 'x'", "select '{x}'::![]"],
  RangeTableFuncCol: ["select * from xmltable('/a' passing '<a/>' columns a ! path '.')"],
  ColumnDef: [
    "select * from json_to_record('{}') as (a !)",
    "select * from rows from (json_to_record('{}') as (a !)) r",
  ],
  XmlSerialize: ["select xmlserialize(content '<a/>' as !)"],
  JsonOutput: [
    "select json_value('{}', '$' returning !)",
    "select json_query('{}', '$' returning !)",
    "select json_serialize('{}' returning !)",
    "select json_object('a': 1 returning !)",
    'select json_arrayagg(1 returning !)',
  ],
  JsonTableColumn: [
    "select * from json_table('[]', '$' columns (a ! path '$'))",
    "select * from json_table('[]', '$' columns (nested '$' columns (a ! path '$')))",
    "select * from json_table('[]', '$' columns (a ! exists path '$'))",
  ],
  PrepareStmt: ['prepare p (!) as select $1'],
}
/** Nodes of definitions: what these define runs later, and none of them is a read. */
const OF_DEFINITIONS: ReadonlySet<string> = new Set([
  ...[
    'AlterDomainStmt',
    'CreateStmt',
    'CreateDomainStmt',
    'CreateOpClassStmt',
    'CreateOpClassItem',
  ],
  ...['CreateFunctionStmt', 'FunctionParameter', 'AlterTypeStmt', 'CreateEnumStmt'],
  ...[
    'CreateRangeStmt',
    'AlterEnumStmt',
    'CreateCastStmt',
    'CreateTransformStmt',
    'ObjectWithArgs',
  ],
])

describe('a type that a statement names', () => {
  test('is looked for in every node of the grammar that has one', () => {
    const nodes = NODE_TABLE.trim()
      .split('\n')
      .filter((line) => /:TypeName\b| typeName:| argtypes:/.test(line))
      .map((line) => line.split(' ')[0] ?? '')
      // These exist only after analysis.
      .filter((name) => !['RangeTblEntry'].includes(name))
    for (const name of nodes)
      assert.ok(
        name in OF_QUERIES || OF_DEFINITIONS.has(name),
        `nobody looks at the type of ${name}`,
      )
  })

  for (const [node, statements] of Object.entries(OF_QUERIES))
    for (const sql of statements)
      test(`is asked about in ${node}: ${sql}`, () => {
        for (const name of ['d', 'shop.d', '_d', 'nowhere', 'shop.w'])
          assert.ok(isOpaque(sql.replace('!', name)), name)
        for (const name of [
          'mood',
          'shop.mood',
          '_mood',
          'text',
          'pg_catalog.int4',
          'varchar(3)',
          '_int4',
        ])
          assert.equal(isOpaque(sql.replace('!', name)), name === '_mood', name)
      })

  test('is asked about where it is called or a field', () => {
    for (const sql of [
      "select d('x')",
      "select ('x'::text).d",
      "select ('{x}'::text)._d",
      "select ('x'::text)._w",
      "select shop._d('{x}')",
    ])
      assert.ok(isOpaque(sql), sql)
    assert.equal(isOpaque("select mood('x'), shop.mood('x'), ('x'::text).mood"), false)
  })
})

describe('a type that a statement reaches', () => {
  test('is that of a parameter', () => {
    for (const oid of [20_100, 20_101, 99_999])
      assert.ok(isOpaque('select $1', { parameterTypes: [0, oid] }), String(oid))
    for (const oid of [0, 25, 16_383, 20_102])
      assert.equal(isOpaque('select $1', { parameterTypes: [oid] }), false, String(oid))
  })

  test('is that of a column beside a literal, or in a row that is filled', () => {
    for (const sql of [
      "select * from w where ds = '{y}'",
      'select ds from w',
      "select jsonb_populate_record(w, '{}') from w",
      'select * from w',
    ])
      assert.ok(isOpaque(sql), sql)
    for (const sql of [
      "select id, d, m from w where d = 'y'",
      "select jsonb_populate_record(null::pg_class, '{}')",
    ])
      assert.equal(isOpaque(sql), false, sql)
  })

  test('is that of an array or row made of columns', () => {
    for (const sql of [
      "select array[d] = '{y}' from one",
      "select array(select d from one) = '{y}'",
      "select lag(d, 1, 'y') over () from one",
      'select array_agg(z) = $1 from (select d as z from one) q',
      "select (d).array_agg = '{y}' from one",
      "select coalesce(one, '(1,y)') from one",
      "select coalesce(one.*, '(1,y)') from one",
      'select one.other from one',
    ]) {
      assert.ok(isOpaque(sql), sql)
      assert.ok(understand(sql, CATALOG).runsWhenPrepared, sql)
    }
    for (const sql of [
      "select one.*, coalesce(d, 'x'), lower(d) from one where d in ('a', 'b') and (id, d) > (1, 'a')",
      'select * from one where id = any(array[1, $1])',
      'select array_agg(id), array[id] from acc',
    ])
      assert.equal(isOpaque(sql), false, sql)
  })

  test('is that of a row with operators or casts of its own', () => {
    for (const sql of [
      'select a + a from acc a',
      'select a.* + a.* from acc a',
      'select 1 from heir a order by a',
      'select distinct a from (select acc as a from acc) q',
      'select null::acc + null::acc',
      'select null::heir + null::heir',
    ])
      assert.ok(isOpaque(sql), sql)
    for (const sql of ['select a.*, a.id, id from acc a order by a.id', 'select * from heir'])
      assert.equal(isOpaque(sql), false, sql)
  })

  test('makes preparing run something only where literals are read then', () => {
    const runs = (sql: string) => understand(sql, CATALOG).runsWhenPrepared
    for (const sql of [
      "select '{x}'::_d",
      "select '{x}'::d[]",
      "insert into w (ds) values ('{x}')",
      "update w set ds = '{x}'",
      "select _d('{x}')",
    ])
      assert.ok(runs(sql), sql)
    for (const sql of ["select 'x'::d", 'select 1', "select '{x}'::mood", 'select id from w'])
      assert.equal(runs(sql), false, sql)
  })

  test('is that of a column that gets a value, also where nothing is written', () => {
    for (const write of [
      "insert into w (ds) values ('{x}')",
      "insert into w values (1, 'x', '{x}')",
      "insert into w (id, ds) select id, '{x}' from acc",
      "insert into w (ds[1]) values ('x')",
      "insert into w (id) values (1) on conflict (id) do update set ds = '{x}'",
      "update w set ds = '{x}'",
      "update w set ds[1] = 'x'",
      "update w set (id, ds) = (1, '{x}')",
      "update w set (id, ds) = (select 1, '{x}')",
      "merge into w using acc on w.id = acc.id when matched then update set ds = '{x}'",
      "merge into w using acc on w.id = acc.id when not matched then insert (ds) values ('{x}')",
      "merge into w using acc on w.id = acc.id when not matched then insert values (1, 'x', '{x}')",
      "with x as (insert into w (ds) values ('{x}') returning id) select * from x",
      // The planner computes casts.
      "insert into w (d) values (lower('x'))",
    ]) {
      for (const plans of ['explain', 'explain (costs off)', 'explain (analyze false)'])
        assert.ok(isOpaque(`${plans} ${write}`), `${plans} ${write}`)
      // Nothing of it is a read.
      for (const runs of ['', 'explain analyze', 'prepare a as'])
        assert.ok(isWrite(`${runs} ${write}`), `${runs} ${write}`)
    }
    for (const write of [
      "insert into w (id, m) values (1, 'sad')",
      'insert into w default values',
      'insert into w (id) values (1) on conflict do nothing',
      "insert into w (id) values (1) on conflict (id) do update set m = 'sad'",
      "update w set m = 'sad' where id = 1",
      'delete from w where id = 1',
      "merge into w using acc on w.id = acc.id when matched then update set m = 'sad' when not matched then insert (id) values (1)",
      'merge into w using acc on w.id = acc.id when not matched then insert default values',
    ])
      for (const plans of ['prepare a as', 'explain'])
        assert.equal(isOpaque(`${plans} ${write}`), false, `${plans} ${write}`)
  })

  test('has an effect that is no read where a statement keeps a query, or a literal for a column', () => {
    for (const sql of [
      "declare c cursor for with x as (insert into w (ds) values ('{x}') returning id) select * from x",
      "copy (insert into w (ds) values ('{x}') returning id) to stdout",
      "copy (update w set ds = '{x}' returning id) to stdout",
      'copy w (ds) from stdin',
      "create view v as select id from w where ds = '{x}'",
      "create table t as select id from w where ds = '{x}'",
      "create materialized view v as select id from w where ds = '{x}'",
      "create table t (ds d[] default '{x}')",
      "create temp table t (ds d[] default '{x}')",
      "alter table w alter ds set default '{x}'",
      "create rule r as on insert to acc do also insert into w (ds) values ('{x}')",
      "create function f() returns void begin atomic insert into w (ds) values ('{x}'); end",
    ])
      assert.ok(!isRead(sql), sql)
    for (const sql of [
      "declare c cursor for select id from w where ds = '{x}'",
      "copy (select id from w where ds = '{x}') to stdout",
      "explain create table t as select id from w where ds = '{x}'",
      "explain declare c cursor for select id from w where ds = '{x}'",
    ])
      assert.ok(isOpaque(sql), sql)
  })

  test('is that of a column of what EXECUTE stands for', () => {
    const text = 'prepare a as insert into w (ds) values ($1)'
    const executes = { name: 'a', text }
    assert.ok(isOpaque("explain execute a('{x}')", { executes }))
  })

  test('is not plain where nobody described types', () => {
    const { types: _, ...undescribed } = CATALOG
    for (const sql of ["select 'x'::mood", 'select m from w'])
      assert.ok(
        understand(sql, undescribed).effects.some(({ effect }) => effect === 'opaque'),
        sql,
      )
  })
})
