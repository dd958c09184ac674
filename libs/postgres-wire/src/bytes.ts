import assert from 'node:assert/strict'

/** A frame: the letter, the length of itself and the body, the body. */
export function frame(letter: string, ...body: readonly Buffer[]): Buffer {
  const size = body.reduce((sum, part) => sum + part.length, 5)
  const bytes = Buffer.allocUnsafe(size)
  bytes.write(letter, 0, 'latin1')
  bytes.writeInt32BE(size - 1, 1)
  let at = 5
  for (const part of body) at += part.copy(bytes, at)
  return bytes
}

/** A packet of the start of a connection, which has no letter. */
export function untaggedFrame(...body: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(4 + body.reduce((sum, part) => sum + part.length, 0)), ...body])
}

export function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeUInt16BE(value & 0xffff)
  return bytes
}

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

/** A text and a zero. A zero inside would end the text early and begin another field, so no caller may pass one. */
export function cstring(text: string): Buffer {
  assert(!text.includes('\0'), 'a zero byte cannot stand inside a string of the protocol')
  return Buffer.from(`${text}\0`, 'utf8')
}

/** A count, then the items. */
export function list<T>(items: readonly T[], encode: (item: T) => Buffer): Buffer {
  assert(items.length <= COUNT_MAX, 'a list of the protocol has at most 65,535 items')
  return Buffer.concat([int16(items.length), ...items.map(encode)])
}

/** A length and the bytes; NULL is the length -1. */
export const lengthAndBytes = (value: Buffer | null): Buffer =>
  value === null ? int32(-1) : Buffer.concat([int32(value.length), value])

const COUNT_MAX = 65_535
