import { crc32c } from './crc32c.ts'
import {
  type Cursor,
  readInt32,
  readInt64,
  varintSize,
  writeInt16,
  writeInt32,
  writeInt64,
} from './cursor.ts'
import {
  type GivenRecord,
  MAGIC,
  type MeasuredRecord,
  measuredRecord,
  readRecord,
  type ReadRecord,
  writeRecord,
} from './record.ts'

/**
 * A batch of records, both ways (Kafka protocol guide, "Record Batch"). The checksum is over everything behind it.
 *
 * ```
 * RecordBatch => base_offset INT64, length INT32, leader_epoch INT32, magic INT8, crc INT32, attributes INT16,
 *   last_offset_delta INT32, base_timestamp INT64, max_timestamp INT64, producer_id INT64, producer_epoch INT16,
 *   base_sequence INT32, [length VARINT, record]
 * ```
 */
export type MeasuredBatch = {
  readonly size: number
  readonly records: readonly MeasuredRecord[]
  readonly firstTimestamp: number
}

/**
 * The records of some batches; `packed` where one is compressed, `other` where one is of a format before Kafka 0.11. The
 * last batch may be cut off, as far as the limit of a fetch reaches; then it comes again.
 */
export function readBatches(bytes: Buffer): ReadRecord[] | 'packed' | 'other' {
  const records: ReadRecord[] = []
  const from: Cursor = { bytes, at: 0 }
  while (bytes.length - from.at >= RECORDS_AT) {
    const begin = from.at
    const firstOffset = readInt64(from)
    const end = begin + LENGTH_END_AT + readInt32(from)
    if (bytes[begin + MAGIC_AT] !== MAGIC) return 'other'
    if (end > bytes.length) break
    const attributes = bytes.readInt16BE(begin + ATTRIBUTES_AT)
    if ((attributes & COMPRESSION) !== 0) return 'packed'
    const batch = {
      firstOffset,
      firstTimestamp: Number(bytes.readBigInt64BE(begin + FIRST_TIMESTAMP_AT)),
      appendedAt:
        (attributes & LOG_APPEND_TIME) === 0
          ? null
          : Number(bytes.readBigInt64BE(begin + MAX_TIMESTAMP_AT)),
      isControlBatch: (attributes & CONTROL) !== 0,
      context: {
        producerId: String(bytes.readBigInt64BE(begin + PRODUCER_AT)),
        inTransaction: (attributes & TRANSACTIONAL) !== 0,
      },
    }
    const count = bytes.readInt32BE(begin + COUNT_AT)
    from.at = begin + RECORDS_AT
    for (let index = 0; index < count; index++) records.push(readRecord(from, batch))
    from.at = end
  }
  return records
}

/** A batch of these records with all sizes computed, so that it can be written in one pass. */
export function measuredBatch(given: readonly GivenRecord[]): MeasuredBatch {
  const timestamps = given.map(({ timestamp }) => Number(timestamp ?? Date.now()))
  const firstTimestamp = Math.min(...timestamps)
  const records = given.map((one, offsetDelta) => {
    const timestampDelta = (timestamps[offsetDelta] ?? firstTimestamp) - firstTimestamp
    return measuredRecord(one, { timestampDelta, offsetDelta })
  })
  const size = records.reduce((sum, one) => sum + varintSize(one.size) + one.size, RECORDS_AT)
  return { size, records, firstTimestamp }
}

export function writeBatch(to: Cursor, { size, records, firstTimestamp }: MeasuredBatch): void {
  const begin = to.at
  const lastDelta = Math.max(0, ...records.map(({ timestampDelta }) => timestampDelta))
  writeInt64(to, 0)
  writeInt32(to, size - LENGTH_END_AT)
  writeInt32(to, 0)
  to.bytes[to.at++] = MAGIC
  const crcAt = to.at
  writeInt32(to, 0)
  writeInt16(to, 0)
  writeInt32(to, records.length - 1)
  writeInt64(to, firstTimestamp)
  writeInt64(to, firstTimestamp + lastDelta)
  writeInt64(to, NO_PRODUCER)
  writeInt16(to, 0)
  writeInt32(to, 0)
  writeInt32(to, records.length)
  for (const record of records) writeRecord(to, record)
  to.bytes.writeUInt32BE(crc32c(to.bytes, crcAt + 4, begin + size), crcAt)
}

/** The places of fields in a batch, in bytes. */
export const LENGTH_END_AT = 12
export const MAGIC_AT = 16
export const ATTRIBUTES_AT = 21
export const LAST_DELTA_AT = 23
const FIRST_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_AT = 43
export const COUNT_AT = 57
export const RECORDS_AT = 61
/** Bits of the attributes. */
export const COMPRESSION = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
/** The id that stands for a producer that is not idempotent. */
const NO_PRODUCER = -1
