import assert from 'node:assert/strict'
import { test } from 'node:test'
import { turns } from './turn.ts'

test('within its turn one goes on at once; after it, others had theirs', async () => {
  let now = 0
  const turn = turns(() => now)
  let others = 0
  setImmediate(() => others++)
  now = 4
  await turn.next()
  assert.equal(others, 0)
  now = 5
  await turn.next()
  assert.equal(others, 1)
  setImmediate(() => others++)
  now = 9
  await turn.next()
  assert.equal(others, 1, 'the next turn began when the others had theirs')
})
