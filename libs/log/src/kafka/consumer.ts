import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import type { Consumer, Kafka, KafkaMessage, PartitionAssigner } from 'kafkajs'
import { messageOf, type Problem, within } from '@countersign/kernel'
import type { KafkaLogger } from './client.ts'
import { DISCONNECT_LIMIT_MS } from './metadata.ts'
import { IDLE_WAIT_MS } from './patient-fetch.ts'
import { problemOf } from './problems.ts'

/** The options of a consumer that runs until it is disposed. */
export type ConsumerOptions = {
  readonly kafka: Kafka
  readonly user: string
  readonly topics: readonly string[]
  /** Called again after a crash: a fresh group does not wait for the member that crashed. */
  groupId(): string
  readonly assigner: PartitionAssigner
  readonly sessionTimeoutMs: number
  /** The time from a fetch that brought the newest record to the next fetch, in milliseconds. */
  paceMs(): number
  readonly logger: KafkaLogger | undefined
  /** Called when partitions were assigned, before anything of them is fetched. */
  onJoined(consumer: Consumer, assignment: Assignment): void
  onBatch(topic: string, partition: number, messages: KafkaMessage[]): void
  /** Called when a fetch has come back, after this time, with or without records. */
  onFetched?(durationMs: number): void
  /** Called with a problem that retrying does not mend. */
  onFailed(problem: Problem): void
}

export type Assignment = Readonly<Record<string, readonly number[]>>

export type RunningConsumer = AsyncDisposable & {
  /** The consumer while it is a member of its group. */
  joined(): Consumer | null
}

/** Consumes for ever: when kafkajs gives up, it begins again with a new consumer. */
export function runConsumer(options: ConsumerOptions): RunningConsumer {
  let current: Consumer | null = null
  let isJoined = false
  let attempts = 0
  let stopped = false
  let retry: NodeJS.Timeout | undefined
  let fetchedAtMs = 0
  start()

  return {
    joined: () => (isJoined ? current : null),
    async [Symbol.asyncDispose]() {
      stopped = true
      clearTimeout(retry)
      const last = current
      current = null
      isJoined = false
      if (last !== null) await within(LEAVE_LIMIT_MS, last.disconnect())
    },
  }

  function start(): void {
    const consumer = options.kafka.consumer({
      groupId: options.groupId(),
      partitionAssigners: [options.assigner],
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: options.sessionTimeoutMs,
      heartbeatInterval: Math.ceil(options.sessionTimeoutMs / 10),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: PARTITION_BYTES_MAX,
      allowAutoTopicCreation: false,
      retry: {
        retries: 3,
        initialRetryTime: 50,
        maxRetryTime: 500,
        restartOnFailure: async () => false,
      },
    })
    current = consumer
    const isCurrent = (): boolean => !stopped && current === consumer
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (!isCurrent()) return
      isJoined = true
      attempts = 0
      // Runs before the first fetch: kafkajs emits this synchronously.
      options.onJoined(consumer, payload.memberAssignment)
    })
    consumer.on(consumer.events.FETCH, ({ payload }) => {
      fetchedAtMs = performance.now()
      if (isCurrent()) options.onFetched?.(payload.duration)
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => restart(payload.error))
    begin().catch(restart)

    async function begin(): Promise<void> {
      await consumer.connect()
      await consumer.subscribe({ topics: [...options.topics], fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: WORKERS,
        // Only takes the records: topics must not wait for each other, nor heartbeats for the work.
        eachBatch: async ({ batch }) => {
          if (isCurrent()) options.onBatch(batch.topic, batch.partition, batch.messages)
          // kafkajs fetches again when all batches of the last fetch are done.
          const isNewest = batch.offsetLag() === '0'
          const restMs = fetchedAtMs + options.paceMs() - performance.now()
          if (isNewest && restMs > 0) await setTimeoutPromise(restMs)
        },
      })
    }

    function restart(cause: unknown): void {
      if (!isCurrent()) return
      current = null
      isJoined = false
      void within(LEAVE_LIMIT_MS, consumer.disconnect())
      const problem = problemOf(cause, `reading ${options.topics.join(', ')}`, options.user)
      if (!problem.retriable) return options.onFailed(problem)
      attempts++
      const level = attempts % ATTEMPTS_A_WARNING === 1 ? 'warn' : 'debug'
      options.logger?.(level, 'reading stopped; beginning again', {
        topics: options.topics,
        attempts,
        reason: messageOf(cause),
      })
      retry = setTimeout(start, Math.min(100 * attempts, RESTART_MS_MAX))
    }
  }
}

/** The longest wait of a fetch for a first record; a commit may wait as long behind it. */
export const FETCH_WAIT_MS = 250
/** Leaving the group may wait behind a fetch of an idle reader. */
const LEAVE_LIMIT_MS = IDLE_WAIT_MS + DISCONNECT_LIMIT_MS
const FETCH_BYTES_MAX = 1024 * 1024
const PARTITION_BYTES_MAX = 256 * 1024
const WORKERS = 16
const ATTEMPTS_A_WARNING = 30
const RESTART_MS_MAX = 1_000
