import type response from 'kafkajs/src/protocol/requests/fetch/v11/response.js'
import type { HeaderView } from '../envelope.ts'
import { type Cursor, readVarint, varintSize, writeVarint } from './cursor.ts'

/** The keys under which a record that was read keeps its bytes and the place of its headers in them. */
const BYTES = Symbol('bytes')
const HEADERS_AT = Symbol('headersAt')

/**
 * One record of a batch, both ways (Kafka protocol guide, "Record Batch"):
 *
 * ```
 * Record => length VARINT, attributes INT8, timestamp_delta VARLONG, offset_delta VARINT, key VARBYTES,
 *   value VARBYTES, [header_key VARSTRING, header_value VARBYTES]
 * ```
 *
 * A record that was read keeps its headers encoded: most readers look at one of them and skip the record.
 */
export type ReadRecord = FetchedMessage & {
  readonly [BYTES]: Buffer
  readonly [HEADERS_AT]: number
}

/** A record as kafkajs gives it to its consumers. Here its headers are decoded when somebody asks. */
type FetchedMessage = Awaited<
  ReturnType<typeof response.decode>
>['responses'][number]['partitions'][number]['messages'][number]

/** The values of a batch that its records need. */
export type BatchHead = {
  readonly firstOffset: number
  readonly firstTimestamp: number
  /** The time that the broker stamped, the same for all records; null where each has its own. */
  readonly appendedAt: number | null
  readonly isControlBatch: boolean
  readonly context: ReadRecord['batchContext']
}

export function readRecord(from: Cursor, batch: BatchHead): ReadRecord {
  const { bytes } = from
  const length = readVarint(from)
  const end = from.at + length
  const attributes = bytes[from.at++] ?? 0
  const timestamp = batch.firstTimestamp + readVarint(from)
  const offset = batch.firstOffset + readVarint(from)
  const key = readPart(from)
  const value = readPart(from)
  const headersAt = from.at
  from.at = end
  return {
    magicByte: MAGIC,
    attributes,
    timestamp: String(batch.appendedAt ?? timestamp),
    offset: String(offset),
    key,
    value,
    get headers() {
      return headersIn({ bytes, at: headersAt }, bytesAt)
    },
    isControlRecord: batch.isControlBatch,
    batchContext: batch.context,
    [BYTES]: bytes,
    [HEADERS_AT]: headersAt,
  }
}

/** The headers of a record that was read here; null for one that kafkajs decoded itself. */
export function headersOfRead(message: object): HeaderView | null {
  const at = HEADERS_AT in message ? message[HEADERS_AT] : null
  const bytes = BYTES in message ? message[BYTES] : null
  if (typeof at !== 'number' || !(bytes instanceof Buffer)) return null
  return {
    text: (name) => headerIn({ bytes, at }, name),
    all: () => headersIn({ bytes, at }, textAt),
  }
}

/** A record as kafkajs is given it. */
export type GivenRecord = {
  readonly key?: Content
  readonly value: Content
  readonly timestamp?: string
  readonly headers?: Readonly<Record<string, GivenHeader | GivenHeader[] | undefined>>
}
type Content = Buffer | string | null
type GivenHeader = Buffer | string

/** A record with all sizes computed, so that it can be written in one pass. */
export type MeasuredRecord = {
  /** Without the length in front. */
  readonly size: number
  readonly timestampDelta: number
  readonly offsetDelta: number
  readonly key: Part
  readonly value: Part
  readonly headers: readonly { readonly name: Part; readonly value: Part }[]
}

/** Bytes, or a text that becomes some; null is not the same as empty, and has the size -1. */
type Part = { readonly content: Content; readonly size: number }

export function measuredRecord(
  given: GivenRecord,
  at: Pick<MeasuredRecord, 'timestampDelta' | 'offsetDelta'>,
): MeasuredRecord {
  const key = part(given.key)
  const value = part(given.value)
  const headers = Object.entries(given.headers ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((one) => ({
      name: part(name),
      value: part(one),
    })),
  )
  const size =
    1 +
    varintSize(at.timestampDelta) +
    varintSize(at.offsetDelta) +
    partSize(key) +
    partSize(value) +
    headers.reduce(
      (sum, header) => sum + partSize(header.name) + partSize(header.value),
      varintSize(headers.length),
    )
  return { ...at, size, key, value, headers }
}

export function writeRecord(to: Cursor, record: MeasuredRecord): void {
  writeVarint(to, record.size)
  to.bytes[to.at++] = 0
  writeVarint(to, record.timestampDelta)
  writeVarint(to, record.offsetDelta)
  writePart(to, record.key)
  writePart(to, record.value)
  writeVarint(to, record.headers.length)
  for (const { name, value } of record.headers) {
    writePart(to, name)
    writePart(to, value)
  }
}

/** All headers by name; of a name that stands there more than once, the first counts. */
function headersIn<T>(from: Cursor, read: (bytes: Buffer, begin: number, end: number) => T) {
  const headers: Record<string, T> = {}
  for (let rest = readVarint(from); rest > 0; rest--) {
    const length = readVarint(from)
    const name = from.bytes.toString('latin1', from.at, from.at + length)
    from.at += length
    const size = Math.max(0, readVarint(from))
    headers[name] ??= read(from.bytes, from.at, from.at + size)
    from.at += size
  }
  return headers
}

/** The first header of this name, without making anything of the others. */
function headerIn(from: Cursor, name: string): string | undefined {
  for (let rest = readVarint(from); rest > 0; rest--) {
    const length = readVarint(from)
    const isIt = length === name.length && isAt(from, name)
    from.at += length
    const size = Math.max(0, readVarint(from))
    if (isIt) return textAt(from.bytes, from.at, from.at + size)
    from.at += size
  }
  return undefined
}

function isAt({ bytes, at }: Cursor, name: string): boolean {
  for (let index = 0; index < name.length; index++)
    if (bytes[at + index] !== name.charCodeAt(index)) return false
  return true
}

function readPart(from: Cursor): Buffer | null {
  const size = readVarint(from)
  if (size < 0) return null
  from.at += size
  return bytesAt(from.bytes, from.at - size, from.at)
}

function part(content: Content | undefined): Part {
  if (content === null || content === undefined) return { content: null, size: -1 }
  return { content, size: Buffer.byteLength(content) }
}

const partSize = ({ size }: Part): number => varintSize(size) + Math.max(0, size)

function writePart(to: Cursor, { content, size }: Part): void {
  writeVarint(to, size)
  if (content === null) return
  if (typeof content === 'string') to.bytes.write(content, to.at)
  else to.bytes.set(content, to.at)
  to.at += size
}

const textAt = (bytes: Buffer, begin: number, end: number): string =>
  bytes.toString('utf8', begin, end)
const bytesAt = (bytes: Buffer, begin: number, end: number): Buffer => bytes.subarray(begin, end)

/** The only format of batches that is read and written here. */
export const MAGIC = 2
