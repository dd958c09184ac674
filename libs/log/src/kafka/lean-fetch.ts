import type { HeaderView } from '../envelope.ts'
import response from 'kafkajs/src/protocol/requests/fetch/v11/response.js'

const BYTES = Symbol('bytes')
const HEADERS_AT = Symbol('headersAt')

/**
 * kafkajs 2.2.4 copies all headers of a record once for each of them, and reads every number of 64 bits by way of
 * BigInt, Long and text. Here a fetch is read in one pass, and headers only when somebody looks at them: most readers
 * skip most records. What this does not know (compressed batches, formats before Kafka 0.11) kafkajs decodes itself.
 */
export function leanFetch(): void {
  const { decode } = response
  response.decode = (bytes) => Promise.resolve(fetched(bytes) ?? decode(bytes))
}

/** The headers of a record that was read here; null for one that kafkajs decoded itself. */
export function leanHeaders(message: object): HeaderView | null {
  const at = HEADERS_AT in message ? message[HEADERS_AT] : null
  const bytes = BYTES in message ? message[BYTES] : null
  if (typeof at !== 'number' || !(bytes instanceof Buffer)) return null
  return {
    text: (name) => headerIn({ bytes, at }, name),
    all: () => headersIn({ bytes, at }, textAt),
  }
}

/**
 * ```
 * Fetch Response (version 11) => throttle_time_ms INT32, error_code INT16, session_id INT32, [topic]
 * topic => STRING, [partition INT32, error_code INT16, high_watermark INT64, last_stable_offset INT64,
 *   log_start_offset INT64, [producer_id INT64, first_offset INT64], preferred_read_replica INT32, records BYTES]
 * ```
 * Null where something in it is not for this decoder.
 */
function fetched(bytes: Buffer): FetchResponse | null {
  const from: Cursor = { bytes, at: 0 }
  const head = { throttleTime: 0, clientSideThrottleTime: int32(from) }
  const status = { errorCode: int16(from), sessionId: int32(from) }
  let isKnown = true
  const responses = array(from, () => ({
    topicName: text(from),
    partitions: array(from, () => {
      const partition = {
        partition: int32(from),
        errorCode: int16(from),
        highWatermark: String(int64(from)),
        lastStableOffset: String(int64(from)),
        lastStartOffset: String(int64(from)),
        abortedTransactions: array(from, () => ({
          producerId: String(int64(from)),
          firstOffset: String(int64(from)),
        })),
        preferredReadReplica: int32(from),
      }
      const size = Math.max(0, int32(from))
      const messages = recordsIn(bytes.subarray(from.at, from.at + size))
      from.at += size
      if (messages === null) isKnown = false
      return { ...partition, messages: messages ?? [] }
    }),
  }))
  return isKnown ? { ...head, ...status, responses } : null
}

/**
 * ```
 * RecordBatch => base_offset INT64, length INT32, leader_epoch INT32, magic INT8, crc INT32, attributes INT16,
 *   last_offset_delta INT32, base_timestamp INT64, max_timestamp INT64, producer_id INT64, producer_epoch INT16,
 *   base_sequence INT32, [length VARINT, record]
 * ```
 * The last batch may be cut off, as far as the limit of the fetch reaches; then it comes again.
 */
function recordsIn(bytes: Buffer): FetchedMessage[] | null {
  const messages: FetchedMessage[] = []
  const from: Cursor = { bytes, at: 0 }
  while (bytes.length - from.at >= BATCH_HEAD_BYTES) {
    const begin = from.at
    const firstOffset = int64(from)
    const end = begin + BATCH_LENGTH_AT + int32(from)
    if (bytes[begin + MAGIC_AT] !== MAGIC) return null
    if (end > bytes.length) break
    const attributes = bytes.readInt16BE(begin + ATTRIBUTES_AT)
    if ((attributes & COMPRESSION) !== 0) return null
    const firstTimestamp = Number(bytes.readBigInt64BE(begin + FIRST_TIMESTAMP_AT))
    const maxTimestamp = Number(bytes.readBigInt64BE(begin + MAX_TIMESTAMP_AT))
    const batch: Batch = {
      firstOffset,
      firstTimestamp,
      appendedAt: (attributes & LOG_APPEND_TIME) === 0 ? null : maxTimestamp,
      isControlBatch: (attributes & CONTROL) !== 0,
      context: {
        producerId: String(bytes.readBigInt64BE(begin + PRODUCER_AT)),
        inTransaction: (attributes & TRANSACTIONAL) !== 0,
      },
    }
    const count = bytes.readInt32BE(begin + COUNT_AT)
    from.at = begin + RECORDS_AT
    for (let index = 0; index < count; index++) messages.push(recordIn(from, batch))
    from.at = end
  }
  return messages
}

