import { isUtf8 } from 'node:buffer'

/**
 * A cursor over one frame. Reading past the end or text that is not UTF-8 does not throw: it marks the reader as
 * failed, and everything read after that is empty. Look at `isComplete` before you use what was read.
 */
export type Reader = { readonly bytes: Buffer; at: number; failed: boolean }

/** A reader of the frame's body, which begins at `at`. */
export const readerOf = (bytes: Buffer, at: number): Reader => ({ bytes, at, failed: false })

/** True if every read succeeded and nothing is left. */
export const isComplete = (reader: Reader): boolean =>
  !reader.failed && reader.at === reader.bytes.length

export function readUint8(reader: Reader): number {
  return has(reader, 1) ? reader.bytes.readUInt8(advance(reader, 1)) : 0
}

export function readInt16(reader: Reader): number {
  return has(reader, 2) ? reader.bytes.readInt16BE(advance(reader, 2)) : 0
}

export function readUint16(reader: Reader): number {
  return has(reader, 2) ? reader.bytes.readUInt16BE(advance(reader, 2)) : 0
}

export function readInt32(reader: Reader): number {
  return has(reader, 4) ? reader.bytes.readInt32BE(advance(reader, 4)) : 0
}

export function readUint32(reader: Reader): number {
  return has(reader, 4) ? reader.bytes.readUInt32BE(advance(reader, 4)) : 0
}

/** The next bytes, as a view. */
export function readBytes(reader: Reader, count: number): Buffer {
  if (count < 0 || !has(reader, count)) return fail(reader)
  const from = advance(reader, count)
  return reader.bytes.subarray(from, from + count)
}

/** The bytes up to the next zero, as a view without it. */
export function readCstringBytes(reader: Reader): Buffer {
  const end = reader.failed ? -1 : reader.bytes.indexOf(0, reader.at)
  if (end < 0) return fail(reader)
  const text = reader.bytes.subarray(reader.at, end)
  reader.at = end + 1
  return text
}

/** The text up to the next zero. It must be UTF-8: two names that differ must not become the same string. */
export function readCstring(reader: Reader): string {
  const text = readCstringBytes(reader)
  if (isUtf8(text)) return text.toString('utf8')
  reader.failed = true
  return ''
}

/** A count, then as many items. It ends at the first failure, so a false count costs no more than the bytes that came. */
export function readList<T>(reader: Reader, read: (reader: Reader) => T): T[] {
  const count = readUint16(reader)
  const items: T[] = []
  for (let index = 0; index < count && !reader.failed; index++) items.push(read(reader))
  return items
}

/** Goes past a list, and says where it began: only whether it is complete is looked at. */
export function skipList(reader: Reader, skip: (reader: Reader) => void): number {
  const from = reader.at
  const count = readUint16(reader)
  for (let index = 0; index < count && !reader.failed; index++) skip(reader)
  return from
}

export function skipInt16(reader: Reader): void {
  skipBytes(reader, 2)
}

export function skipValue(reader: Reader): void {
  const length = readInt32(reader)
  if (length !== -1) skipBytes(reader, length)
}

/** A length and as many bytes; the length -1 stands for NULL. */
export function readValue(reader: Reader): Buffer | null {
  const length = readInt32(reader)
  return length === -1 ? null : readBytes(reader, length)
}

const has = (reader: Reader, count: number): boolean => {
  if (!reader.failed && reader.bytes.length - reader.at >= count) return true
  reader.failed = true
  return false
}

function skipBytes(reader: Reader, count: number): void {
  if (count < 0 || !has(reader, count)) reader.failed = true
  else advance(reader, count)
}

const advance = (reader: Reader, count: number): number => {
  const from = reader.at
  reader.at += count
  return from
}

const fail = (reader: Reader): Buffer => {
  reader.failed = true
  return EMPTY
}

const EMPTY = Buffer.alloc(0)
