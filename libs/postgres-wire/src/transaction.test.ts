import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admit, refused, type Request, RUNNING, statusAfterRefusal } from './index.ts'

/** What becomes of each message that follows the refusal of the first. */
function after(first: Request['tag'], ...rest: readonly Request['tag'][]): readonly string[] {
  let [pipeline] = refused(first)
  return rest.map((tag) => {
    const [next, admission] = admit(pipeline, tag)
    pipeline = next
    return admission
  })
}

test('after a refused Execute everything up to Sync is thrown away, a simple Query too', () => {
  assert.deepEqual(after('Execute', 'Parse', 'Query', 'CopyData', 'Flush', 'Sync', 'Query'), [
    'discard',
    'discard',
    'discard',
    'discard',
    'answerReady',
    'handle',
  ])
})

test('after a refused simple Query the next message is handled', () => {
  assert.deepEqual(after('Query', 'Parse', 'Sync'), ['handle', 'handle'])
  assert.deepEqual(refused('Query'), [RUNNING, 'readyNow'])
  assert.equal(refused('FunctionCall')[1], 'readyNow')
  assert.equal(refused('Bind')[1], 'readyAtSync')
})

test('goodbye is heard while messages are thrown away', () => {
  assert.deepEqual(after('Parse', 'Terminate'), ['handle'])
})

test('a refusal inside a transaction block shows the client a failed one', () => {
  assert.deepEqual((['I', 'T', 'E'] as const).map(statusAfterRefusal), ['I', 'E', 'E'])
})
