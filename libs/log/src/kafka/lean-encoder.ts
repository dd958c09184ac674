import Encoder from 'kafkajs/src/protocol/encoder.js'

/**
 * kafkajs encodes every header of every record in a buffer of 512 bytes of its own, and every variable-length number
 * in another. Buffers of 64 bytes live in the heap of V8, and numbers go where they belong: half the time of a record,
 * and most of the garbage. Requires what stands in kafkajs 2.2.4: its encoder begins with 511 and grows as needed.
 */
export function leanEncoder(): void {
  const nextPowerOfTwo = Encoder.nextPowerOfTwo
  Encoder.nextPowerOfTwo = (value) => (value === FIRST_BYTES ? SMALL_BYTES : nextPowerOfTwo(value))
  // Zigzag happened before; seven bits a byte, the lowest first (LEB128).
  Encoder.prototype.writeUVarInt = function (this: Encoder, value) {
    this.ensureAvailable(VARINT_BYTES_MAX)
    let rest = value
    while ((rest & ~0x7f) !== 0) {
      this.buf[this.offset++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buf[this.offset++] = rest
    return this
  }
}

const FIRST_BYTES = 511
const SMALL_BYTES = 64
const VARINT_BYTES_MAX = 5
