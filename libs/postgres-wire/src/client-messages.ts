import { isUtf8 } from 'node:buffer'
import { Secret } from '@countersign/kernel'
import {
  encodingFault,
  type Fault,
  faultOf,
  readBytes,
  readCstring,
  readCstringBytes,
  readerOf,
  readInt16,
  readInt32,
  readList,
  readUint32,
  readUint8,
  readValue,
  type Reader,
  skipInt16,
  skipList,
  skipValue,
  violates,
} from './reader.ts'

/** The messages of an authenticated client. `raw` is the exact frame, so that it can be forwarded unchanged. */
export type Request =
  | Query
  | Parse
  | Bind
  | Describe
  | Execute
  | Close
  | CopyData
  | CopyFail
  | FunctionCall
  | Bare
  | Malformed

/** A simple query: one string, perhaps of several statements. */
export type Query = Raw & StatementText & { readonly tag: 'Query' }

/** Names a statement, without values. */
export type Parse = Raw &
  StatementText & {
    readonly tag: 'Parse'
    readonly name: string
    readonly parameterTypes: readonly number[]
  }

/**
 * Gives a statement its values, and the pair a name. Lists are read from `raw` each time that they are asked for: as objects
 * 65,535 values of one byte take 23 times what they take there, so nothing keeps them.
 */
export type Bind = Raw & {
  readonly tag: 'Bind'
  readonly portal: string
  readonly statement: string
  /** 0 text, 1 binary: none = all text, one = for all, else one for each value. */
  readonly formats: readonly number[]
  readonly values: readonly (Buffer | null)[]
  readonly resultFormats: readonly number[]
}

export type Describe = Raw & Named & { readonly tag: 'Describe' }
export type Close = Raw & Named & { readonly tag: 'Close' }

/** Runs a portal; at most `maxRows` rows, 0 = all. */
export type Execute = Raw & {
  readonly tag: 'Execute'
  readonly portal: string
  readonly maxRows: number
}

export type CopyData = Raw & { readonly tag: 'CopyData'; readonly data: Buffer }
/** Ends a COPY. Whatever its words are, it does: `fault` tells what PostgreSQL says of those that cannot be read. */
export type CopyFail = Raw & {
  readonly tag: 'CopyFail'
  readonly reason: string
  readonly fault: Fault | null
}

/** The old fast path to call a function. It is not decoded, because it is always refused. */
export type FunctionCall = Raw & { readonly tag: 'FunctionCall' }

/** The messages that have no body. */
export type Bare = Raw & { readonly tag: 'Sync' | 'Flush' | 'CopyDone' | 'Terminate' }

/**
 * A message whose body is not of the form of its type. PostgreSQL answers it with an error and goes on, so it ends no session;
 * it is never forwarded, and its bytes are not kept.
 */
export type Malformed = Raw & {
  readonly tag: 'Malformed'
  readonly of: Request['tag']
  readonly fault: Fault
  /** The statement of a Bind, which PostgreSQL looks for before it reads on; null where that was not read. */
  readonly statement: string | null
}

/** An answer to a request for authentication. It is a secret and is never forwarded, so it has no `raw`. */
export type Password = { readonly tag: 'Password'; readonly body: Secret<Buffer> }

type Raw = { readonly raw: Buffer }
type Named = { readonly kind: 'statement' | 'portal'; readonly name: string }
type StatementText = {
  /** The exact bytes of the statement, without the zero at the end. */
  readonly text: Buffer
  /** The same as a string, or null when the bytes are not UTF-8: such a statement cannot be understood. */
  readonly sql: string | null
}

export type ClientTag = Request['tag'] | 'Password'

/** The class of size of a kind of message; the numbers of bytes are the engine's limits. */
export type SizeClass = 'frame' | 'smallFrame' | 'authentication'

/** The reader of messages that begin with one letter. */
export type Codec = {
  readonly tag: ClientTag
  readonly size: SizeClass
  decode(raw: Buffer): Request | Password
}

/** The codec for the first byte of a frame. */
export const codecOf = (letter: number): Codec | undefined => CODECS[letter]

/** The password of a PasswordMessage: text and one zero at the end. Null when it is something else. */
export function cleartextPassword(message: Password): Secret<string> | null {
  const body = message.body.expose()
  const text = body.subarray(0, -1)
  return body.length > 0 && body.indexOf(0) === body.length - 1 && isUtf8(text)
    ? new Secret(text.toString())
    : null
}

