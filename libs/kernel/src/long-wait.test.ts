import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { after } from './long-wait.ts'

const DAY_MS = 86_400_000
const TIMER_MS_MAX = 2_147_483_647

test('a wait of any length ends when it is due, and not a millisecond before', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 * 365 * DAY_MS }), (ms) => {
      let isOver = false
      using _wait = after(ms, () => (isOver = true))
      // A mocked timer that another one sets counts from the end of the tick, so no tick goes past the end of a timer.
      for (let left = ms - 1; left > 0; left -= TIMER_MS_MAX)
        context.mock.timers.tick(Math.min(left, TIMER_MS_MAX))
      assert.equal(isOver, false, `ended before ${ms} ms`)
      context.mock.timers.tick(1)
      assert.equal(isOver, true, `did not end after ${ms} ms`)
    }),
    { numRuns: 50, examples: [[2_147_483_647], [2_147_483_648], [30 * DAY_MS], [3650 * DAY_MS]] },
  )
})

for (const ms of [0, -1, -Infinity, NaN]) {
  test(`a wait of ${ms} ms is due at once`, (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] })
    let isOver = false
    using _wait = after(ms, () => (isOver = true))
    context.mock.timers.tick(1)
    assert.equal(isOver, true)
  })
}

test('a wait for ever never ends', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let isOver = false
  using _wait = after(Infinity, () => (isOver = true))
  for (let day = 0; day < 100; day++) context.mock.timers.tick(DAY_MS)
  assert.equal(isOver, false)
})

test('a long wait that is disposed between two timers never ends', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let isOver = false
  const wait = after(30 * DAY_MS, () => (isOver = true))
  for (let day = 0; day < 26; day++) context.mock.timers.tick(DAY_MS)
  wait[Symbol.dispose]()
  for (let day = 0; day < 10; day++) context.mock.timers.tick(DAY_MS)
  assert.equal(isOver, false)
})
