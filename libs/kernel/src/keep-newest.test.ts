import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepNewest } from './keep-newest.ts'

test('the oldest entries go, as many as are above the bound', () => {
  for (const [max, kept] of [
    [0, []],
    [1, ['c']],
    [2, ['b', 'c']],
    [3, ['a', 'b', 'c']],
    [9, ['a', 'b', 'c']],
  ] as const) {
    const set = new Set(['a', 'b', 'c'])
    keepNewest(set, max)
    assert.deepEqual([...set], kept)
    const map = new Map(['a', 'b', 'c'].map((key, value) => [key, value]))
    keepNewest(map, max)
    assert.deepEqual([...map.keys()], kept)
  }
})

test('an entry that is added again is as new as that', () => {
  const map = new Map([
    ['a', 1],
    ['b', 2],
  ])
  map.delete('a')
  map.set('a', 3)
  keepNewest(map, 1)
  assert.deepEqual([...map], [['a', 3]])
})