// Query: String. The string ends the message: the server refuses bytes after its zero, and so do we.
function decodeQuery(raw: Buffer): Query | Malformed {
  const reader = readerOf(raw, HEADER_BYTES)
  const text = readCstringBytes(reader)
  const fault = faultOf(reader)
  if (fault !== null) return malformed('Query', faultBehind(text, fault))
  return { tag: 'Query', raw, text, sql: sqlOf(text) }
}

// Parse: String name, String query, Int16 count, Int32[count] type OIDs.
function decodeParse(raw: Buffer): Parse | Malformed {
  const reader = readerOf(raw, HEADER_BYTES)
  const name = readName(reader)
  const text = readCstringBytes(reader)
  const parameterTypes = readList(reader, readUint32)
  const fault = faultOf(reader)
  if (fault !== null) return malformed('Parse', faultBehind(text, fault))
  return { tag: 'Parse', raw, name, text, sql: sqlOf(text), parameterTypes }
}

/** The fault of a message with a text: that of the text where it has one, as what is behind it is read after it. */
const faultBehind = (text: Buffer, fault: Fault): Fault =>
  isUtf8(text) ? fault : encodingFault(text)

// Bind: String portal, String statement, Int16[] formats, (Int32 length, bytes)[] values, Int16[] result formats.
function decodeBind(raw: Buffer): Bind | Malformed {
  const reader = readerOf(raw, HEADER_BYTES)
  const portal = readName(reader)
  const statement = readName(reader)
  const isNamed = reader.fault === null
  const formatsAt = skipList(reader, skipInt16)
  const valuesAt = skipList(reader, skipValue)
  const resultFormatsAt = skipList(reader, skipInt16)
  const fault = faultOf(reader)
  if (fault !== null) return malformed('Bind', fault, isNamed ? statement : null)
  const places: Places = { raw, formatsAt, valuesAt, resultFormatsAt }
  return Object.assign(listsOfBind(), { tag: 'Bind' as const, portal, statement }, places)
}

/** A Bind, and where its lists begin in it. */
type Places = {
  readonly raw: Buffer
  readonly formatsAt: number
  readonly valuesAt: number
  readonly resultFormatsAt: number
}

type BindLists = Pick<Bind, 'formats' | 'values' | 'resultFormats'>

/** Shared by all: getters of its own would give each Bind a shape of its own, eight times as large. */
const BIND_LISTS: BindLists & ThisType<Places> = {
  get formats() {
    return readList(readerOf(this.raw, this.formatsAt), readInt16)
  },
  get values() {
    return readList(readerOf(this.raw, this.valuesAt), readValue)
  },
  get resultFormats() {
    return readList(readerOf(this.raw, this.resultFormatsAt), readInt16)
  },
}

const listsOfBind = (): BindLists => Object.create(BIND_LISTS) as BindLists

// Describe, Close: Byte1 'S' or 'P', String name.
const decodeNamed =
  <Tag extends 'Describe' | 'Close'>(tag: Tag) =>
  (raw: Buffer): (Raw & Named & { readonly tag: Tag }) | Malformed => {
    const reader = readerOf(raw, HEADER_BYTES)
    const letter = readUint8(reader)
    const name = readName(reader)
    const fault = faultOf(reader)
    if (fault !== null) return malformed(tag, fault)
    const kind = KINDS[letter]
    if (kind !== undefined) return { tag, raw, kind, name }
    return malformed(tag, violates(`invalid ${tag.toUpperCase()} message subtype ${letter}`))
  }

// Execute: String portal, Int32 rows.
function decodeExecute(raw: Buffer): Execute | Malformed {
  const reader = readerOf(raw, HEADER_BYTES)
  const portal = readName(reader)
  const maxRows = readInt32(reader)
  const fault = faultOf(reader)
  return fault === null ? { tag: 'Execute', raw, portal, maxRows } : malformed('Execute', fault)
}

// CopyFail: String. PostgreSQL reads nothing behind its zero.
function decodeCopyFail(raw: Buffer): CopyFail {
  const reader = readerOf(raw, HEADER_BYTES)
  const reason = readCstring(reader)
  return { tag: 'CopyFail', raw, reason, fault: reader.fault }
}

