import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadline } from './deadline.ts'

test('a deadline that passes aborts', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  using limit = deadline(1_000)
  context.mock.timers.tick(999)
  assert.equal(limit.signal.aborted, false)
  context.mock.timers.tick(1)
  assert.equal(limit.signal.aborted, true)
})

test('a deadline of what has ended never aborts', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const limit = deadline(1_000)
  limit[Symbol.dispose]()
  context.mock.timers.tick(2_000)
  assert.equal(limit.signal.aborted, false)
})