/**
 * ```
 * Record => length VARINT, attributes INT8, timestamp_delta VARLONG, offset_delta VARINT, key VARBYTES,
 *   value VARBYTES, [header_key VARSTRING, header_value VARBYTES]
 * ```
 */
function recordIn(from: Cursor, batch: Batch): LeanMessage {
  const { bytes } = from
  const length = varint(from)
  const end = from.at + length
  const attributes = bytes[from.at++] ?? 0
  const timestamp = batch.firstTimestamp + varint(from)
  const offset = batch.firstOffset + varint(from)
  const key = varBytes(from)
  const value = varBytes(from)
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

/** Of a name that stands there more than once, the first counts. */
function headersIn<T>(from: Cursor, read: (bytes: Buffer, begin: number, end: number) => T) {
  const headers: Record<string, T> = {}
  for (let rest = varint(from); rest > 0; rest--) {
    const length = varint(from)
    const name = from.bytes.toString('latin1', from.at, from.at + length)
    from.at += length
    const size = Math.max(0, varint(from))
    headers[name] ??= read(from.bytes, from.at, from.at + size)
    from.at += size
  }
  return headers
}

const textAt = (bytes: Buffer, begin: number, end: number): string =>
  bytes.toString('utf8', begin, end)
const bytesAt = (bytes: Buffer, begin: number, end: number): Buffer => bytes.subarray(begin, end)

/** The first header of this name, without making anything of the others. */
function headerIn(from: Cursor, name: string): string | undefined {
  for (let rest = varint(from); rest > 0; rest--) {
    const length = varint(from)
    const isIt = length === name.length && isAt(from, name)
    from.at += length
    const size = Math.max(0, varint(from))
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

type Cursor = { readonly bytes: Buffer; at: number }

type Batch = {
  readonly firstOffset: number
  readonly firstTimestamp: number
  readonly appendedAt: number | null
  readonly isControlBatch: boolean
  readonly context: FetchedMessage['batchContext']
}

type FetchResponse = Awaited<ReturnType<typeof response.decode>>
type FetchedMessage = FetchResponse['responses'][number]['partitions'][number]['messages'][number]

/** A message that knows where its headers stand, for who does not need all of them. */
type LeanMessage = FetchedMessage & { readonly [BYTES]: Buffer; readonly [HEADERS_AT]: number }

function array<T>(from: Cursor, read: () => T): T[] {
  const items: T[] = []
  for (let rest = int32(from); rest > 0; rest--) items.push(read())
  return items
}

function text(from: Cursor): string {
  const begin = from.at + 2
  from.at = begin + Math.max(0, from.bytes.readInt16BE(from.at))
  return from.bytes.toString('utf8', begin, from.at)
}

function int16(from: Cursor): number {
  from.at += 2
  return from.bytes.readInt16BE(from.at - 2)
}

function int32(from: Cursor): number {
  from.at += 4
  return from.bytes.readInt32BE(from.at - 4)
}

/** Offsets and times are exact in a number for longer than there will be Kafka. */
function int64(from: Cursor): number {
  from.at += 8
  return from.bytes.readInt32BE(from.at - 8) * 2 ** 32 + from.bytes.readUInt32BE(from.at - 4)
}

/** Zigzag, seven bits a byte, the lowest first; up to 53 bits, so that it reads VARLONG too. */
function varint(from: Cursor): number {
  let result = 0
  let scale = 1
  for (;;) {
    const byte = from.bytes[from.at++] ?? 0
    result += (byte & 0x7f) * scale
    if (byte < 0x80) break
    scale *= 128
  }
  return result % 2 === 0 ? result / 2 : -(result + 1) / 2
}

function varBytes(from: Cursor): Buffer | null {
  const length = varint(from)
  if (length < 0) return null
  from.at += length
  return from.bytes.subarray(from.at - length, from.at)
}

const BATCH_LENGTH_AT = 12
const MAGIC_AT = 16
const ATTRIBUTES_AT = 21
const FIRST_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_AT = 43
const COUNT_AT = 57
const RECORDS_AT = 61
const BATCH_HEAD_BYTES = RECORDS_AT
const MAGIC = 2
/** Bits of the attributes of a batch. */
const COMPRESSION = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
