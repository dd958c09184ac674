import assert from 'node:assert/strict'
import { it } from 'node:test'
import { partitionOf } from './partition-of.ts'

it('partitionOf never changes: what is in the log was placed by it', () => {
  // The published test vectors of FNV-1a, 32 bits.
  assert.equal(partitionOf('', 2 ** 32), 0x811c9dc5)
  assert.equal(partitionOf('a', 2 ** 32), 0xe40c292c)
  assert.equal(partitionOf('foobar', 2 ** 32), 0xbf9cf968)
})

it('partitionOf spreads session ids evenly', () => {
  const counts = new Array<number>(8).fill(0)
  for (let index = 0; index < 8_000; index++) {
    const partition = partitionOf(
      `0190e8a0-0000-7000-8000-${index.toString(16).padStart(12, '0')}`,
      8,
    )
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  for (const count of counts) assert.ok(count > 800 && count < 1_200, `${count} of 8,000`)
})
