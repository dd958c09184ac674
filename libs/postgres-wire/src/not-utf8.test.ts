import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { notUtf8 } from './not-utf8.ts'

test('the first bytes that are no UTF-8 are told as PostgreSQL does', () => {
  for (const [bytes, hex] of [
    [[0x61, 0xe9, 0x27], '0xe9 0x27'],
    [[0x61, 0xe9, 0x20, 0x62, 0x63], '0xe9 0x20 0x62'],
    [[0xc3, 0xa9, 0xff, 0x20], '0xff'],
    [[0x80], '0x80'],
    [[0xed, 0xa0, 0x80, 0x61], '0xed 0xa0 0x80'],
    [[0xc0, 0x80], '0xc0 0x80'],
    [[0xf4, 0x90, 0x80, 0x80], '0xf4 0x90 0x80 0x80'],
    [[0x61, 0xf0, 0x9f], '0xf0 0x9f'],
  ] as const)
    assert.equal(
      notUtf8(Uint8Array.from(bytes)),
      `invalid byte sequence for encoding "UTF8": ${hex}`,
    )
  for (const text of ['', 'select 1', "select 'é🐘'"])
    assert.equal(notUtf8(Buffer.from(text)), null)
})

test('bytes that are no UTF-8 are found behind any text', () => {
  const bad = fc.constantFrom(
    [0xff],
    [0x80],
    [0xc3],
    [0xe2, 0x82],
    [0xf0, 0x9f, 0x90],
    [0xed, 0xa0, 0x80],
  )
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      bad,
      fc.string(),
      (before, bytes, after) => {
        const alone = notUtf8(Buffer.concat([Buffer.from(bytes), Buffer.from(after)]))
        const good = Buffer.from(before)
        assert.equal(notUtf8(Buffer.concat([good, Buffer.from(bytes), Buffer.from(after)])), alone)
      },
    ),
  )
})
