import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import {
  isLookedThrough,
  isSamePath,
  loadStatements,
  meantPath,
  pathIn,
  type PathRules,
  type TargetCatalog,
} from './index.ts'
import { resultColumns, understand } from './index.ts'

const RULES: PathRules = {
  own: ['shop'],
  others: [['tenant_*'], ['tenant_a', 'public'], ['Reports']],
  skipsUser: true,
}

/** As long as PostgreSQL keeps a name. */
const LONGEST = `tenant_${'l'.repeat(56)}`

describe('the path along which names are decided', () => {
  const MEANT: Readonly<Record<string, readonly string[] | null>> = {
    shop: ['shop'],
    '"shop"': ['shop'],
    '"$user", shop': ['shop'],
    '': ['shop'],
    pg_catalog: ['shop'],
    tenant_a: ['tenant_a'],
    TENANT_B: ['tenant_b'],
    tenant_: ['tenant_'],
    'tenant_a, public': ['tenant_a', 'public'],
    '"$user", tenant_a': ['tenant_a'],
    '"Reports"': ['Reports'],
    reports: null,
    tenant: null,
    'tenant_b, public': null,
    'public, tenant_a': null,
    'tenant_a, tenant_b': null,
    'tenant_a, pg_catalog': null,
    'pg_temp, tenant_a': null,
    '"tenant_*"': ['tenant_*'],
    'tenant_a,': null,
    '"Tenant_a"': null,
    [LONGEST]: [LONGEST],
    [`${LONGEST}x`]: null,
    [`"${LONGEST}x"`]: null,
    [`"tenant_${'é'.repeat(29)}"`]: null,
    ' \t\n\r\ftenant_a\f': ['tenant_a'],
    '\vtenant_a': null,
    'tenant_a\v': null,
    '\v': null,
  }
  for (const [path, meant] of Object.entries(MEANT))
    test(`${path || '(empty)'} is ${meant?.join(', ') ?? 'not allowed'}`, () =>
      assert.deepEqual(meantPath(pathIn(path), RULES), meant))

  test('where a schema may have the name of the role, "$user" is not passed over', () => {
    const rules = { ...RULES, skipsUser: false }
    assert.equal(meantPath(pathIn('"$user", shop'), rules), null)
  })

  test('no pattern has a schema of PostgreSQL itself', () => {
    const rules = { ...RULES, others: [['p*']] }
    assert.deepEqual(meantPath(pathIn('people'), rules), ['people'])
    assert.equal(meantPath(pathIn('pg_temp'), rules), null)
  })
})

test('a path has a bounded number of schemas', () => {
  const rules = { ...RULES, others: [64, 65].map((length) => Array<string>(length).fill('a')) }
  assert.equal(meantPath(rules.others[0] ?? [], rules)?.length, 64)
  assert.equal(meantPath(rules.others[1] ?? [], rules), null)
})

test('two paths are the same where each schema is', () => {
  assert.ok(isSamePath(['a', 'b'], ['a', 'b']))
  for (const other of [['a'], ['b', 'a'], ['a, b'], ['a', 'b', 'c']])
    assert.equal(isSamePath(['a', 'b'], other), false)
})

test('a schema that PostgreSQL passes over may only be the last', () => {
  const CASES: readonly (readonly [path: string, looked: string, isRight: boolean])[] = [
    ['a b', 'a b', true],
    ['a b', 'a', true],
    ['a b', '', true],
    ['a b', 'pg_catalog', true],
    ['a a b', 'a b', true],
    ['a pg_temp b', 'a pg_temp_12 b', true],
    ['a pg_temp b', 'a b', true],
    ['pg_catalog a', 'pg_catalog a', true],
    ['a b', 'b', false],
    ['a b c', 'a c', false],
    ['a b', 'a b c', false],
    ['a pg_catalog', 'pg_catalog', false],
  ]
  const split = (names: string): string[] => names.split(' ').filter(Boolean)
  for (const [path, looked, isRight] of CASES)
    assert.equal(isLookedThrough(split(path), split(looked)), isRight, `${path}: ${looked}`)
})

const relations = ['shop', 'tenant_a', 'tenant_b'].map((schema, index) => ({
  ...{ oid: index + 1, schema, name: schema === 'shop' ? 'orders' : 't', kind: 'table' },
  columns: [{ attnum: 1, name: 'word' }],
  dependsOn: [],
}))
const target = (searchPath: readonly string[]): TargetCatalog => ({
  ...{ searchPath, pathRules: RULES, relations, routines: [] },
})

