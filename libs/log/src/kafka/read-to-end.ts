import type { ReadToEndOptions } from '../log.ts'
import { only } from './assigners.ts'
import { REQUEST_LIMIT_MS } from './client.ts'
import { FETCH_WAIT_MS, runConsumer } from './consumer.ts'
import { recordOf } from '../envelope.ts'
import { rawRecordOf } from './raw-record.ts'
import type { ReaderParts } from './reader.ts'

/** Reads a topic from its beginning to what is its end now. An empty topic costs one question. */
export async function readToEnd(parts: ReaderParts, options: ReadToEndOptions): Promise<void> {
  const { topic, onRecord } = options
  const remaining = new Map<number, { next: number; end: number }>()
  for (const [partition, { low, end }] of await parts.metadata.bounds(topic)) {
    if (options.partitions?.includes(partition) === false || low >= end) continue
    remaining.set(partition, { next: low, end })
  }
  if (remaining.size === 0) return
  const done = Promise.withResolvers<void>()
  let emptyFetches = 0

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
      const track = remaining.get(partition)
      if (track === undefined) return
      try {
        for (const message of messages) {
          const offset = Number(message.offset)
          if (offset < track.next) continue
          if (offset >= track.end) break
          onRecord(recordOf(rawRecordOf(topic, partition, message)))
          track.next = offset + 1
        }
      } catch (cause) {
        return done.reject(cause)
      }
      if (Number(messages.at(-1)?.offset ?? -1) + 1 < track.end) return
      remaining.delete(partition)
      if (remaining.size === 0) done.resolve()
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
}

const SESSION_TIMEOUT_MS = 30_000
const EMPTY_FETCHES_MIN = 4
