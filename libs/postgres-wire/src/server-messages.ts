import { failed, ok, type Result } from '@countersign/kernel'
import {
  CommandCompleteMessage,
  NotificationResponseMessage,
  ParameterDescriptionMessage,
  ParameterStatusMessage,
  RowDescriptionMessage,
} from 'pg-protocol/dist/messages.js'
import { Parser } from 'pg-protocol/dist/parser.js'
import {
  isComplete,
  readBytes,
  readCstring,
  readCstringBytes,
  readerOf,
  readInt16,
  readInt32,
  readList,
  readUint8,
  readValue,
} from './reader.ts'
import type { ServerFrame, ServerTag } from './server-frames.ts'
import { type Violation, violation } from './violation.ts'

// Each function below reads one frame on demand. pg-protocol reads the forms that it reads whole. We read the others: it
// drops the `V` field of errors (and never ends when their terminator is missing), drops keys longer than 4 bytes, and
// copies rows. It does not say when a body is longer or shorter than its fields, so their sizes are compared with the frame.

/** One column of a result, as the server describes it. Table and attribute are 0 for an expression. */
export type Column = {
  readonly name: string
  readonly tableOid: number
  readonly columnAttribute: number
  readonly typeOid: number
  readonly typeSize: number
  readonly typeModifier: number
  readonly format: 'text' | 'binary'
}

/** The columns of a RowDescription. */
export function columnsOf(frame: ServerFrame): Result<readonly Column[], Violation> {
  const message = parsed(frame, 'T')
  if (!(message instanceof RowDescriptionMessage)) return MALFORMED
  const size = message.fields.reduce((sum, field) => sum + bytesOf(field.name) + 18, 2)
  if (!isExactly(frame, size)) return MALFORMED
  return ok(
    message.fields.map((field) => ({
      name: field.name,
      tableOid: field.tableID,
      columnAttribute: field.columnID,
      typeOid: field.dataTypeID,
      typeSize: field.dataTypeSize,
      typeModifier: field.dataTypeModifier,
      format: field.format,
    })),
  )
}

/** The types of a ParameterDescription. */
export function parameterTypesOf(frame: ServerFrame): Result<readonly number[], Violation> {
  const message = parsed(frame, 't')
  if (!(message instanceof ParameterDescriptionMessage)) return MALFORMED
  return isExactly(frame, 2 + 4 * message.dataTypeIDs.length) ? ok(message.dataTypeIDs) : MALFORMED
}

/** A setting that the server reports. */
export function parameterStatusOf(
  frame: ServerFrame,
): Result<{ readonly name: string; readonly value: string }, Violation> {
  const message = parsed(frame, 'S')
  if (!(message instanceof ParameterStatusMessage)) return MALFORMED
  const { parameterName: name, parameterValue: value } = message
  return isExactly(frame, bytesOf(name) + bytesOf(value)) ? ok({ name, value }) : MALFORMED
}

/** The tag of a command that ended, such as `INSERT 0 3`. */
export function commandTagOf(frame: ServerFrame): Result<string, Violation> {
  const message = parsed(frame, 'C')
  if (!(message instanceof CommandCompleteMessage)) return MALFORMED
  return isExactly(frame, bytesOf(message.text)) ? ok(message.text) : MALFORMED
}

