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

test('taking one costs no more when 100,000 wait than when 4,000 do', () => {
  const takenUs = (length: number): number => {
    const queue = deque<number>()
    for (let item = 0; item < length; item++) queue.push(item)
    const before = process.cpuUsage()
    for (let item = 0; item < length; item++) assert.equal(queue.shift(), item)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / length
  }
  // `Array.shift` moves all elements each time, a thousand times the cost; the minimum leaves out garbage collection.
  const few = Math.min(...Array.from({ length: 50 }, () => takenUs(4_000)))
  const many = Math.min(...Array.from({ length: 3 }, () => takenUs(100_000)))
  assert.ok(many < 10 * few, `${many} us instead of ${few}`)
})
