import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inParallel } from './in-parallel.ts'
import { oneAtATime } from './one-at-a-time.ts'

test('work is never under way twice, and goes on after a failure', async () => {
  let turns = 0
  let gate = Promise.withResolvers<void>()
  const work = oneAtATime(async () => {
    turns++
    await gate.promise
  })
  const first = work()
  await work()
  assert.equal(turns, 1)
  gate.reject(new Error('broken'))
  await assert.rejects(first)
  gate = Promise.withResolvers()
  gate.resolve()
  await work()
  assert.equal(turns, 2)
})

test('each item is worked on once, at most so many at a time', async () => {
  let underWay = 0
  let most = 0
  const seen: number[] = []
  const items = Array.from({ length: 20 }, (_, index) => index)
  await inParallel(items, 4, async (item) => {
    most = Math.max(most, ++underWay)
    await new Promise(setImmediate)
    seen.push(item)
    underWay--
  })
  assert.equal(most, 4)
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    items,
  )
  await inParallel([], 4, () => assert.fail())
})

/** Seen to fail, with work of the first call under way in the second, when a failure ends the wait for the others. */
test('after a failure nothing is under way any more', async () => {
  let underWay = 0
  const slow = Promise.withResolvers<void>()
  const work = oneAtATime(async () => {
    await inParallel(['fails', 'waits'], 2, async (item) => {
      if (item === 'fails') throw new Error('broken')
      underWay++
      await slow.promise
      underWay--
    })
  })
  const first = work()
  let isOver = false
  const over = assert.rejects(first, /broken/).then(() => (isOver = true))
  await new Promise(setImmediate)
  assert.deepEqual([underWay, isOver], [1, false])
  await work()
  assert.equal(underWay, 1)
  slow.resolve()
  await over
  assert.equal(underWay, 0)
})