/** The number of rows that a command tag names; null when it names none. */
export function rowCountOf(commandTag: string): number | null {
  const digits = /^[A-Z ]+(?:\d+ )?(\d+)$/.exec(commandTag)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** A NOTIFY of another session. */
export function notificationOf(
  frame: ServerFrame,
): Result<
  { readonly processId: number; readonly channel: string; readonly payload: string },
  Violation
> {
  const message = parsed(frame, 'A')
  if (!(message instanceof NotificationResponseMessage)) return MALFORMED
  const { processId, channel, payload } = message
  if (!isExactly(frame, 4 + bytesOf(channel) + bytesOf(payload))) return MALFORMED
  return ok({ processId, channel, payload })
}

/** `I` idle, `T` in a transaction block, `E` in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E'

/** The status of a ReadyForQuery. */
export function transactionStatusOf(frame: ServerFrame): Result<TransactionStatus, Violation> {
  const status = STATUS_OF[frame.raw.toString('latin1', BODY)]
  return frame.tag === 'Z' && status !== undefined ? ok(status) : MALFORMED
}

/** The cells of a DataRow, as views of the frame; null for NULL. */
export function cellsOf(frame: ServerFrame): Result<readonly (Buffer | null)[], Violation> {
  if (frame.tag !== 'D') return MALFORMED
  const reader = readerOf(frame.raw, BODY)
  const cells = readList(reader, readValue)
  return isComplete(reader) ? ok(cells) : MALFORMED
}

/**
 * True if a DataRow has so many cells, and each passes a test of where its bytes stand in the frame. Makes no object of
 * them. False for a malformed frame, of which `cellsOf` tells the fault.
 */
export function everyCell(
  { tag, raw }: ServerFrame,
  count: number,
  test: (column: number, start: number, end: number) => boolean,
): boolean {
  if (tag !== 'D' || raw.length < BODY + 2 || raw.readUInt16BE(BODY) !== count) return false
  let at = BODY + 2
  for (let column = 0; column < count; column++) {
    if (at + 4 > raw.length) return false
    const length = raw.readInt32BE(at)
    at += 4
    // -1 is NULL.
    if (length === -1) continue
    if (length < 0 || at + length > raw.length || !test(column, at, at + length)) return false
    at += length
  }
  return at === raw.length
}

/** The data of a CopyData, as a view of the frame. */
export const copyDataOf = (frame: ServerFrame): Result<Buffer, Violation> =>
  frame.tag === 'd' ? ok(frame.raw.subarray(BODY)) : MALFORMED

/**
 * The fields of an ErrorResponse or NoticeResponse by their letter, all of them: V, S, C, M, D, H, … Text that is not
 * UTF-8 (a database in SQL_ASCII) is read with replacement characters rather than refused, since it is only shown.
 */
export function errorFieldsOf(frame: ServerFrame): Result<ReadonlyMap<string, string>, Violation> {
  if (frame.tag !== 'E' && frame.tag !== 'N') return MALFORMED
  const reader = readerOf(frame.raw, BODY)
  const fields = new Map<string, string>()
  for (let letter = readUint8(reader); letter !== 0; letter = readUint8(reader)) {
    fields.set(String.fromCharCode(letter), readCstringBytes(reader).toString('utf8'))
  }
  return isComplete(reader) ? ok(fields) : MALFORMED
}

/** The key with which a session can be cancelled. */
export type BackendKey = { readonly processId: number; readonly secretKey: Buffer }

/** The key of a BackendKeyData; 4 bytes, or up to 256 from protocol 3.2 on. */
export function backendKeyOf(frame: ServerFrame): Result<BackendKey, Violation> {
  if (frame.tag !== 'K') return MALFORMED
  const reader = readerOf(frame.raw, BODY)
  const processId = readInt32(reader)
  const secretKey = readBytes(reader, frame.raw.length - BODY - 4)
  const isKey = isComplete(reader) && secretKey.length >= 4 && secretKey.length <= 256
  return isKey ? ok({ processId, secretKey }) : MALFORMED
}

/** The formats in which rows are copied: that of the whole, and that of each column (1 = binary). */
export type CopyFormats = {
  readonly direction: 'in' | 'out' | 'both'
  readonly format: 'text' | 'binary'
  readonly columnFormats: readonly number[]
}

/** The formats of a CopyInResponse, CopyOutResponse or CopyBothResponse. */
export function copyFormatsOf(frame: ServerFrame): Result<CopyFormats, Violation> {
  const direction = COPY_DIRECTIONS[frame.tag]
  const reader = readerOf(frame.raw, BODY)
  const format = readUint8(reader) === 0 ? 'text' : 'binary'
  const columnFormats = readList(reader, readInt16)
  if (direction === undefined || !isComplete(reader)) return MALFORMED
  return ok({ direction, format, columnFormats })
}

/** A request of the server for authentication, an answer to ours, or its consent (`Ok`). */
export type Authentication =
  | { readonly tag: 'Ok' | 'CleartextPassword' }
  | { readonly tag: 'Md5Password'; readonly salt: Buffer }
  | { readonly tag: 'Sasl'; readonly mechanisms: readonly string[] }
  | { readonly tag: 'SaslContinue' | 'SaslFinal'; readonly data: string }
  | { readonly tag: 'Unsupported'; readonly code: number }

/** The question of an Authentication message. */
export function authenticationOf(frame: ServerFrame): Result<Authentication, Violation> {
  if (frame.tag !== 'R' || frame.raw.length < BODY + 4) return MALFORMED
  const code = frame.raw.readInt32BE(BODY)
  const rest = frame.raw.subarray(BODY + 4)
  switch (code) {
    case 0:
      return rest.length === 0 ? ok({ tag: 'Ok' }) : MALFORMED
    case 3:
      return rest.length === 0 ? ok({ tag: 'CleartextPassword' }) : MALFORMED
    case 5:
      return rest.length === 4 ? ok({ tag: 'Md5Password', salt: rest }) : MALFORMED
    case 10:
      return mechanismsOf(rest)
    case 11:
      return ok({ tag: 'SaslContinue', data: rest.toString('utf8') })
    case 12:
      return ok({ tag: 'SaslFinal', data: rest.toString('utf8') })
    default:
      return ok({ tag: 'Unsupported', code })
  }
}

function mechanismsOf(rest: Buffer): Result<Authentication, Violation> {
  const reader = readerOf(rest, 0)
  const mechanisms: string[] = []
  for (let name = readCstring(reader); name !== ''; name = readCstring(reader))
    mechanisms.push(name)
  return isComplete(reader) ? ok({ tag: 'Sasl', mechanisms }) : MALFORMED
}

/** The message as pg-protocol reads it; null when it cannot. Other tags must not reach it: some make it hang. */
function parsed(frame: ServerFrame, tag: ServerTag): unknown {
  if (frame.tag !== tag) return null
  let message: unknown = null
  try {
    new Parser().parse(frame.raw, (parsedMessage) => {
      message = parsedMessage
    })
  } catch {
    // Reading past the end of the frame throws; the frame is malformed.
    return null
  }
  return message
}

/** The bytes that a string takes on the wire, with its zero. */
const bytesOf = (text: string): number => Buffer.byteLength(text) + 1

const isExactly = (frame: ServerFrame, bodyBytes: number): boolean =>
  frame.raw.length === BODY + bodyBytes

const BODY = 5

const MALFORMED: Result<never, Violation> = failed(violation('Malformed'))

const STATUS_OF: Readonly<Partial<Record<string, TransactionStatus>>> = { I: 'I', T: 'T', E: 'E' }

const COPY_DIRECTIONS: Readonly<Partial<Record<string, CopyFormats['direction']>>> = {
  G: 'in',
  H: 'out',
  W: 'both',
}
