import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes } from './random.ts'

test('no byte is given twice, however many are asked for', () => {
  const given = Array.from({ length: 2_000 }, (_, index) => randomBytes(index % 3 === 0 ? 12 : 10))
  assert.equal(new Set(given.map((bytes) => bytes.toString('hex'))).size, given.length)
  assert.ok(given.every((bytes, index) => bytes.length === (index % 3 === 0 ? 12 : 10)))
  assert.equal(randomBytes(10_000).length, 10_000)
})
