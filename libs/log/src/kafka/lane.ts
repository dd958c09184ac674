import { setImmediate } from 'node:timers/promises'
import { deque, Problem, within } from '@countersign/kernel'
import kafkajs, { type Kafka, type Message, type Producer, type RecordMetadata } from 'kafkajs'
import { type Appending, BATCH_BYTES_MAX, sizeOf, unavailable } from '../appending.ts'
import type { Draft } from '../draft.ts'
import { headersOf } from '../envelope.ts'
import type { TraceContext } from '../log.ts'
import { partitionOf } from '../partition-of.ts'
import { REQUEST_LIMIT_MS } from './client.ts'
import { givenUp } from './given-up.ts'
import { DISCONNECT_LIMIT_MS } from './metadata.ts'
import { isPassing, problemOf } from './problems.ts'
import { reliefOf } from './relief.ts'

/**
 * The way into one topic: everything that waits shares one produce request, and the next batch forms while that is
 * in flight. Each topic has a connection of its own, because a broker answers one request of a connection at a time.
 */
export type Lane = AsyncDisposable & {
  add(waiting: Waiting, lingerMs: number): void
  isCongested(): boolean
  /** Resolves when it is not congested. */
  relieved(): Promise<void>
}

/** A draft, the call that it is part of, its index in that call, and the trace that it belongs to. */
export type Waiting = {
  readonly draft: Draft
  readonly index: number
  readonly call: Appending
  readonly trace: TraceContext | null
}

export type LaneOptions = {
  kafka: Kafka
  topic: string
  source: string
  partitionCount(topic: string): Promise<number>
}

