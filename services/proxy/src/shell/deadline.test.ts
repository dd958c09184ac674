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

test('a deadline of years does not pass at once', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  using limit = deadline(5 * 365 * 86_400_000)
  for (let day = 0; day < 30; day++) context.mock.timers.tick(86_400_000)
  assert.equal(limit.signal.aborted, false)
})
