// Seen to fail when `hidesBuiltin` in functions.ts answers true for each name that the target has (12 rows), and when
// `overloaded` and `take` note nothing (27).
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { loadStatements, resultColumns, type TargetCatalog, understand } from './index.ts'

const [CITEXT, VECTOR] = [20_001, 20_002]

const routine = (name: string, overloads: string, more: object = {}) => ({
  ...{ schema: 'public', name, volatility: 'immutable', securityDefiner: false },
  ...{ language: 'sql', overloads, plain: false },
  ...more,
})
const type = (oid: number, name: string, more: object = {}) => ({
  ...{ oid, schema: 'public', name, kind: 'base', plain: true, composed: false },
  ...{ runsWhenRead: false, ...more },
})
const columns = (types: Readonly<Record<string, number>>) =>
  Object.entries(types).map(([name, typeOid], index) => ({ attnum: index + 1, name, typeOid }))

/** As with the extensions citext, pgcrypto and vector in `public`, and a cast of the target's own from a row to integer. */
const CATALOG: TargetCatalog = {
  searchPath: ['public'],
  relations: [
    {
      ...{ oid: 1, schema: 'public', name: 'vault', kind: 'table', dependsOn: [] },
      columns: columns({ id: 23, town: 25, email: CITEXT, embedding: VECTOR }),
    },
    {
      ...{ oid: 2, schema: 'public', name: 'acc', kind: 'table', dependsOn: [] },
      columns: columns({ id: 23, owner: 25 }),
    },
    {
      ...{ oid: 3, schema: 'public', name: 'old', kind: 'table', dependsOn: [] },
      columns: [{ attnum: 1, name: 'id' }],
    },
  ],
  routines: [
    routine('replace', 'values'),
    routine('strpos', 'values'),
    routine('max', 'values', { plain: true }),
    routine('gen_random_uuid', 'never', { volatility: 'volatile' }),
    routine('sum', 'literals', { language: 'plpgsql' }),
    routine('avg', 'literals', { plain: true }),
    routine('lower', 'always', { language: 'plpgsql' }),
    routine('upper', 'always', { plain: true }),
    routine('similarity', 'values', { plain: true }),
    { ...routine('int4', 'values'), schema: 'pg_catalog', language: 'type' },
    { ...routine('uuid', 'always'), schema: 'pg_catalog', language: 'type' },
  ],
  types: [type(CITEXT, 'citext'), type(VECTOR, 'vector')],
}

before(loadStatements)

const isOpaque = (sql: string, options = {}, catalog = CATALOG): boolean =>
  understand(sql, catalog, options).effects.some(({ effect }) => effect === 'opaque')

/** Only functions and casts of PostgreSQL itself, or what extensions in C compute. */
const OF_POSTGRES: readonly string[] = [
  "select replace('abc', 'b', 'x'), strpos('abc', 'b'), gen_random_uuid()",
  "select replace(town, 'b', $1) from vault",
  "select id, email, replace(town, 'b', 'x') from vault where email = 'a'",
  "select replace(q.town, 'b', 'x') from (select town from vault) q",
  'select max(id), max(town), max(email), sum(id), avg(id) from vault',
  'select avg(embedding), max(email) from vault',
  "select upper('x'), upper(email) from vault",
  'select sum(id) over (order by email) from vault',
  "select current_setting('server_version_num')::int, null::int, '5'::int, town::int from vault",
  'select id::int, email from vault',
  'prepare p(int) as select $1',
  "select * from json_to_record('{}') as t(a int)",
  "select * from json_table('[]', '$[*]' columns (a int path '$'))",
  'select (q.n)::int from (select town as n from vault) q',
  "select n::int from pg_class c, generate_series(1, 2) n where relname = 'x'",
  'select replace(relname::text, $1, $2), reltuples::int from pg_class',
]

/** A value of a type of the target comes to code of the target, or may. */
const OF_TARGET: readonly string[] = [
  "select replace(email, 'b', 'x') from vault",
  "select replace('b'::citext, 'b', 'x')",
  "select replace(email || 'x', 'b', 'x') from vault",
  "select replace((select email from vault limit 1), 'b', 'x')",
  "select replace(q.e, 'b', 'x') from (select email as e from vault) q",
  "with q as (select email as e from vault) select replace(e, 'b', 'x') from q",
  "select replace($1, 'b', 'x') from vault where email = $1",
  "select replace('a' #~# 'b', 'b', 'x')",
  "select replace(avg('[1]'), 'b', 'x')",
  "select replace(upper('a'), 'b', 'x')",
  "select replace(string => 'a', 'b', 'x')",
  "select replace(variadic array['a', 'b', 'x'])",
  'select v.strpos from vault v',
  "select ('a').strpos",
  'select replace(id::text, $1, $2) from old',
  "select replace(nowhere.a, 'b', 'x') from nowhere",
  "create index on vault (replace(email, 'a', 'b'))",
  "select sum('1')",
  'select sum($1)',
  "select sum('1' collate \"C\"), sum('1'::unknown)",
  'select sum(null)',
  "select lower('X')",
  "select similarity('a', 'b')",
  'select a::int from acc a',
  'select (a.*)::int from acc a',
  'select cast(q.r as int) from (select a as r from acc a) q',
  'select null::acc::int',
  'select n::int from old as o(n)',
  "select '{}'::acc[]::int[]",
  'update acc a set id = a::int',
  'insert into acc (id) values (1) returning new::int',
  "select '1'::uuid",
]

describe('a name that PostgreSQL and the target have', () => {
  for (const sql of OF_POSTGRES)
    test(`is PostgreSQL's: ${sql}`, () => assert.equal(isOpaque(sql), false))
  for (const sql of OF_TARGET)
    test(`may be the target's: ${sql}`, () => assert.equal(isOpaque(sql), true))

  test("may be the target's where pg_catalog does not come first", () => {
    const searchPath = ['public', 'pg_catalog']
    assert.ok(isOpaque('select gen_random_uuid()', {}, { ...CATALOG, searchPath }))
    assert.ok(!isOpaque("select replace('a', 'b', 'c')", {}, { ...CATALOG, searchPath }))
  })

  test("may be the target's where a parameter is of a type of the target", () => {
    assert.ok(isOpaque("select replace($1, 'b', 'x')", { parameterTypes: [CITEXT] }))
    assert.ok(!isOpaque("select replace($1, 'b', 'x')", { parameterTypes: [25] }))
  })

  test("may be the target's where a description does not say when it is chosen", () => {
    const routines = CATALOG.routines.map(({ overloads: _, plain: __, ...rest }) => rest)
    for (const sql of [
      "select replace('a', 'b', 'c')",
      'select max(id) from vault',
      'select null::int',
    ])
      assert.ok(isOpaque(sql, {}, { ...CATALOG, routines }), sql)
  })

  test('is made of anything where code of the target may make it', () => {
    const sql = "select replace(town, 'a', 'b'), replace(email, 'a', 'b') from vault"
    const [town, email] = resultColumns(sql, CATALOG).madeOf
    assert.deepEqual(
      town?.map(({ column }) => column),
      ['town'],
    )
    assert.equal(email, null)
  })
})
