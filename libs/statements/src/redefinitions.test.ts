// Seen to fail when `redefinitions` looks for words in the text, and when DEALLOCATE of one name gives 'all'.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import { type Redefinitions, redefinitions } from './redefinitions.ts'

before(loadStatements)

const ALL = { statements: 'all', portals: 'all' } as const
const NONE = { statements: [], portals: [] }
/** Rows with such words, in a text too long to be parsed where others wait. */
const ROWS = `insert into t values ${"(1, 'closed; deallocate all'), ".repeat(700)}(2, 'execute')`
const COMMENT = ` /* ${'close all; discard all; '.repeat(900)}*/`

const EXAMPLES: readonly (readonly [sql: string, expected: Redefinitions])[] = [
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
]

test('the grammar tells which names a text redefines', () => {
  for (const [sql, expected] of EXAMPLES) assert.deepEqual(redefinitions(sql), expected, sql)
  assert.deepEqual(redefinitions(null), ALL)
})

// Seen to fail with the limit of the loop.
test('the grammar tells it of a long text too, for whoever may parse it', () => {
  for (const [sql, expected] of EXAMPLES)
    for (const long of [`${sql}; ${ROWS}`, `${ROWS}; ${sql}`, `${sql}${COMMENT}`])
      assert.deepEqual(redefinitions(long, Infinity), expected, `${sql}, ${long.length}`)
})

test('of a long text that is not parsed a word is enough for all names', () => {
  assert.deepEqual(redefinitions(ROWS), ALL)
  assert.deepEqual(redefinitions(`select 1${COMMENT}`), ALL)
  assert.deepEqual(redefinitions(`insert into t values ${'(1), '.repeat(5_000)}(2)`), NONE)
})

test('the names of many statements are found in one pass', () => {
  const many = Array.from({ length: 40_000 }, (_, n) => `deallocate s${n % 20_000}`).join(';')
  assert.equal(redefinitions(many, Infinity).statements.length, 20_000)
})

const PLAIN = [
  '-- deallocate all\nselect 1',
  '/* close all; */ select prepared_at, closed from t where discarded',
  "select 'deallocate s; close all'",
  'select * from "discard" as declare',
  'explain declare c cursor for select 1'.replace('declare c cursor for ', ''),
  'discard plans; discard temp',
  'fetch all from c; move c',
  'rollback',
  '',
]

test('words redefine nothing', () => {
  for (const sql of PLAIN) assert.deepEqual(redefinitions(sql), NONE, sql)
})

test('words redefine nothing in a long text either, for whoever may parse it', () => {
  for (const sql of PLAIN)
    for (const long of [`${sql}; ${ROWS}`, `${ROWS}; ${sql}`, `${sql}${COMMENT}`])
      assert.deepEqual(redefinitions(long, Infinity), NONE, `${sql}, ${long.length}`)
})
