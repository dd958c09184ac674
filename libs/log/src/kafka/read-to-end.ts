import type { KafkaMessage } from 'kafkajs'
import type { ReadToEndOptions } from '../log.ts'
import { only } from './assigners.ts'
import { REQUEST_LIMIT_MS } from './client.ts'
import { FETCH_WAIT_MS, runConsumer } from './consumer.ts'
import { recordOf } from '../envelope.ts'
import { rawRecordOf } from './raw-record.ts'
import type { ReaderParts } from './reader.ts'

/** Reads a topic from its beginning to the end that it has now. An empty topic costs one question. */
export async function readToEnd(parts: ReaderParts, options: ReadToEndOptions): Promise<void> {
  const { topic, onRecord } = options
  const { schemas } = parts
  const remaining = new Map<number, { next: number; end: number }>()
  for (const [partition, { low, end }] of await parts.metadata.bounds(topic)) {
    if (options.partitions?.includes(partition) === false || low >= end) continue
    remaining.set(partition, { next: low, end })
  }
  if (remaining.size === 0) return
  const done = Promise.withResolvers<void>()
  let emptyFetches = 0
  let work: Promise<void> = Promise.resolve()

  await using _running = runConsumer({
    kafka: parts.kafka,
    user: parts.service,
    topics: [topic],
    groupId: parts.freshGroup,
    assigner: only([...remaining.keys()]),
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    paceMs: () => 0,
    logger: parts.logger,
    onJoined: (consumer) => {
      emptyFetches = 0
      for (const [partition, { next }] of remaining)
        consumer.seek({ topic, partition, offset: String(next) })
    },
    onBatch: (_, partition, messages) => {
      emptyFetches = 0
      work = work.then(() => take(partition, messages)).catch(done.reject)
    },
    // Compaction may have removed the last records, so the end is never seen. Then fetches wait their full time and
    // bring nothing; a fetch that failed returns earlier, or later than any request may take.
    onFetched: (durationMs) => {
      const waited = durationMs >= FETCH_WAIT_MS * 0.8 && durationMs < REQUEST_LIMIT_MS
      emptyFetches = waited ? emptyFetches + 1 : 0
      if (emptyFetches >= EMPTY_FETCHES_MIN) done.resolve()
    },
    onFailed: (problem) => done.reject(problem),
  })
  await done.promise

  /** One batch after the other: a record may have to wait for the schema that it was written with. */
  async function take(partition: number, messages: readonly KafkaMessage[]): Promise<void> {
    const track = remaining.get(partition)
    if (track === undefined) return
    for (const message of messages) {
      const offset = Number(message.offset)
      if (offset < track.next) continue
      if (offset >= track.end) break
      const raw = rawRecordOf(topic, partition, message)
      let record = recordOf(raw, null, schemas.writtenWith)
      if (record.status === 'unreadable' && (await schemas.learned(record)))
        record = recordOf(raw, null, schemas.writtenWith)
      onRecord(record)
      track.next = offset + 1
    }
    if (Number(messages.at(-1)?.offset ?? -1) + 1 < track.end) return
    remaining.delete(partition)
    if (remaining.size === 0) done.resolve()
  }
}

const SESSION_TIMEOUT_MS = 30_000
const EMPTY_FETCHES_MIN = 4
