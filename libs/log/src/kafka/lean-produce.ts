import Encoder from 'kafkajs/src/protocol/encoder.js'
import produce from 'kafkajs/src/protocol/requests/produce/index.js'
import { type Cursor, writeInt16, writeInt32, writeString } from './cursor.ts'
import { measuredBatch, writeBatch } from './record-batch.ts'

/**
 * kafkajs 2.2.4 encodes each header of each record in an encoder of its own, and copies it four times on its way into
 * the request. Here the sizes are added up first, and every byte is written once. Compressed or transactional batches,
 * which we never send, are left to kafkajs to encode.
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

type ProduceRequest = Parameters<ReturnType<typeof produce.protocol>>[0]

/**
 * ```
 * Produce Request (versions 3 to 7) => transactional_id NULLABLE_STRING, acks INT16, timeout INT32, [topic]
 * topic => STRING, [partition INT32, records BYTES]
 * ```
 */
function encoded({ acks, timeout, topicData }: ProduceRequest): Encoder {
  const topics = topicData.map(({ topic, partitions }) => ({
    topic,
    batches: partitions.map(({ partition, messages }) => ({
      partition,
      batch: measuredBatch(messages),
    })),
  }))
  const size = topics.reduce(
    (sum, { topic, batches }) =>
      batches.reduce((all, { batch }) => all + 8 + batch.size, sum + 6 + Buffer.byteLength(topic)),
    12,
  )
  const to: Cursor = { bytes: Buffer.allocUnsafe(size), at: 0 }
  writeInt16(to, NULL_STRING)
  writeInt16(to, acks)
  writeInt32(to, timeout)
  writeInt32(to, topics.length)
  for (const { topic, batches } of topics) {
    writeString(to, topic)
    writeInt32(to, batches.length)
    for (const { partition, batch } of batches) {
      writeInt32(to, partition)
      writeInt32(to, batch.size)
      writeBatch(to, batch)
    }
  }
  const encoder = new Encoder()
  encoder.buf = to.bytes
  encoder.offset = to.at
  return encoder
}

const NULL_STRING = -1
/** The first version with batches of records; the later ones that kafkajs speaks differ in their answers only. */
const FIRST_VERSION = 3
