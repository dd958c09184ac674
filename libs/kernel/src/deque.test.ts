import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deque } from './deque.ts'

test('whatever is pushed and taken in whatever order, it is what an array would give', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 3_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const queue = deque<number>()
      const model: number[] = []
      let next = 0
      for (const one of steps) {
        for (let count = 0; count < one.count; count++) {
          if (one.do === 'push') {
            queue.push(next)
            model.push(next++)
          }
          if (one.do === 'shift') assert.equal(queue.shift(), model.shift())
        }
        assert.equal(queue.length, model.length)
        assert.equal(queue.first(), model[0])
        assert.equal(queue.last(), model.at(-1))
      }
    }),
    { numRuns: 60 },
  )
})

test('a queue of 400,000 is emptied in a moment', () => {
  const queue = deque<number>()
  for (let item = 0; item < 400_000; item++) queue.push(item)
  const since = performance.now()
  for (let item = 0; item < 400_000; item++) assert.equal(queue.shift(), item)
  // An array takes a minute for it.
  assert.ok(performance.now() - since < 2_000)
})
