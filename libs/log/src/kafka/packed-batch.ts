import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import { messageOf } from '@countersign/kernel'
import { readInt32, varintSize, writeInt32 } from './cursor.ts'
import { measuredRecord, writeRecord } from './record.ts'
import {
  ATTRIBUTES_AT,
  COMPRESSION,
  COUNT_AT,
  LAST_DELTA_AT,
  LENGTH_END_AT,
  RECORDS_AT,
} from './record-batch.ts'

/**
 * Batches with the records of compressed ones in plain; those that would make more bytes than there is room are left out, with
 * all behind them. A batch that nobody here can open has one record without a name in place of its own, so that
 * readers put it aside and go on: a writer must not stop them with it.
 */
export async function unpackedBatches(bytes: Buffer, room: number): Promise<Buffer> {
  const batches: Buffer[] = []
  let rest = room
  for (let at = 0; bytes.length - at >= RECORDS_AT;) {
    const end = at + LENGTH_END_AT + readInt32({ bytes, at: at + LENGTH_AT })
    if (end > bytes.length) break
    const batch = bytes.subarray(at, end)
    const codec = batch.readInt16BE(ATTRIBUTES_AT) & COMPRESSION
    const plain = codec === NONE ? batch : await unpacked(batch, codec)
    if (plain.length > rest) break
    batches.push(plain)
    rest -= plain.length
    at = end
  }
  return Buffer.concat(batches)
}

/** The same batch in plain. The checksum was looked at by Kafka, and stays that of the compressed batch. */
async function unpacked(batch: Buffer, codec: number): Promise<Buffer> {
  const open = CODECS[codec]
  try {
    if (open === undefined) throw new Error(`there is no codec ${codec} here`)
    const records = await open(batch.subarray(RECORDS_AT), { maxOutputLength: BATCH_BYTES_MAX })
    return plainBatch(batch, records, batch.readInt32BE(COUNT_AT))
  } catch (cause) {
    return plainBatch(
      batch,
      placeholder(batch, `a compressed batch that cannot be opened: ${messageOf(cause)}`),
      1,
    )
  }
}

function plainBatch(batch: Buffer, records: Buffer, count: number): Buffer {
  const head = Buffer.from(batch.subarray(0, RECORDS_AT))
  writeInt32({ bytes: head, at: LENGTH_AT }, RECORDS_AT + records.length - LENGTH_END_AT)
  head.writeInt16BE(head.readInt16BE(ATTRIBUTES_AT) & ~COMPRESSION, ATTRIBUTES_AT)
  head.writeInt32BE(count, COUNT_AT)
  return Buffer.concat([head, records])
}

/** One record at the last offset of the batch. */
function placeholder(batch: Buffer, words: string): Buffer {
  const offsetDelta = batch.readInt32BE(LAST_DELTA_AT)
  const record = measuredRecord({ value: words }, { timestampDelta: 0, offsetDelta })
  const bytes = Buffer.alloc(varintSize(record.size) + record.size)
  writeRecord({ bytes, at: 0 }, record)
  return bytes
}

const LENGTH_AT = 8
const NONE = 0
/** The codecs of Kafka that Node has, by their number. */
const CODECS: Readonly<
  Record<number, (bytes: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>>
> = { 1: promisify(gunzip), 4: promisify(zstdDecompress) }
/** The most bytes that one batch may become: more than the largest record that is written. */
const BATCH_BYTES_MAX = 24 * 1024 * 1024
/** The most bytes that one fetch may become: there is always room for the first batch. */
export const UNPACKED_BYTES_MAX = 32 * 1024 * 1024
