import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paceOf } from './pace.ts'

const restsAfter = (pace: ReturnType<typeof paceOf>, counts: readonly number[]): number[] =>
  counts.map((count) => {
    pace.delivered(count)
    return pace.ms()
  })

test('a steady reader rests as long whatever comes', () => {
  assert.deepEqual(restsAfter(paceOf({ paceMs: () => 20 }), [1, 0, 0, 3]), [20, 20, 20, 20])
})

test('a reader that slows down rests longer and longer while nothing comes, and not at all when something does', () => {
  const pace = paceOf({ slowDownMs: 20 })
  assert.equal(pace.ms(), 0)
  assert.deepEqual(restsAfter(pace, [0, 0, 0, 0, 0, 0, 3, 0]), [1, 2, 4, 8, 16, 20, 0, 1])
})
