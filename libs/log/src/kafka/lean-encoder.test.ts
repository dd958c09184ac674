import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import Encoder from 'kafkajs/src/protocol/encoder.js'
import { leanEncoder } from './lean-encoder.ts'

it('writes the same bytes as kafkajs does', () => {
  const original = Encoder.prototype.writeUVarInt
  const bytesOf = (values: readonly number[]): Buffer => {
    const encoder = new Encoder()
    for (const value of values) encoder.writeVarInt(value)
    return encoder.buffer
  }
  leanEncoder()
  const lean = Encoder.prototype.writeUVarInt
  assert.notEqual(lean, original)
  const numbers = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 100 })
  fc.assert(
    fc.property(numbers, (values) => {
      Encoder.prototype.writeUVarInt = original
      const expected = bytesOf(values)
      Encoder.prototype.writeUVarInt = lean
      assert.deepEqual(bytesOf(values), expected)
    }),
  )
})
