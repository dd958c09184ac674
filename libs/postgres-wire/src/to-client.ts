import { cstring, frame, int16, int32, list } from './bytes.ts'
import type { BackendKey, Column, TransactionStatus } from './server-messages.ts'

/** The fields of an error or a notice of Countersign. */
export type ErrorFields = {
  readonly severity: 'FATAL' | 'ERROR' | 'WARNING' | 'NOTICE' | 'INFO'
  /** The SQLSTATE: five digits or capital letters. */
  readonly code: string
  readonly message: string
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  /** The place in the statement, in characters, from 1. */
  readonly position?: number | undefined
  readonly where?: string | undefined
  readonly schema?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly dataType?: string | undefined
  readonly constraint?: string | undefined
  /** The function that reports it. */
  readonly routine?: string | undefined
}

/** The one byte that answers an SSLRequest or a GSSENCRequest. */
export const sslAnswer = (answer: 'S' | 'N'): Buffer => Buffer.from(answer, 'latin1')

/** Asks for the password as text; only inside TLS. */
export const authenticationCleartextPassword = (): Buffer => frame('R', int32(3))

export const authenticationOk = (): Buffer => frame('R', int32(0))

export const backendKeyData = (key: BackendKey): Buffer =>
  frame('K', int32(key.processId), key.secretKey)

export const parameterStatus = (name: string, value: string): Buffer =>
  frame('S', cstring(name), cstring(value))

export const readyForQuery = (status: TransactionStatus): Buffer =>
  frame('Z', Buffer.from(status, 'latin1'))

export const errorResponse = (fields: ErrorFields): Buffer =>
  errorFrame('E', lettersOf({ ...fields }))

export const noticeResponse = (fields: ErrorFields): Buffer =>
  errorFrame('N', lettersOf({ ...fields }))

/** An error or notice from its fields by letter, for example after they were masked. Empty fields are kept. */
export function errorFrame(tag: 'E' | 'N', fields: ReadonlyMap<string, string>): Buffer {
  const parts = [...fields].map(([letter, text]) => cstring(letter.charAt(0) + withoutZeros(text)))
  return frame(tag, ...parts, Buffer.alloc(1))
}

export const commandComplete = (commandTag: string): Buffer => frame('C', cstring(commandTag))

export const emptyQueryResponse = (): Buffer => frame('I')
export const parseComplete = (): Buffer => frame('1')
export const bindComplete = (): Buffer => frame('2')
export const closeComplete = (): Buffer => frame('3')
export const noData = (): Buffer => frame('n')

/** Tells the newest minor version that is spoken here, and the options of the client that are not known. */
export const negotiateProtocolVersion = (minor: number, options: readonly string[]): Buffer =>
  frame('v', int32((3 << 16) | minor), int32(options.length), ...options.map(cstring))

export const notificationResponse = (processId: number, channel: string, payload: string): Buffer =>
  frame('A', int32(processId), cstring(channel), cstring(payload))

export const rowDescription = (columns: readonly Column[]): Buffer =>
  frame('T', list(columns, columnBytes))

/** A row from its cells, for example after they were masked. It is written at once, because there are many. */
export function dataRow(cells: readonly (Buffer | null)[]): Buffer {
  let size = 7
  for (const cell of cells) size += 4 + (cell?.length ?? 0)
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeUInt8(DATA_ROW, 0)
  bytes.writeInt32BE(size - 1, 1)
  let at = bytes.writeUInt16BE(cells.length, 5)
  for (const cell of cells) {
    at = bytes.writeInt32BE(cell?.length ?? -1, at)
    if (cell !== null) at += cell.copy(bytes, at)
  }
  return bytes
}

/** The types of the parameters of a statement, by their OIDs. */
export const parameterDescription = (types: readonly number[]): Buffer =>
  frame('t', list(types, int32))

/** Asks for the data of a COPY FROM STDIN: the format of the whole, and of each column the same. */
export function copyInResponse(format: 'text' | 'binary', columns: number): Buffer {
  const code = format === 'text' ? 0 : 1
  const formats = Array.from({ length: columns }, () => code)
  return frame('G', Buffer.from([code]), list(formats, int16))
}

export const copyData = (data: Buffer): Buffer => frame('d', data)

const columnBytes = (column: Column): Buffer =>
  Buffer.concat([
    cstring(column.name),
    int32(column.tableOid),
    int16(column.columnAttribute),
    int32(column.typeOid),
    int16(column.typeSize),
    int32(column.typeModifier),
    int16(column.format === 'text' ? 0 : 1),
  ])

/** The severity stands twice: `S` may be translated by a server, `V` never is. */
function lettersOf(fields: ErrorFields): ReadonlyMap<string, string> {
  const letters: readonly (readonly [string, string | undefined])[] = [
    ['S', fields.severity],
    ['V', fields.severity],
    ['C', fields.code],
    ['M', fields.message],
    ['D', fields.detail],
    ['H', fields.hint],
    ['P', fields.position?.toString()],
    ['W', fields.where],
    ['s', fields.schema],
    ['t', fields.table],
    ['c', fields.column],
    ['d', fields.dataType],
    ['n', fields.constraint],
    ['R', fields.routine],
  ]
  return new Map(
    letters.flatMap(([letter, text]) => (text === undefined ? [] : [[letter, text] as const])),
  )
}

/** A text without zeros: people may write anything, and a zero would end the field and begin another. */
const withoutZeros = (text: string): string => text.replaceAll('\0', '\uFFFD')

const DATA_ROW = 0x44
