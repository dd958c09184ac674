import type { Admin, Kafka } from 'kafkajs'
import { messageOf, Problem, within } from '@countersign/kernel'
import { again, type Patience } from './again.ts'
import type { KafkaLogger } from './client.ts'
import { isLeaderless, isTimeout, problemOf } from './problems.ts'

/** The oldest offset that is kept of each partition of a topic, and its end. */
export type Bounds = ReadonlyMap<number, { readonly low: number; readonly end: number }>

/** Questions about topics, and whether Kafka answers at all. */
export type Metadata = AsyncDisposable & {
  partitionCount(topic: string): Promise<number>
  bounds(topic: string): Promise<Bounds>
  /** The offset of the first record of each partition since a moment; its end where there is none. */
  offsetsSince(topic: string, sinceMs: number): Promise<ReadonlyMap<number, number>>
  /** The topics that this user may read. */
  topics(): Promise<readonly string[]>
  committed(groupId: string, topics: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Called when Kafka has answered another part of this service. */
  heard(): void
  healthy(): boolean
}

/** Asks Kafka over one connection, which is made again when it is broken. */
export async function connectMetadata(
  kafka: Kafka,
  user: string,
  logger?: KafkaLogger,
): Promise<Metadata> {
  // bound: one per topic
  const counts = new Map<string, number>()
  // At the start there is nobody yet who would try again, so a slow Kafka is waited for; a missing one is not.
  let admin = await again(connected, { while: isTimeout, limitMs: FIRST_LIMIT_MS })
  let renewing: Promise<void> | null = null
  let disposed = false
  let answeredAtMs = performance.now()
  let isAsking = false

  // Service readiness must not depend on whether anybody happens to append.
  const pulse = setInterval(() => {
    if (isAsking || performance.now() - answeredAtMs < HEARD_MS) return
    isAsking = true
    ask('asking for the cluster', (one) => one.describeCluster())
      .catch((cause: unknown) =>
        logger?.('debug', 'Kafka does not answer', { reason: messageOf(cause) }),
      )
      .finally(() => {
        isAsking = false
      })
  }, PULSE_MS)
  pulse.unref()

  async function connected(): Promise<Admin> {
    // A broker that just started answers some questions with "not yet".
    const one = kafka.admin({ retry: { retries: 4, initialRetryTime: 50, maxRetryTime: 500 } })
    try {
      await one.connect()
      // A new client knows no broker before it has asked for them, and looking for a coordinator does not ask for them.
      await one.describeCluster()
    } catch (cause) {
      void within(DISCONNECT_LIMIT_MS, one.disconnect())
      throw problemOf(cause, 'connecting to Kafka', user)
    }
    return one
  }

  async function ask<T>(doing: string, question: (one: Admin) => Promise<T>): Promise<T> {
    if (renewing !== null) await renewing
    try {
      const answer = await within(
        ANSWER_LIMIT_MS,
        again(() => question(admin), LEADERLESS).then((value) => ({ value })),
      )
      if (answer === false)
        throw new Problem('CS_LOG_UNAVAILABLE', `${doing}: no answer`, { retriable: true })
      answeredAtMs = performance.now()
      return answer.value
    } catch (cause) {
      const problem = problemOf(cause, doing, user)
      if (problem.retriable && !disposed) renew()
      throw problem
    }
  }

  function renew(): void {
    renewing ??= (async () => {
      const old = admin
      try {
        admin = await connected()
        void within(ANSWER_LIMIT_MS, old.disconnect())
      } catch {
        // The next question tries again.
      } finally {
        renewing = null
      }
    })()
  }

  return {
    async partitionCount(topic) {
      const known = counts.get(topic)
      if (known !== undefined) return known
      const { topics } = await ask(`asking for the topic ${topic}`, (one) =>
        one.fetchTopicMetadata({ topics: [topic] }),
      )
      const count = topics[0]?.partitions.length ?? 0
      if (count === 0)
        throw new Problem('CS_LOG_UNAVAILABLE', `the topic ${topic} has no partitions`)
      counts.set(topic, count)
      return count
    },
    async bounds(topic) {
      const found = await ask(`asking for the offsets of ${topic}`, (one) =>
        one.fetchTopicOffsets(topic),
      )
      return new Map(
        found.map(({ partition, low, high }) => [
          partition,
          { low: Number(low), end: Number(high) },
        ]),
      )
    },
    async offsetsSince(topic, sinceMs) {
      const found = await ask(`asking for the offsets of ${topic} since a moment`, (one) =>
        one.fetchTopicOffsetsByTimestamp(topic, sinceMs),
      )
      return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]))
    },
    topics: async () =>
      (await ask('asking for the topics', (one) => one.listTopics()))
        .filter((name) => !name.startsWith('__'))
        .sort(),
    async committed(groupId, topics) {
      const found = await ask(`asking for the offsets of the group ${groupId}`, (one) =>
        one.fetchOffsets({ groupId, topics: [...topics] }),
      )
      const offsets = new Map<string, number>()
      for (const { topic, partitions } of found) {
        for (const { partition, offset } of partitions) {
          if (Number(offset) >= 0) offsets.set(`${topic}/${partition}`, Number(offset))
        }
      }
      return offsets
    },
    heard() {
      answeredAtMs = performance.now()
    },
    healthy: () => performance.now() - answeredAtMs < SILENCE_MS_MAX,
    async [Symbol.asyncDispose]() {
      disposed = true
      clearInterval(pulse)
      if (renewing !== null) await renewing
      await within(DISCONNECT_LIMIT_MS, admin.disconnect())
    },
  }
}

const PULSE_MS = 1_000
/** After this silence Kafka is asked whether it answers; the fetches of an idle reader return once a second. */
const HEARD_MS = 1_500
const SILENCE_MS_MAX = 3_500
const FIRST_LIMIT_MS = 15_000
const ANSWER_LIMIT_MS = 6_000
/** A partition without a leader gets one within moments. */
const LEADERLESS: Patience = { while: isLeaderless, limitMs: 3_000 }
export const DISCONNECT_LIMIT_MS = 1_000
