import { isUtf8 } from 'node:buffer'
import { notUtf8 } from './not-utf8.ts'

/**
 * A cursor over one frame. Reading past the end or text that is not UTF-8 does not throw: the reader keeps the first fault,
 * and everything read after that is empty. Look at `isComplete` before you use what was read.
 */
export type Reader = { readonly bytes: Buffer; at: number; fault: Fault | null }

/** The first thing that is wrong with a message, in PostgreSQL's words and with its SQLSTATE. */
export type Fault = { readonly code: '08P01' | '22021'; readonly message: string }

/** A reader of the frame's body, which begins at `at`. */
export const readerOf = (bytes: Buffer, at: number): Reader => ({ bytes, at, fault: null })

/** True if every read succeeded and nothing is left. */
export const isComplete = (reader: Reader): boolean =>
  reader.fault === null && reader.at === reader.bytes.length

/** The first fault of a reader, or that bytes are left; null where the message is complete. */
export const faultOf = (reader: Reader): Fault | null =>
  reader.fault ?? (reader.at === reader.bytes.length ? null : BYTES_LEFT)

export function readUint8(reader: Reader): number {
  return has(reader, 1, NO_DATA) ? reader.bytes.readUInt8(advance(reader, 1)) : 0
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
  if (count < 0 || !has(reader, count)) return fail(reader, TOO_FEW)
  const from = advance(reader, count)
  return reader.bytes.subarray(from, from + count)
}

/** The bytes up to the next zero, as a view without it. */
export function readCstringBytes(reader: Reader): Buffer {
  const end = reader.fault !== null ? -1 : reader.bytes.indexOf(0, reader.at)
  if (end < 0) return fail(reader, NO_STRING)
  const text = reader.bytes.subarray(reader.at, end)
  reader.at = end + 1
  return text
}

/** The text up to the next zero. It must be UTF-8: two names that differ must not become the same string. */
export function readCstring(reader: Reader): string {
  const text = readCstringBytes(reader)
  if (isUtf8(text)) return text.toString('utf8')
  fail(reader, encodingFault(text))
  return ''
}

/** A count, then as many items. It ends at the first failure, so a false count costs no more than the bytes that came. */
export function readList<T>(reader: Reader, read: (reader: Reader) => T): T[] {
  const count = readUint16(reader)
  const items: T[] = []
  for (let index = 0; index < count && reader.fault === null; index++) items.push(read(reader))
  return items
}

/** Goes past a list, and says where it began: only whether it is complete is looked at. */
export function skipList(reader: Reader, skip: (reader: Reader) => void): number {
  const from = reader.at
  const count = readUint16(reader)
  for (let index = 0; index < count && reader.fault === null; index++) skip(reader)
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

const has = (reader: Reader, count: number, fault = TOO_FEW): boolean => {
  if (reader.fault === null && reader.bytes.length - reader.at >= count) return true
  fail(reader, fault)
  return false
}

function skipBytes(reader: Reader, count: number): void {
  if (count < 0 || !has(reader, count)) fail(reader, TOO_FEW)
  else advance(reader, count)
}

const advance = (reader: Reader, count: number): number => {
  const from = reader.at
  reader.at += count
  return from
}

/** The first fault counts: PostgreSQL reads no further. */
const fail = (reader: Reader, fault: Fault): Buffer => {
  reader.fault ??= fault
  return EMPTY
}

/** The fault of a text that is no UTF-8. */
export const encodingFault = (text: Buffer): Fault => ({
  code: '22021',
  message: notUtf8(text) ?? 'invalid byte sequence for encoding "UTF8"',
})

/** The fault of a message that breaks the protocol, in these words of PostgreSQL. */
export const violates = (message: string): Fault => ({ code: '08P01', message })

const NO_DATA = violates('no data left in message')
const TOO_FEW = violates('insufficient data left in message')
const NO_STRING = violates('invalid string in message')
const BYTES_LEFT = violates('invalid message format')
const EMPTY = Buffer.alloc(0)
