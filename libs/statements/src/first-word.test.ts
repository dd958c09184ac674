// Seen to fail when comments above the part that is looked at count as that part, and when the end of a token is not looked for.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { borrowsColumns } from './borrowed-columns.ts'
import { executedName, preparedName, seemsToExecute, seemsToUseName } from './executed.ts'
import { firstTokensOf, firstWordOf, withoutComments } from './first-word.ts'
import { loadStatements, LOOP_BYTES_MAX } from './parser.ts'
import { failsInFailedTransaction } from './transaction-exit.ts'

before(loadStatements)

const LONG = 'x'.repeat(20_000)
/** Ways to make a text long that change nothing of what it does, at its start, in its middle and at its end. */
const PADDED: readonly ((sql: string) => string)[] = [
  (sql) => `/* ${LONG} */ ${sql}`,
  (sql) => `/* /* ${LONG} */ "' */-- ${LONG}\n ;; ${sql}`,
  (sql) => `${' \n'.repeat(10_000)}${sql}`,
  (sql) => `${'-- a line\n'.repeat(900)}/*${LONG}*/${sql}`,
  (sql) => sql.replace(/^\w+/, `$& /* ${LONG} */ `),
  (sql) => `${sql} -- ${LONG}`,
]

test('the first tokens of a text are found behind comments, and between them', () => {
  for (const [sql, tokens] of [
    ['', []],
    [' ;; /* a */ -- b\n', []],
    ['select 1', ['select', '1']],
    [';-- c\r;/* /* n */ */execute/**/"a ""b"(1)', ['execute', '"a ""b"']],
    ['commit;begin', ['commit', ';']],
    ["'a text'", ["'a text'"]],
    ['/* no end', []],
    ['select "no end', ['select']],
    [`select ${'y'.repeat(2_000)} z`, ['select']],
  ] as const)
    assert.deepEqual(firstTokensOf(sql, 2), tokens, sql.slice(0, 40))
  assert.equal(firstWordOf('(select 1)'), '?')
  assert.equal(firstWordOf('1'), '?')
  assert.equal(firstWordOf(`${'/**/'.repeat(1_001)}commit`), '')
})

const TEXTS = [
  ...['execute p', 'execute "P p" (1)', 'EXECUTE p(1, 2)', 'prepare p as select 1', 'fetch all c'],
  ...['commit', 'END', 'rollback to s', 'abort work', "prepare transaction 'x'", 'begin work'],
  ...['select 1', 'select "fetch"', 'deallocate p', 'savepoint execute', 'explain execute p'],
]

test('a long text is judged by its first words as a short one is by the grammar', () => {
  for (const sql of TEXTS)
    for (const padded of PADDED) {
      const long = padded(sql)
      const name = `${long.slice(0, 10)} … ${sql}`
      assert.ok(long.length > LOOP_BYTES_MAX)
      assert.equal(seemsToExecute(long), executedName(sql), name)
      assert.equal(
        seemsToUseName(long),
        (executedName(sql) ?? preparedName(sql)) !== null || sql.startsWith('prepare '),
        name,
      )
      assert.equal(borrowsColumns(long), borrowsColumns(sql), name)
      assert.equal(failsInFailedTransaction(long), failsInFailedTransaction(sql), name)
      assert.equal(executedName(long, Infinity), executedName(sql), name)
      assert.equal(preparedName(long, Infinity), preparedName(sql), name)
    }
})

// Seen to fail when the limits of tokens and of comments are taken for the end of the text.
test('a text of few tokens is known without its comments, all of it or nothing', () => {
  for (const [sql, expected] of [
    [`/*${LONG}*/ set /* a */ x = 'y' --${LONG}`, "set x = 'y'"],
    [`select 1; --${LONG}\n select 2;`, 'select 1 ; select 2 ;'],
    [`--${LONG}`, ''],
    [`set a = 1 /*${LONG}`, 'set a = 1'],
    [`set a = '${'y'.repeat(2_000)}'`, null],
    [`set a = 'y`, null],
    [`set ${'a, '.repeat(50)}`, null],
    [`set a = 1${'/**/'.repeat(1_001)}; select 1`, null],
  ] as const)
    assert.equal(withoutComments(sql), expected, sql.slice(0, 40))
})

test('text behind its first words may do more than a long text seems to', () => {
  const more = `execute p(1); delete from t -- ${LONG}`
  assert.deepEqual([seemsToExecute(more), executedName(more, Infinity)], ['p', null])
  assert.equal(executedName(`execute p -- ${LONG}`), null)
})

// Seen to fail when `foundBehind` searches from the beginning of the text.
test('comments that are made to cost are passed over in one pass', (t) => {
  let passed = 0
  const { test: original } = RegExp.prototype
  t.mock.method(RegExp.prototype, 'test', function (this: RegExp, text: string) {
    const from = this.lastIndex
    const found = original.call(this, text)
    // A search that finds nothing has read the rest.
    passed += 1 + (found ? this.lastIndex : text.length) - from
    return found
  })
  for (const sql of [
    '/**/'.repeat(250_000),
    '/*'.repeat(500_000),
    '-- a\n'.repeat(200_000),
    `/*${'x'.repeat(1_000_000)}*/`,
    ' '.repeat(1_000_000),
  ]) {
    passed = 0
    firstWordOf(`${sql}commit`)
    assert.ok(passed > 1_000 && passed < 2 * sql.length, `${passed} characters were passed over`)
  }
})
