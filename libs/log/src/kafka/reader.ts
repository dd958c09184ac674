import { Problem, within } from '@countersign/kernel'
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs'
import { unavailable } from '../appending.ts'
import { recordOf } from '../envelope.ts'
import { heededOf } from '../heeded.ts'
import type { LogRecord, Reader, ReadOptions } from '../log.ts'
import type { Schemas } from '../schemas.ts'
import type { Place } from '../position.ts'
import { coPartitioned, only } from './assigners.ts'
import type { KafkaLogger } from './client.ts'
import { type Assignment, runConsumer } from './consumer.ts'
import type { Metadata } from './metadata.ts'
import { paceOf } from './pace.ts'
import { problemOf } from './problems.ts'
import { rawRecordOf } from './raw-record.ts'

/** The parts of the log that its readers use. */
export type ReaderParts = {
  readonly kafka: Kafka
  readonly service: string
  readonly metadata: Metadata
  readonly schemas: Schemas
  readonly sessionTimeoutMs: number
  freshGroup(): string
  readonly logger: KafkaLogger | undefined
}

export type KafkaReader = Reader & { healthy(): boolean }

/** Reads until it is disposed. Whatever happens to Kafka, each partition goes on where it stood. */
export async function openReader(
  parts: ReaderParts,
  options: ReadOptions,
  onClosed: () => void,
): Promise<KafkaReader> {
  const { metadata, schemas, service } = parts
  const { group } = options
  if (group === undefined && options.from === 'committed') {
    throw new Problem('CS_INTERNAL', 'reading from what is committed needs a group')
  }
  const heeded = heededOf(options)
  const pace = paceOf(options)
  const groupId = group === undefined ? null : `${service}-${group}`
  // Without a group the position is known before anything is read: the end is the end as it is now.
  // bound: one per partition
  const tracks = new Map<string, Track>()
  if (groupId === null) for (const track of await firstTracks()) tracks.set(nameOf(track), track)
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  const joined = Promise.withResolvers<void>()
  const positioned = Promise.withResolvers<void>()
  let generation = 0
  let stopped = false

  const running = runConsumer({
    kafka: parts.kafka,
    user: service,
    topics: options.topics,
    groupId: () => groupId ?? parts.freshGroup(),
    assigner: groupId === null ? only(options.partitions) : coPartitioned,
    // No other member waits for the partitions of a group of one.
    sessionTimeoutMs: groupId === null ? LONE_SESSION_TIMEOUT_MS : parts.sessionTimeoutMs,
    paceMs: () => pace.ms(),
    logger: parts.logger,
    onJoined: (consumer, assignment) => {
      generation++
      joined.resolve()
      // Batches that were fetched for the last generation are fetched again, from where delivery stands.
      for (const track of tracks.values()) emptied(track)
      if (groupId === null) {
        for (const track of tracks.values()) position(consumer, track)
        positioned.resolve()
      } else {
        joinedGroup(consumer, assignment, groupId).catch(fail)
      }
    },
    onBatch: (topic, partition, messages) => {
      const track = tracks.get(`${topic}/${partition}`)
      if (track !== undefined) queued(track, messages)
    },
    onFetched: () => metadata.heard(),
    onFailed: fail,
  })

  const disposed = async (): Promise<void> => {
    stopped = true
    onClosed()
    await running[Symbol.asyncDispose]()
  }
  try {
    const isInTime = await within(
      JOIN_LIMIT_MS,
      Promise.race([joined.promise.then(() => true), failure.promise]),
    )
    if (!isInTime) throw unavailable(`reading ${options.topics.join(', ')}: Kafka does not answer`)
    // Preparing for what was assigned may take long: a whole state is restored.
    await Promise.race([positioned.promise, failure.promise])
  } catch (cause) {
    await disposed()
    throw cause
  }

  return {
    failed: failure.promise,
    healthy: () => !stopped && running.joined() !== null,
    async commit({ topic, partition, offset }) {
      if (groupId === null) throw new Problem('CS_INTERNAL', 'only a group can commit')
      const consumer = running.joined()
      if (consumer === null) throw unavailable('the reader is not a member of its group now')
      try {
        await consumer.commitOffsets([{ topic, partition, offset: String(offset) }])
      } catch (cause) {
        throw problemOf(cause, `committing to the group ${groupId}`, service)
      }
    },
    taken: (place) => tracks.get(nameOf(place))?.taken ?? null,
    [Symbol.asyncDispose]: disposed,
  }

  async function firstTracks(): Promise<Track[]> {
    const found: Track[] = []
    for (const topic of options.topics) {
      for (const [partition, offset] of await beginningsOf(topic)) {
        if (options.partitions?.includes(partition) === false) continue
        found.push(newTrack(topic, partition, offset))
      }
    }
    return found
  }

  /** The offset that each partition begins at where nothing is committed. */
  async function beginningsOf(topic: string): Promise<ReadonlyMap<number, number>> {
    const { from } = options
    if (typeof from === 'object') return metadata.offsetsSince(topic, from.sinceMs)
    const bounds = await metadata.bounds(topic)
    return new Map(
      [...bounds].map(([partition, { low, end }]) => [partition, from === 'end' ? end : low]),
    )
  }

  /** A member keeps its place in the partitions that stay with it; a new one begins where the group stands. */
  async function joinedGroup(
    consumer: Consumer,
    assignment: Assignment,
    id: string,
  ): Promise<void> {
    const mine = generation
    const assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    for (const { topic, partition } of assigned)
      consumer.pause([{ topic, partitions: [partition] }])
    const names = new Set(assigned.map(nameOf))
    for (const name of tracks.keys()) if (!names.has(name)) tracks.delete(name)

    await options.onAssigned?.(
      [...new Set(assigned.map(({ partition }) => partition))].sort((a, b) => a - b),
    )
    const fresh = assigned.filter((one) => !tracks.has(nameOf(one)))
    const offsets = await retried(
      () => firstOffsets(fresh, id),
      () => !stopped && mine === generation,
    )
    if (offsets === null) return
    for (const one of fresh)
      tracks.set(nameOf(one), newTrack(one.topic, one.partition, offsets.get(nameOf(one)) ?? 0))
    for (const track of tracks.values()) position(consumer, track)
    positioned.resolve()
  }

  async function firstOffsets(fresh: readonly Place[], id: string): Promise<Map<string, number>> {
    const offsets = new Map<string, number>()
    const topics = [...new Set(fresh.map(({ topic }) => topic))]
    if (topics.length === 0) return offsets
    const committed =
      options.from === 'committed'
        ? await metadata.committed(id, topics)
        : new Map<string, number>()
    for (const topic of topics) {
      for (const [partition, offset] of await beginningsOf(topic)) {
        const name = nameOf({ topic, partition })
        offsets.set(name, committed.get(name) ?? offset)
      }
    }
    return offsets
  }

  function position(consumer: Consumer, track: Track): void {
    const { topic, partition } = track
    consumer.seek({ topic, partition, offset: String(track.next) })
    consumer.resume([{ topic, partitions: [partition] }])
  }

  function queued(track: Track, messages: KafkaMessage[]): void {
    track.queue.push(messages)
    track.queuedBytes += bytesOf(messages)
    if (!track.paused && track.queuedBytes > QUEUED_BYTES_MAX) {
      track.paused = true
      running.joined()?.pause([{ topic: track.topic, partitions: [track.partition] }])
    }
    if (!track.busy) void drain(track)
  }

  async function drain(track: Track): Promise<void> {
    track.busy = true
    try {
      for (
        let messages = track.queue.shift();
        messages !== undefined;
        messages = track.queue.shift()
      ) {
        track.queuedBytes -= bytesOf(messages)
        // A fetch may begin earlier than asked for, in the middle of a batch of the broker.
        const records: LogRecord[] = []
        const { topic, partition, next } = track
        for (const message of messages) {
          if (Number(message.offset) < track.next) continue
          track.next = Number(message.offset) + 1
          const raw = rawRecordOf(topic, partition, message)
          const wanted = heeded.get(topic) ?? null
          let record = recordOf(raw, wanted, schemas.writtenWith)
          if (record?.status === 'unreadable' && (await schemas.learned(record)))
            record = recordOf(raw, wanted, schemas.writtenWith)
          if (record !== null) records.push(record)
        }
        pace.delivered(records.length)
        if (track.next > next)
          await options.onRecords(records, { topic, partition, offset: track.next })
        track.taken = track.next
        if (stopped || tracks.get(nameOf(track)) !== track) return
        if (track.paused && track.queuedBytes <= QUEUED_BYTES_MAX / 2) {
          track.paused = false
          running.joined()?.resume([{ topic: track.topic, partitions: [track.partition] }])
        }
      }
    } catch (cause) {
      fail(cause)
    } finally {
      track.busy = false
    }
  }

  function fail(cause: unknown): void {
    if (stopped) return
    stopped = true
    tracks.clear()
    failure.reject(cause)
    void running[Symbol.asyncDispose]()
  }
}

