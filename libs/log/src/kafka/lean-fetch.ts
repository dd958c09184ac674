import response from 'kafkajs/src/protocol/requests/fetch/v11/response.js'
import { type Cursor, readInt16, readInt32, readInt64, readString } from './cursor.ts'
import { UNPACKED_BYTES_MAX, unpackedBatches } from './packed-batch.ts'
import { readBatches } from './record-batch.ts'

/**
 * kafkajs 2.2.4 copies all headers of a record once for each of them, and reads every number of 64 bits by way of
 * BigInt, Long and text. Here a fetch is read in one pass, and headers only when somebody looks at them: most readers
 * skip most records. Batches in a format before Kafka 0.11 are left to kafkajs to decode.
 * Partitions that brought nothing are left out: kafkajs would send each through its workers, and most bring nothing.
 */
export function leanFetch(): void {
  const { decode } = response
  response.decode = async (bytes) => {
    const packed: Packed = new Map()
    const plain = fetched(bytes, packed)
    if (packed.size === 0) return plain ?? decode(bytes)
    return fetched(bytes, await unpacked(packed)) ?? decode(bytes)
  }
}

/** The batches of partitions that have compressed ones among them, by their place in the answer. */
type Packed = Map<number, Buffer>

/** One after the other, and not more than a fetch may become; what is left out comes again with the next fetch. */
async function unpacked(packed: Packed): Promise<Packed> {
  const found: Packed = new Map()
  let room = UNPACKED_BYTES_MAX
  for (const [place, batches] of packed) {
    const plain = await unpackedBatches(batches, room)
    found.set(place, plain)
    room -= plain.length
  }
  return found
}

/**
 * ```
 * Fetch Response (version 11) => throttle_time_ms INT32, error_code INT16, session_id INT32, [topic]
 * topic => STRING, [partition INT32, error_code INT16, high_watermark INT64, last_stable_offset INT64,
 *   log_start_offset INT64, [producer_id INT64, first_offset INT64], preferred_read_replica INT32, records BYTES]
 * ```
 * Null where something in it is not for this decoder. Compressed batches are noted in `packed`, unless they stand there as
 * plain ones.
 */
function fetched(bytes: Buffer, packed: Packed): FetchResponse | null {
  const from: Cursor = { bytes, at: 0 }
  const head = { throttleTime: 0, clientSideThrottleTime: readInt32(from) }
  const status = { errorCode: readInt16(from), sessionId: readInt32(from) }
  let isKnown = true
  const responses = array(from, () => ({
    topicName: readString(from),
    partitions: array(from, () => {
      const partition = {
        partition: readInt32(from),
        errorCode: readInt16(from),
        highWatermark: String(readInt64(from)),
        lastStableOffset: String(readInt64(from)),
        lastStartOffset: String(readInt64(from)),
        abortedTransactions: array(from, () => ({
          producerId: String(readInt64(from)),
          firstOffset: String(readInt64(from)),
        })),
        preferredReadReplica: readInt32(from),
      }
      const size = Math.max(0, readInt32(from))
      const place = from.at
      const batches = packed.get(place) ?? bytes.subarray(place, place + size)
      const messages = readBatches(batches)
      from.at += size
      if (messages === 'packed') packed.set(place, batches)
      if (messages === 'other') isKnown = false
      return { ...partition, messages: typeof messages === 'string' ? [] : messages }
    }).filter(({ messages, errorCode }) => messages.length > 0 || errorCode !== 0),
  }))
  return isKnown ? { ...head, ...status, responses } : null
}

type FetchResponse = Awaited<ReturnType<typeof response.decode>>

function array<T>(from: Cursor, read: () => T): T[] {
  const items: T[] = []
  for (let rest = readInt32(from); rest > 0; rest--) items.push(read())
  return items
}
