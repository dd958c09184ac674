// Seen to fail when `EXITS` lacks ROLLBACK TO, and when the last statement counts instead of the first.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import { failsInFailedTransaction } from './transaction-exit.ts'

before(loadStatements)

test('in a failed transaction only what ends it runs, as its first statement', () => {
  for (const sql of [
    ...[
      'select 1',
      'begin',
      'savepoint a',
      'release a',
      'set a.b = 1',
      'show all',
      'delete from t',
    ],
    ...['select 1; rollback', '-- rollback\nselect 1', "commit prepared 'x'", 'discard all'],
  ])
    assert.equal(failsInFailedTransaction(sql), true, sql)
  for (const sql of [
    ...['rollback', '/* c */ COMMIT', 'end', 'abort', 'rollback to a', "prepare transaction 'x'"],
    ...['rollback; delete from t', '', ' ; ', 'selec 1', '; ;rollback'],
  ])
    assert.equal(failsInFailedTransaction(sql), false, sql)
  assert.equal(failsInFailedTransaction(null), false)
  const long = ` -- ${'x'.repeat(20_000)}\n`
  assert.equal(failsInFailedTransaction(`/* c */ insert into t values (1)${long}`), true)
  assert.equal(failsInFailedTransaction(`/* c */ Rollback${long}`), false)
  assert.equal(failsInFailedTransaction(`; /* c */ ;Rollback${long}`), false)
  assert.equal(failsInFailedTransaction(`;; select 1${long}`), true)
})