describe('a target along another path', () => {
  before(() => loadStatements())

  test('unqualified names are those of the path in force', () => {
    for (const schema of ['tenant_a', 'tenant_b']) {
      const { tables, columns } = understand('select word from t', target([schema]))
      assert.deepEqual(
        tables.map((table) => table.schema),
        [schema],
      )
      assert.deepEqual(
        columns.map(({ relation }) => relation.schema),
        [schema],
      )
      const [made] = resultColumns('select word from t', target([schema])).madeOf
      assert.deepEqual(
        made?.map(({ relation }) => relation.schema),
        [schema],
      )
    }
    assert.equal(understand('select word from t', target(['shop'])).tables[0]?.oid, null)
  })

  /** Seen to fail when each path has an index of its own. */
  test('a description is read once for all its paths', () => {
    let reads = 0
    const counted = relations.map((relation) => ({
      ...relation,
      get schema() {
        reads++
        return relation.schema
      },
    }))
    const described = { ...target([]), relations: counted }
    const along = (schema: string) => ({ ...described, searchPath: [schema] })
    understand('select 1', along('tenant_a'))
    const readsOfOne = reads
    understand('select 1', along('tenant_b'))
    assert.equal(reads, readsOfOne)
  })

  const ALONE: readonly string[] = [
    'set search_path = tenant_a',
    'set local search_path to "tenant_b"',
    "select set_config('search_path', 'tenant_b', true)",
    'begin; set local search_path = tenant_a',
    // A word is cut off when it is parsed, as PostgreSQL does; a string is not.
    `set search_path = "${LONGEST}x"`,
    'set search_path = tenant_a; set timezone = utc; commit; begin',
    'begin; select * from t; commit',
    'set search_path = tenant_b; reset all',
    'set search_path = tenant_a; begin',
    // The one that is in force already.
    'set search_path = shop; select * from orders',
    'select oid from pg_catalog.pg_class; select * from orders',
    'begin; insert into orders default values; commit',
    'begin; savepoint s; select * from orders; release s; commit',
  ]
  const BEHIND: readonly string[] = [
    'set search_path = tenant_a; select * from t',
    "select set_config('search_path', 'tenant_b', true); select * from t",
    'set search_path to default; select * from t',
    'reset search_path; select * from t',
    'reset all; select 1',
    'discard all; select 1',
    'commit; select * from t',
    'rollback to s; select * from t',
    'begin; set local search_path = tenant_a; rollback; select * from t',
    // Triggers and views may change it.
    'insert into orders default values; select 1',
    'select * from shop.orders; select * from orders',
    `set search_path = '${LONGEST}x'`,
    `select set_config('search_path', '${LONGEST}x', false)`,
  ]
  for (const sql of ALONE)
    test(`passes: ${sql}`, () =>
      assert.equal(understand(sql, target(['shop'])).changesNames, false))
  for (const sql of BEHIND)
    test(`is unknown: ${sql}`, () =>
      assert.equal(understand(sql, target(['shop'])).changesNames, true))

  test('a relation that is in no schema of the path is unknown, but where it may be temporary', () => {
    const given = { mayHaveTemporary: false }
    for (const sql of ['select * from nowhere', 'insert into nowhere values (1)', 'delete from t'])
      assert.equal(understand(sql, target(['shop']), given).changesNames, true, sql)
    for (const sql of [
      'select * from orders',
      'with x as (select 1) select * from x',
      'create table u ()',
    ])
      assert.equal(understand(sql, target(['shop']), given).changesNames, false, sql)
    assert.equal(understand('select * from nowhere', target(['shop'])).changesNames, false)
  })

  test('where the target has one path alone, a commit moves nothing', () => {
    const plain = { ...target(['shop']), pathRules: { ...RULES, others: [] } }
    assert.equal(understand('commit; select * from orders', plain).changesNames, false)
    assert.equal(understand('set search_path = tenant_a', plain).changesNames, true)
  })

  test('nothing is hidden that another path would find', () => {
    for (const sql of ['create temp table t (a int)', 'select 1 as a into temp t'])
      assert.equal(understand(sql, target(['shop'])).changesNames, true)
    assert.equal(understand('create temp table mine (a int)', target(['shop'])).changesNames, false)
  })

  test('no schema gets the name of a role of Countersign', () => {
    for (const sql of [
      'create schema cs_x',
      'create schema authorization current_user',
      'alter schema old rename to cs_x',
    ])
      assert.equal(understand(sql, target(['shop'])).changesNames, true, sql)
    for (const sql of ['create schema x', 'create schema authorization x'])
      assert.equal(understand(sql, target(['shop'])).changesNames, false, sql)
  })
})
