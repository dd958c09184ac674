// Seen to fail when `redefinitions` looks for words in the text, and when DEALLOCATE of one name gives 'all'.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import { redefinitions } from './redefinitions.ts'

before(loadStatements)

const ALL = { statements: 'all', portals: 'all' }

test('the grammar tells which names a text redefines', () => {
  for (const [sql, expected] of [
    ['deallocate s', { statements: ['s'], portals: [] }],
    ['DEALLOCATE PREPARE "S t"', { statements: ['S t'], portals: [] }],
    ['/* c */ -- d\n deallocate all', { statements: 'all', portals: [] }],
    ['prepare s (int) as select $1', { statements: ['s'], portals: [] }],
    ['select 1; prepare s as select 1; deallocate t', { statements: ['s', 't'], portals: [] }],
    ['discard all', ALL],
    ['declare c cursor for select 1', { statements: [], portals: ['c'] }],
    ['declare U&"\\0063" cursor for select 1', { statements: [], portals: ['c'] }],
    ['close c; close all', { statements: [], portals: 'all' }],
    ['execute s', ALL],
    ['explain analyze execute s', ALL],
    ['create temp table t as execute s', ALL],
    [`prepare ${'s'.repeat(63)} as select 1`, { statements: 'all', portals: [] }],
    ['deallocate s and something else', ALL],
  ] as const)
    assert.deepEqual(redefinitions(sql), expected, sql)
  assert.deepEqual(redefinitions(null), ALL)
})

test('words redefine nothing', () => {
  for (const sql of [
    '-- deallocate all\nselect 1',
    '/* close all; */ select prepared_at, closed from t where discarded',
    "select 'deallocate s; close all'",
    'select * from "discard" as declare',
    'explain declare c cursor for select 1'.replace('declare c cursor for ', ''),
    'discard plans; discard temp',
    'fetch all from c; move c',
    'rollback',
    '',
  ])
    assert.deepEqual(redefinitions(sql), { statements: [], portals: [] }, sql)
})