/** One partition: what was fetched of it, and what is delivered next. */
type Track = Place & {
  next: number
  /** All before it was given out and taken. */
  taken: number
  queue: KafkaMessage[][]
  queuedBytes: number
  paused: boolean
  busy: boolean
}

const newTrack = (topic: string, partition: number, next: number): Track => ({
  topic,
  partition,
  next,
  taken: next,
  queue: [],
  queuedBytes: 0,
  paused: false,
  busy: false,
})

const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`

function emptied(track: Track): void {
  track.queue.length = 0
  track.queuedBytes = 0
  track.paused = false
}

const bytesOf = (messages: readonly KafkaMessage[]): number =>
  messages.reduce((sum, { value }) => sum + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES, 0)

/** Tries until it works or is no longer wanted; null in the second case. */
async function retried<T>(run: () => Promise<T>, isWanted: () => boolean): Promise<T | null> {
  for (;;) {
    if (!isWanted()) return null
    try {
      const done = await run()
      return isWanted() ? done : null
    } catch (cause) {
      if (!(cause instanceof Problem) || !cause.retriable) throw cause
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

const LONE_SESSION_TIMEOUT_MS = 30_000
const JOIN_LIMIT_MS = 60_000
const QUEUED_BYTES_MAX = 512 * 1024
const RECORD_OVERHEAD_BYTES = 500
const RETRY_MS = 200
