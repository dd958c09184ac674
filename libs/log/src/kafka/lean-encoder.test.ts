import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import Encoder from 'kafkajs/src/protocol/encoder.js'
import { leanEncoder } from './lean-encoder.ts'

it('writes the same bytes as kafkajs does, whatever their number', () => {
  const original = mended()
  leanEncoder()
  const lean = mended()
  assert.notEqual(lean.writeUVarInt, original.writeUVarInt)
  fc.assert(
    fc.property(writes, (sequence) => {
      mend(original)
      const expected = written(sequence)
      mend(lean)
      assert.deepEqual(written(sequence), expected)
    }),
    { numRuns: 500 },
  )
  // Every size, since buffers grow at some of them.
  for (let size = 0; size < 2_100; size++)
    assert.equal(
      written([{ bytes: size }, { number: size }]).length,
      size + 2 * (size < 64 ? 1 : 2),
    )
})

type Write = { readonly number: number } | { readonly bytes: number }

const writes = fc.array(
  fc.oneof(
    fc.record({ number: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }),
    fc.record({ bytes: fc.nat(1_200) }),
  ),
  { maxLength: 60 },
)

/** The bytes of a request as kafkajs writes it: numbers, bytes, and encoders inside of encoders. */
function written(sequence: readonly Write[]): Buffer {
  const encoder = new Encoder()
  for (const write of sequence) {
    if ('number' in write) encoder.writeVarInt(write.number)
    else
      encoder.writeEncoder(new Encoder().writeVarIntBytes(Buffer.alloc(write.bytes, write.bytes)))
  }
  return Buffer.from(encoder.buffer)
}

type Mended = Pick<Encoder, 'ensureAvailable' | 'writeUVarInt'> &
  Pick<typeof Encoder, 'nextPowerOfTwo'>

const mended = (): Mended => ({
  nextPowerOfTwo: Encoder.nextPowerOfTwo,
  ensureAvailable: Encoder.prototype.ensureAvailable,
  writeUVarInt: Encoder.prototype.writeUVarInt,
})

function mend({ nextPowerOfTwo, ...methods }: Mended): void {
  Encoder.nextPowerOfTwo = nextPowerOfTwo
  Object.assign(Encoder.prototype, methods)
}
