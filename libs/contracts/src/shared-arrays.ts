import avro, { type Type } from 'avsc'
import { sha256, sharing } from '@countersign/kernel'

/**
 * An array that many messages repeat, such as the relations of a target in the events of each of its sessions: in the
 * schema it has `"logicalType": "shared"`. The same bytes are decoded once and become the same array, which nobody may
 * change; an array that was encoded once is not encoded again. The bytes are plain Avro: one block that tells its size
 * (Avro specification, "Arrays"), so that it is skipped without looking at its items.
 */
export class SharedArray extends avro.types.LogicalType {
  readonly #number = (instances += 1)

  _read(tap: Tap): unknown {
    const from = tap.pos
    this.#plain()._skip(tap)
    const bytes = tap.buf.subarray(from, tap.pos)
    if (bytes.length < SHARED_BYTES_MIN) return this.underlyingType.fromBuffer(bytes)
    const key = `${this.#number}:${sha256(bytes)}`
    return DECODED.get(key, bytes.length, () => this.underlyingType.fromBuffer(bytes))
  }

  _write(tap: Tap, array: unknown): void {
    if (!Array.isArray(array) || array.length === 0) return this.#plain()._write(tap, array)
    const bytes = encoded.get(array) ?? oneBlock(this.underlyingType, array)
    if (bytes.length >= SHARED_BYTES_MIN) encoded.set(array, bytes)
    tap.writeFixed(bytes)
  }

  /** Records of another version are read item by item. */
  _update(resolver: { _read?: unknown }, writer: Type, options: object): void {
    const items = this.underlyingType.createResolver(writer, options)
    Object.assign(resolver, { _read: (tap: Tap) => plain(items)._read(tap) })
  }

  override _fromValue(array: unknown): unknown {
    return array
  }

  override _toValue(array: unknown): unknown {
    return array
  }

  #plain(): Plain {
    return plain(this.underlyingType)
  }
}

/** The position in a buffer, as avsc 5.7.9 has it. */
type Tap = { readonly buf: Buffer; pos: number; writeFixed(bytes: Buffer): void }
type Plain = {
  _read(tap: Tap): unknown
  _skip(tap: Tap): void
  _write(tap: Tap, value: unknown): void
}

/** The methods of a type that its description for TypeScript leaves out. */
const plain = (type: object): Plain => type as Plain

/** `count` items as `-count`, the size of the items in bytes, the items, and the end of the array. */
function oneBlock(type: Type, array: readonly unknown[]): Buffer {
  const bytes = bytesOf(type, array)
  const items = bytes.subarray(bytesOf(LONG, array.length).length, bytes.length - END.length)
  return Buffer.concat([bytesOf(LONG, -array.length), bytesOf(LONG, items.length), items, END])
}

/** As `toBuffer`, whose buffer is in use while a message around this value is written. */
function bytesOf(type: Type, value: unknown): Buffer {
  // With too little room, `encode` answers how much is missing, as a negative number.
  const bytes = Buffer.allocUnsafe(-type.encode(value, Buffer.alloc(0)))
  type.encode(value, bytes)
  return bytes
}

let instances = 0
const LONG = avro.Type.forSchema('long')
const END = Buffer.of(0)
/** Decoded they take about eight times as much. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024
/** By the SHA-256 of their bytes. */
const DECODED = sharing<object>(KEPT_BYTES_MAX)
const encoded = new WeakMap<object, Buffer>()
/** Below this, decoding costs no more than finding out that it was done. */
const SHARED_BYTES_MIN = 1_024
