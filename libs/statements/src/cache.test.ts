import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recentlyUsed } from './cache.ts'

test('what is used stays, what is not used goes', () => {
  const cache = recentlyUsed<number>(4, 1_000_000)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.set('c', 3)
  assert.equal(cache.get('a'), 1)
  cache.set('d', 4)
  assert.deepEqual([cache.get('a'), cache.get('b')], [1, undefined])
})

test('bytes are bounded too', () => {
  const cache = recentlyUsed<number>(100, 3_000)
  for (const letter of ['x', 'y', 'z']) cache.set(letter.repeat(500), 1)
  assert.equal(cache.get('x'.repeat(500)), undefined)
  assert.equal(cache.get('z'.repeat(500)), 1)
  cache.set('w'.repeat(5_000), 1)
  assert.equal(cache.get('w'.repeat(5_000)), undefined)
})