function decodeCopyData(raw: Buffer): CopyData {
  const reader = readerOf(raw, HEADER_BYTES)
  return { tag: 'CopyData', raw, data: readBytes(reader, raw.length - HEADER_BYTES) }
}

const decodeEmpty =
  (tag: 'Sync' | 'Flush') =>
  (raw: Buffer): Bare | Malformed => {
    const fault = faultOf(readerOf(raw, HEADER_BYTES))
    return fault === null ? { tag, raw } : malformed(tag, fault)
  }

/** A message of which PostgreSQL reads no body, whatever it has. */
const decodeBare =
  (tag: 'CopyDone' | 'Terminate') =>
  (raw: Buffer): Bare => ({ tag, raw })

const decodeFunctionCall = (raw: Buffer): FunctionCall => ({ tag: 'FunctionCall', raw })

const decodePassword = (raw: Buffer): Password => ({
  tag: 'Password',
  body: new Secret(raw.subarray(HEADER_BYTES)),
})

const malformed = (
  of: Malformed['of'],
  fault: Fault,
  statement: string | null = null,
): Malformed => ({ tag: 'Malformed', raw: NO_BYTES, of, fault, statement })

/**
 * A name as the server compares it, by its first 63 bytes. Where these end amidst a character, it is completed to the least
 * that begins so: then the same names are equal here as there, and the server cuts the completion off again.
 */
function readName(reader: Reader): string {
  const bytes = readCstringBytes(reader)
  if (!isUtf8(bytes)) {
    reader.fault ??= encodingFault(bytes)
    return ''
  }
  if (bytes.length <= NAME_BYTES_MAX) return bytes.toString('utf8')
  const cut = bytes.subarray(0, NAME_BYTES_MAX)
  let start = NAME_BYTES_MAX
  while (!isUtf8(cut.subarray(0, start))) start--
  return cut.toString('utf8', 0, start) + completed(cut.subarray(start))
}

/** The least character in UTF-8 that begins with these bytes; nothing where there are none. */
function completed(bytes: Buffer): string {
  const [first] = bytes
  if (first === undefined) return ''
  const character = Buffer.from([...bytes, ...LEAST_REST.slice(bytes.length - 1)])
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  // In these two the second byte tells it from a shorter form of another character.
  if (bytes.length === 1 && first === 0xe0) character[1] = 0xa0
  if (bytes.length === 1 && first === 0xf0) character[1] = 0x90
  return character.toString('utf8', 0, length)
}

/** The least bytes behind the first of a character. */
const LEAST_REST: readonly number[] = [0x80, 0x80, 0x80]

const sqlOf = (text: Buffer): string | null => (isUtf8(text) ? text.toString('utf8') : null)

const codec = (
  tag: ClientTag,
  size: SizeClass,
  decode: (raw: Buffer) => Request | Password,
): Codec => ({ tag, size, decode })

/** A letter and the length. */
export const HEADER_BYTES = 5

const NAME_BYTES_MAX = 63
const NO_BYTES = Buffer.alloc(0)

const KINDS: Readonly<Partial<Record<number, Named['kind']>>> = {
  0x53: 'statement',
  0x50: 'portal',
}

const LETTERS: Readonly<Record<string, Codec>> = {
  Q: codec('Query', 'frame', decodeQuery),
  P: codec('Parse', 'frame', decodeParse),
  B: codec('Bind', 'frame', decodeBind),
  D: codec('Describe', 'smallFrame', decodeNamed('Describe')),
  E: codec('Execute', 'smallFrame', decodeExecute),
  C: codec('Close', 'smallFrame', decodeNamed('Close')),
  S: codec('Sync', 'smallFrame', decodeEmpty('Sync')),
  H: codec('Flush', 'smallFrame', decodeEmpty('Flush')),
  d: codec('CopyData', 'frame', decodeCopyData),
  c: codec('CopyDone', 'smallFrame', decodeBare('CopyDone')),
  f: codec('CopyFail', 'smallFrame', decodeCopyFail),
  F: codec('FunctionCall', 'frame', decodeFunctionCall),
  X: codec('Terminate', 'smallFrame', decodeBare('Terminate')),
  p: codec('Password', 'authentication', decodePassword),
}

const CODECS: readonly (Codec | undefined)[] = Array.from(
  { length: 256 },
  (_, byte) => LETTERS[String.fromCharCode(byte)],
)
