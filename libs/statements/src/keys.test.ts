import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import { exactKey, loadStatements, shapeKey } from './index.ts'

before(loadStatements)

/** Pairs that must not share a shape; pg_query's fingerprint takes most of them for the same. */
const DIFFERENT: readonly (readonly [string, string])[] = [
  ['do $$ begin null; end $$', 'do $$ begin delete from t; end $$'],
  ['set role a', 'set role b'],
  ['set search_path = public', 'set search_path = evil'],
  ['select * from a.t', 'select * from b.t'],
  ["select pg_read_file('a')", "select pg_read_file('b')"],
  [
    "create function f() returns int language sql as 'select 1'",
    "create function f() returns int language sql as 'select 2'",
  ],
  ['select * from t limit 1', 'select * from t limit all'],
  ['select * from t limit 1', 'select * from t limit 1000'],
  ['select * from t offset 1', 'select * from t offset 2'],
  ['select * from t where id in (1)', 'select * from t where id in (1, 2, 3, 4, 5, 6)'],
  ['select * from t where true', 'select * from t where false'],
  ['delete from t where id = 1 or true', 'delete from t where id = 1 or false'],
  // A truth value decides, however it is written and wherever it comes from.
  ["delete from t where 'f'::bool", "delete from t where 't'::bool"],
  ["delete from t where cast('f' as boolean)", "delete from t where cast('t' as boolean)"],
  ["delete from t where bool 'f'", "delete from t where bool 't'"],
  ["delete from t where 'f'::text::bool", "delete from t where 't'::text::bool"],
  ['delete from t where 0::bool', 'delete from t where 1::bool'],
  ['delete from t where bool(0)', 'delete from t where bool(1)'],
  ['delete from t where (0).bool', 'delete from t where (1).bool'],
  ['delete from t where not false', 'delete from t where not true'],
  ['delete from t where a = 1 or 1 = 0', 'delete from t where a = 1 or 1 = 1'],
  ["delete from t where 'a' like 'b'", "delete from t where 'a' like '%'"],
  ['delete from t where coalesce(null, false)', 'delete from t where coalesce(null, true)'],
  [
    'with x as (select false) delete from t where (table x)',
    'with x as (select true) delete from t where (table x)',
  ],
  [
    "with x as (select 'f'::bool) delete from t where (table x)",
    "with x as (select 't'::bool) delete from t where (table x)",
  ],
  [
    'with x (y) as (select 1 = 2) delete from t using x where y',
    'with x (y) as (select 1 = 1) delete from t using x where y',
  ],
  ['select * from t tablesample system (1)', 'select * from t tablesample system (100)'],
  ['insert into t values (1)', 'insert into t values (1), (2), (3)'],
  ['begin', 'begin read only'],
  ["select set_config('a.b', 'c', false)", "select set_config('a.b', 'c', true)"],
  ["select set_config('role', 'a', false)", "select set_config('role', 'b', false)"],
  ["select f(lower('a'))", "select f(lower('b'))"],
  ['select a from t order by 1', 'select a from t order by 2'],
  ["select * from t where a = '1'", 'select * from t where a = 1'],
  ['select * from t where a = null', 'select * from t where a = 1'],
  ['explain select 1', 'explain select 2'],
  ['select a from t', 'select "A" from t'],
  ["select current_setting('b')", "select current_setting('a')"],
  ['select 1', 'select 1; select 1'],
  ["select 'a'::varchar(1)", "select 'a'::varchar(2)"],
]

describe('shapes', () => {
  for (const [one, other] of DIFFERENT)
    test(`${one} is not ${other}`, () => {
      assert.notEqual(shapeKey(one), null)
      assert.notEqual(shapeKey(one), shapeKey(other))
    })

  test('literals, comments and white space do not count', () => {
    assert.equal(
      shapeKey('select * from t where id=1'),
      shapeKey('SELECT * -- all\nFROM t WHERE id = 2'),
    )
    assert.equal(
      shapeKey("update t set a = 'x' where b = lower('C')"),
      shapeKey("update t set a = 'y' where b = lower('D')"),
    )
    assert.equal(
      shapeKey("select a + 1 from t where a > 1 and b = now() - interval '1 day' and not c"),
      shapeKey("select a + 2 from t where a > 2 and b = now() - interval '2 day' and not c"),
    )
    assert.equal(
      shapeKey('insert into t values (0, 1.5)'),
      shapeKey('insert into t values (7, 2.5)'),
    )
  })

  test('a parameter where the value counts leaves no shape', () => {
    const texts = [
      'select pg_read_file($1)',
      'select * from t limit $1',
      'select set_config($1, $2, false)',
      'delete from t where $1',
      'delete from t where a = 1 or not $1',
      'delete from t where $1::bool',
      'delete from t where coalesce($1, false)',
      'select * from t tablesample system ($1)',
    ]
    for (const sql of texts) assert.equal(shapeKey(sql), null, sql)
    const values = ['where id = $1', 'where $1 is null or id = $1', 'where a = $1::bool']
    for (const condition of values) assert.notEqual(shapeKey(`select * from t ${condition}`), null)
  })

  test('what does not parse has no shape', () => {
    for (const sql of [
      'selec',
      "select '",
      'select 1\0',
      Uint8Array.of(0xff),
      `select ${'1+'.repeat(20_000)}1`,
    ])
      assert.equal(shapeKey(sql), null)
  })

  test('bytes and text have the same keys', () => {
    assert.equal(shapeKey(Buffer.from("select 'é'")), shapeKey("select 'é'"))
    assert.equal(exactKey(Buffer.from("select 'é'")), exactKey("select 'é'"))
  })

  test('any text has a key or none, the same each time', () => {
    fc.assert(fc.property(fc.string(), (sql) => assert.equal(shapeKey(sql), shapeKey(sql))))
  })
})

test('an exact key is of every byte', () => {
  assert.notEqual(exactKey('select 1'), exactKey('select  1'))
  assert.notEqual(exactKey('select 1'), shapeKey('select 1'))
})
