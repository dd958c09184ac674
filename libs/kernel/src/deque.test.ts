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

// Seen to fail when each one is taken with `Array.shift`, and when the rest moves to the front each time.
test('taking one moves no more than one, however many wait', () => {
  let moved = 0
  const names = ['shift', 'slice', 'splice']
  const originals = names.map((name): unknown => Reflect.get(Array.prototype, name))
  const length = 100_000
  const queue = deque<number>()
  for (let item = 0; item < length; item++) queue.push(item)
  let taken = 0
  for (const [at, original] of originals.entries()) {
    assert(typeof original === 'function')
    Reflect.set(Array.prototype, names[at] ?? '', function (this: unknown[], ...given: unknown[]) {
      moved += this.length
      return Reflect.apply(original, this, given)
    })
  }
  try {
    while (queue.shift() === taken) taken++
  } finally {
    for (const [at, original] of originals.entries())
      Reflect.set(Array.prototype, names[at] ?? '', original)
  }
  assert.equal(taken, length)
  assert.ok(moved <= 2 * length, `${moved} were moved`)
})