/** Makes the way into a topic; it connects when something is added. */
export function laneInto({ kafka, topic, source, partitionCount }: LaneOptions): Lane {
  const sourceHeader = Buffer.from(source)
  // bound: one per partition
  const lastOffsets = new Map<number, number>()
  const lost = givenUp()
  let queue = deque<Entry>()
  let queuedBytes = 0
  let running: Promise<void> | null = null
  /** True if the queue holds something that must not linger. */
  let isUrgent = false
  let linger: NodeJS.Timeout | null = null
  let producer: Producer | null = null
  const isCongested = (): boolean => queuedBytes > CONGESTED_BYTES
  const relief = reliefOf(isCongested)

  return {
    isCongested,
    relieved: () => relief.wait(),
    add(waiting, lingerMs) {
      const { draft, call } = waiting
      const bytes = sizeOf(draft)
      if (queuedBytes + bytes > QUEUED_BYTES_MAX)
        return call.failed(unavailable(`too much waits for ${topic}`))
      queuedBytes += bytes
      const appendedAtMs = performance.now()
      queue.push({ ...waiting, bytes, message: null, partition: draft.partition, appendedAtMs })
      if (lingerMs === 0 || queuedBytes > LINGERING_BYTES_MAX) hurry()
      else linger ??= setTimeout(hurry, lingerMs)
    },
    async [Symbol.asyncDispose]() {
      if (queue.length > 0) hurry()
      if (running !== null) await running
      if (producer !== null) await within(DISCONNECT_LIMIT_MS, producer.disconnect())
    },
  }

  function hurry(): void {
    if (linger !== null) clearTimeout(linger)
    linger = null
    isUrgent = true
    running ??= run()
  }

  async function run(): Promise<void> {
    // One turn of the microtask queue, so that drafts that are appended in the same tick go together.
    await Promise.resolve()
    while (isUrgent) {
      try {
        const count = await partitionCount(topic)
        const batch = nextBatch(count)
        isUrgent = queue.length > 0
        relief.look()
        if (batch.length > 0) await send(batch)
        for (const { draft, call } of batch) lost.note(draft.key, call)
        if (queue.length === 0) lost.clear()
        // After a batch of several, other sockets are read first, so that what has arrived there joins the next batch.
        if (batch.length > ALONE) await setImmediate()
      } catch (cause) {
        // None of these was sent; their callers are told.
        const failed = queue
        queue = deque<Entry>()
        queuedBytes = 0
        isUrgent = false
        for (let entry = failed.shift(); entry !== undefined; entry = failed.shift())
          entry.call.failed(problemOf(cause, `appending to ${topic}`, source))
        relief.look()
      }
    }
    // In the same turn as the last look at the queue, so that nothing is added to a run that has ended.
    running = null
  }

  /** The oldest drafts that fit into one batch, or one that fits into none. A draft that nobody waits for any more is dropped unsent. */
  function nextBatch(count: number): Entry[] {
    const batch: Entry[] = []
    const nowMs = Date.now()
    let bytes = 0
    for (let entry = queue.first(); entry !== undefined; entry = queue.first()) {
      const { draft } = entry
      if (isWanted(entry)) {
        if (batch.length > 0 && bytes + entry.bytes > BATCH_BYTES_MAX) break
        bytes += entry.bytes
        batch.push(entry)
        entry.partition ??= partitionOf(draft.key, count)
        entry.message = {
          key: draft.key,
          value: draft.value,
          partition: entry.partition,
          headers: headersOf(draft, sourceHeader, nowMs, entry.trace),
          timestamp: String(nowMs),
        }
      }
      queuedBytes -= entry.bytes
      queue.shift()
    }
    return batch
  }

  /** True if somebody waits for it, and it overtakes nothing that was given up. */
  function isWanted({ draft, call, appendedAtMs }: Entry): boolean {
    if (lost.isOvertaking(draft.key, appendedAtMs))
      call.failed(unavailable('a record of its key that was appended before it was given up'))
    lost.note(draft.key, call)
    return !call.settled()
  }

  /**
   * Sends a batch, and sends it again while the error is one that passes and somebody waits. The next batch is not sent
   * before this one is answered or has failed: at most one request is in flight, so order is kept.
   */
  async function send(batch: Entry[]): Promise<void> {
    for (let waiting = batch; waiting.length > 0; waiting = waiting.filter(isWanted)) {
      try {
        return acknowledge(waiting, await produced(waiting))
      } catch (cause) {
        if (!isPassing(cause)) {
          const problem = problemOf(cause, `appending to ${topic}`, source)
          for (const { call } of waiting) call.failed(problem)
          return
        }
        await new Promise((resolve) => setTimeout(resolve, RESEND_MS))
      }
    }
  }

  async function produced(batch: readonly Entry[]): Promise<RecordMetadata[]> {
    const messages = batch.flatMap(({ message }) => (message === null ? [] : [message]))
    const isLarge = batch.some(({ bytes }) => bytes > BATCH_BYTES_MAX)
    const compression = isLarge ? CompressionTypes.GZIP : CompressionTypes.None
    const using = (producer ??= kafka.producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    }))
    const answer = await within(
      SEND_LIMIT_MS,
      using
        .connect()
        .then(() =>
          using.send({ topic, acks: -1, timeout: REQUEST_LIMIT_MS, compression, messages }),
        ),
    )
    if (answer !== false) return answer
    // A client that does not even time out is given up, or it would hold the topic for ever.
    producer = null
    void within(DISCONNECT_LIMIT_MS, using.disconnect())
    throw unavailable(`${topic}: the client hangs`)
  }

  /** Believes an acknowledgement only where the offsets have risen past everything seen before. */
  function acknowledge(batch: readonly Entry[], answer: readonly RecordMetadata[]): void {
    const next = new Map<number, number>()
    for (const { partition, baseOffset } of answer) {
      const base = Number(baseOffset ?? -1)
      if (base > (lastOffsets.get(partition) ?? -1)) next.set(partition, base)
    }
    for (const { call, index, partition } of batch) {
      const offset = partition === null ? undefined : next.get(partition)
      if (partition === null || offset === undefined) {
        call.failed(
          new Problem(
            'CS_LOG_UNAVAILABLE',
            `${topic}: acknowledged at an offset that was seen before`,
            {
              retriable: true,
            },
          ),
        )
        continue
      }
      next.set(partition, offset + 1)
      lastOffsets.set(partition, offset)
      call.written(index, { topic, partition, offset })
    }
  }
}

const { CompressionTypes } = kafkajs

type Entry = Waiting & {
  readonly bytes: number
  readonly appendedAtMs: number
  message: Message | null
  partition: number | null
}

const RESEND_MS = 50
/** The size of a batch of one caller: the draft that it waits for, and one that goes along with it. */
const ALONE = 2
/** Connecting and one request take twice two seconds at most; kafkajs checks its limits every 100 ms. */
const SEND_LIMIT_MS = 8_000
/** Above this many queued bytes nothing lingers, so that streams keep their speed. */
const LINGERING_BYTES_MAX = 64 * 1024
/** Above this, callers that need not append yet should wait, so that acknowledgements reach the others in time. */
const CONGESTED_BYTES = 4 * 1024 * 1024
const QUEUED_BYTES_MAX = 64 * 1024 * 1024
