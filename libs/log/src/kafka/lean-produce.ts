import Encoder from 'kafkajs/src/protocol/encoder.js'
import produce from 'kafkajs/src/protocol/requests/produce/index.js'
import { crc32c } from './crc32c.ts'

/**
 * kafkajs 2.2.4 encodes each header of each record in an encoder of its own, and copies it four times on its way into
 * the request. Here the sizes are added up first, and every byte is written once. What we never send (compressed or
 * transactional batches) kafkajs encodes itself.
 */
export function leanProduce(): void {
  const { protocol } = produce
  produce.protocol = ({ version }) => {
    const original = protocol({ version })
    return (asked) => {
      const made = original(asked)
      const isOurs = version >= FIRST_VERSION && asked.compression === 0 && !asked.transactionalId
      if (!isOurs) return made
      return { ...made, request: { ...made.request, encode: async () => encoded(asked) } }
    }
  }
}

/**
 * ```
 * Produce Request (versions 3 to 7) => transactional_id NULLABLE_STRING, acks INT16, timeout INT32, [topic]
 * topic => STRING, [partition INT32, records BYTES]
 * ```
 */
function encoded({ acks, timeout, topicData }: ProduceRequest): Encoder {
  const topics = topicData.map(({ topic, partitions }) => ({
    topic,
    batches: partitions.map(({ partition, messages }) => ({ partition, ...measured(messages) })),
  }))
  const bytes = topics.reduce(
    (sum, { topic, batches }) =>
      batches.reduce((all, { size }) => all + 8 + size, sum + 6 + Buffer.byteLength(topic)),
    12,
  )
  const to: Cursor = { bytes: Buffer.allocUnsafe(bytes), at: 0 }
  int16(to, -1)
  int16(to, acks)
  int32(to, timeout)
  int32(to, topics.length)
  for (const { topic, batches } of topics) {
    int16(to, Buffer.byteLength(topic))
    to.at += to.bytes.write(topic, to.at)
    int32(to, batches.length)
    for (const batch of batches) {
      int32(to, batch.partition)
      int32(to, batch.size)
      writeBatch(to, batch)
    }
  }
  const encoder = new Encoder()
  encoder.buf = to.bytes
  encoder.offset = to.at
  return encoder
}

type ProduceRequest = Parameters<ReturnType<typeof produce.protocol>>[0]
type Message = ProduceRequest['topicData'][number]['partitions'][number]['messages'][number]

/** A batch whose sizes are known. */
type Measured = {
  readonly size: number
  readonly records: readonly MeasuredRecord[]
  readonly firstTimestamp: number
}

type MeasuredRecord = {
  readonly size: number
  readonly timestampDelta: number
  readonly key: Part
  readonly value: Part
  readonly headers: readonly { readonly name: Part; readonly value: Part }[]
}

/** Bytes, or a text that becomes some; null is not the same as empty. */
type Part = { readonly content: Buffer | string | null; readonly size: number }

function measured(messages: readonly Message[]): Measured {
  const timestamps = messages.map(({ timestamp }) => Number(timestamp ?? Date.now()))
  const firstTimestamp = Math.min(...timestamps)
  let size = BATCH_HEAD_BYTES
  const records = messages.map((message, index) => {
    const timestampDelta = (timestamps[index] ?? firstTimestamp) - firstTimestamp
    const record = measuredRecord(message, timestampDelta, index)
    size += varintSize(record.size) + record.size
    return record
  })
  return { size, records, firstTimestamp }
}

function measuredRecord(message: Message, timestampDelta: number, index: number): MeasuredRecord {
  const key = part(message.key)
  const value = part(message.value)
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given]).map((one) => ({ name: part(name), value: part(one) })),
  )
  const size =
    1 +
    varintSize(timestampDelta) +
    varintSize(index) +
    partSize(key) +
    partSize(value) +
    headers.reduce(
      (sum, header) => sum + partSize(header.name) + partSize(header.value),
      varintSize(headers.length),
    )
  return { size, timestampDelta, key, value, headers }
}

function part(content: Buffer | string | null | undefined): Part {
  if (content === null || content === undefined) return { content: null, size: -1 }
  return { content, size: Buffer.byteLength(content) }
}

const partSize = ({ size }: Part): number => varintSize(size) + Math.max(0, size)

/**
 * ```
 * RecordBatch => base_offset INT64, length INT32, leader_epoch INT32, magic INT8, crc INT32, attributes INT16,
 *   last_offset_delta INT32, base_timestamp INT64, max_timestamp INT64, producer_id INT64, producer_epoch INT16,
 *   base_sequence INT32, [length VARINT, record]
 * ```
 * The checksum is over everything behind it.
 */
function writeBatch(to: Cursor, { size, records, firstTimestamp }: Measured): void {
  const begin = to.at
  const lastDelta = Math.max(0, ...records.map(({ timestampDelta }) => timestampDelta))
  int64(to, 0)
  int32(to, size - 12)
  int32(to, 0)
  to.bytes[to.at++] = MAGIC
  const crcAt = to.at
  int32(to, 0)
  int16(to, 0)
  int32(to, records.length - 1)
  int64(to, firstTimestamp)
  int64(to, firstTimestamp + lastDelta)
  int64(to, -1)
  int16(to, 0)
  int32(to, 0)
  int32(to, records.length)
  for (const [index, record] of records.entries()) writeRecord(to, record, index)
  to.bytes.writeUInt32BE(crc32c(to.bytes, crcAt + 4, begin + size), crcAt)
}

/**
 * ```
 * Record => length VARINT, attributes INT8, timestamp_delta VARLONG, offset_delta VARINT, key VARBYTES,
 *   value VARBYTES, [header_key VARSTRING, header_value VARBYTES]
 * ```
 */
function writeRecord(to: Cursor, record: MeasuredRecord, index: number): void {
  varint(to, record.size)
  to.bytes[to.at++] = 0
  varint(to, record.timestampDelta)
  varint(to, index)
  writePart(to, record.key)
  writePart(to, record.value)
  varint(to, record.headers.length)
  for (const { name, value } of record.headers) {
    writePart(to, name)
    writePart(to, value)
  }
}

function writePart(to: Cursor, { content, size }: Part): void {
  varint(to, size)
  if (content === null) return
  if (typeof content === 'string') to.bytes.write(content, to.at)
  else to.bytes.set(content, to.at)
  to.at += size
}

type Cursor = { readonly bytes: Buffer; at: number }

function int16(to: Cursor, value: number): void {
  to.at = to.bytes.writeInt16BE(value, to.at)
}

function int32(to: Cursor, value: number): void {
  to.at = to.bytes.writeInt32BE(value, to.at)
}

function int64(to: Cursor, value: number): void {
  to.at = to.bytes.writeBigInt64BE(BigInt(value), to.at)
}

/** Zigzag, seven bits a byte, the lowest first; up to 53 bits, so that it writes VARLONG too. */
function varint(to: Cursor, value: number): void {
  let rest = zigzag(value)
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) to.bytes[to.at++] = (rest % 128) | 0x80
  to.bytes[to.at++] = rest
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest > 0x7f; rest = Math.floor(rest / 128)) size++
  return size
}

const zigzag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1)

const BATCH_HEAD_BYTES = 61
const MAGIC = 2
/** The first version with batches of records; the later ones that kafkajs speaks differ in their answers only. */
const FIRST_VERSION = 3
