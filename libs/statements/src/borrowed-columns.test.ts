import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { borrowsColumns, loadStatements } from './index.ts'

before(loadStatements)

test('a portal of EXECUTE or FETCH has columns that a name decides, and so may what is not looked at', () => {
  const long = ' '.repeat(20_000)
  for (const sql of ['execute p', 'fetch 1 from c', `fetch all from c${long}`, 'execute (', null])
    assert.equal(borrowsColumns(sql), true, String(sql).slice(0, 20))
  for (const sql of [
    ...["select 'fetch'", 'select 1 fetch first 1 row only', `select 1${long}`],
    ...[`select prefetched_at${long}`, `/* execute */; select 'fetch'${long}`],
  ])
    assert.equal(borrowsColumns(sql), false, sql.slice(0, 20))
  // The part that is looked at may end in the comment, in the word, or behind it.
  for (let length = 16_370; length < 16_390; length++)
    assert.equal(borrowsColumns(`/*${'c'.repeat(length)}*/fetch all from c`), true, `${length}`)
})
