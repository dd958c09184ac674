import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { loadStatements, type TargetCatalog, understand } from './index.ts'

before(loadStatements)

const CATALOG: TargetCatalog = {
  searchPath: ['shop'],
  relations: ['t', 'u'].map((name, index) => ({
    oid: index + 1,
    schema: 'shop',
    name,
    kind: 'table',
    columns: ['id', 'i', name === 't' ? 'mine' : 'other'].map((column, place) => ({
      attnum: place + 1,
      name: column,
    })),
    dependsOn: [],
  })),
  routines: [],
}

const unbounded = (sql: string): readonly string[] =>
  understand(sql, CATALOG).unbounded.map(({ tag, relation }) => `${tag} ${relation.name}`)

/** Conditions that leave no row out. */
const EVERY_ROW = [
  ...['true', "'t'", '1 = 1', 'not false', 'i = i', 'i >= i', 'not i <> i', 'not (i < i)'],
  ...['i is not null or i is null', 'i is null or true', 'i = 1 or i <> 1', 'i < 1 or i >= 1'],
  ...[
    'i <= 1 or i > 1',
    'i < 1 or i = 1 or i > 1',
    'not (i = 1 and i <> 1)',
    'not (i is null and i is not null)',
  ],
  ...[
    '(mine = 1) or not (mine = 1)',
    'i = 1 or 1 = 1',
    'true and true',
    '(true) is true',
    '$1',
    '$1 = 2',
  ],
  ...[
    'exists (select 1)',
    'exists (select 1 from u)',
    'exists (select 1 from u where u.i = 1)',
    '(select true)',
  ],
  ...[
    '(select count(*) from u) > 0',
    '1 in (select 1)',
    'random() >= 0',
    'now() > $1',
    'coalesce(true)',
  ],
  ...[
    "mine like '%'",
    "mine ilike '%%'",
    'case when i = 1 then true else true end',
    "current_user = 'a'",
  ],
  ...[
    'coalesce(i, 0) = coalesce(i, 0)',
    'i is not distinct from i',
    '2 between 1 and 3',
    'null is null',
  ],
]

/** Conditions that say which rows. */
const SOME_ROWS = [
  ...['i = 1', 'i = $1', 't.i = 1', 'not i = 1', 'mine', 'not mine', 'i in (1, 2)', 'i = any ($1)'],
  ...[
    'i = 1 and true',
    'i = 1 or i = 2',
    'i < 1 or i > 1',
    'i is null',
    'i is not null or mine is null',
  ],
  ...[
    'i between 1 and 2',
    "mine like 'a%'",
    'i in (select i from u)',
    'exists (select 1 from u where u.i = t.i)',
  ],
  ...[
    'i = (select max(i) from u)',
    'abs(i) = 1',
    'i <> i',
    '(i, mine) = (1, 2)',
    'case when i = 1 then true else false end',
  ],
  ...['(select count(*) from u where u.i = t.i) > 1'],
  // Known limits: only the data would tell.
  ...[
    'i > 0',
    'i is not null',
    'i in (select i from t)',
    'case when i = 1 then 1 = 1 else true end',
    'coalesce(i = 1, true) or i = 2',
  ],
]

describe('every row', () => {
  for (const condition of EVERY_ROW)
    test(`where ${condition}`, () => {
      assert.deepEqual(unbounded(`delete from t where ${condition}`), ['DELETE t'])
      assert.deepEqual(unbounded(`update t set i = 1 where ${condition}`), ['UPDATE t'])
    })
  const others: Readonly<Record<string, readonly string[]>> = {
    'truncate t, u': ['TRUNCATE t', 'TRUNCATE u'],
    'delete from t using u': ['DELETE t'],
    'delete from t using u where u.other = 1': ['DELETE t'],
    'delete from t using u where other = 1': ['DELETE t'],
    'update t set i = 1 from u': ['UPDATE t'],
    'update t a set i = 1 from u where u.i = 2': ['UPDATE t'],
    'merge into t using u on true when matched then delete': ['MERGE t'],
    'merge into t using u on u.i = 1 when matched then update set i = 1': ['MERGE t'],
    'merge into t using u on t.id = u.id when not matched by source then delete': ['MERGE t'],
    'with d as (delete from t where true returning i) select * from d': ['DELETE t'],
    'begin; update t set i = 1; delete from u where i = 1; commit': ['UPDATE t'],
  }
  for (const [sql, expected] of Object.entries(others))
    test(sql, () => assert.deepEqual(unbounded(sql), expected))
})

describe('some rows', () => {
  for (const condition of SOME_ROWS)
    test(`where ${condition}`, () =>
      assert.deepEqual(unbounded(`delete from t where ${condition}`), []))
  for (const sql of [
    'delete from t where current of c',
    'delete from t using u where t.id = u.id',
    'update t a set i = 1 from u where a.id = u.id',
    'delete from t using u where mine = other',
    'merge into t using u on t.id = u.id when matched then delete',
    'merge into t using u on true when not matched then insert values (1)',
    'merge into t using u on true when matched and t.i = 1 then delete',
    'explain delete from t',
    'insert into t values (1)',
  ])
    test(sql, () => assert.deepEqual(unbounded(sql), []))
})
