import { randomUUID } from 'node:crypto'
import { messageOf, Problem } from '@countersign/kernel'
import { APPEND_LIMIT_MS, appending, refuseOversized, unavailable } from '../appending.ts'
import { activeTrace } from '../envelope.ts'
import type { Log } from '../log.ts'
import { partitionOf } from '../partition-of.ts'
import { PERMIT, Recorded } from '../recorded.ts'
import { recordBy, schemasFrom } from '../schemas.ts'
import { clientOf, type KafkaSettings } from './client.ts'
import { type Lane, laneInto } from './lane.ts'
import { connectMetadata } from './metadata.ts'
import { type KafkaReader, openReader, type ReaderParts } from './reader.ts'
import { readToEnd } from './read-to-end.ts'

export type { KafkaLogger, KafkaSettings } from './client.ts'

/** Connects to Kafka; everything that a service appends and reads goes through what this returns. */
export async function connectKafkaLog(settings: KafkaSettings): Promise<Log> {
  const kafka = clientOf(settings)
  const service = settings.clientId
  const metadata = await connectMetadata(kafka, service, settings.logger)
  const { partitionCount } = metadata
  // bound: one per topic
  const lanes = new Map<string, Lane>()
  // bound: one per call of read that was not disposed
  const readers = new Set<KafkaReader>()
  let closed = false
  const parts: ReaderParts = {
    kafka,
    service,
    metadata,
    schemas: schemasFrom(
      { readToEnd: (options) => readToEnd(parts, options), endOffsets },
      (cause) => settings.logger?.('warn', 'cannot ask for a schema', { reason: messageOf(cause) }),
    ),
    sessionTimeoutMs: settings.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    // The name of a group begins with the name of its service, by which the ACLs know whose it is.
    freshGroup: () => `${service}-${randomUUID()}`,
    logger: settings.logger,
  }

  return {
    async append(drafts, options = {}) {
      refuseOversized(drafts)
      if (closed) throw unavailable('the log is closed')
      if (drafts.length === 0) return []
      const call = appending(
        drafts.length,
        options.limitMs ?? settings.appendLimitMs ?? APPEND_LIMIT_MS,
      )
      const trace = activeTrace()
      const { lingerMs = 0 } = options
      drafts.forEach((draft, index) =>
        laneOf(draft.topic).add({ draft, index, call, trace }, lingerMs),
      )
      const positions = await call.positions
      return drafts.map((draft, index) => {
        const position = positions[index]
        if (position === undefined) throw new Problem('CS_INTERNAL', 'a position is missing')
        return new Recorded(PERMIT, draft.message, draft.id, position, draft.hash)
      })
    },
    async read(options) {
      let opened: KafkaReader | null = null
      const reader = await openReader(parts, options, () => {
        if (opened !== null) readers.delete(opened)
      })
      opened = reader
      readers.add(reader)
      return reader
    },
    readToEnd: (options) => readToEnd(parts, options),
    recordOf: (raw) => recordBy(parts.schemas, raw),
    endOffsets,
    topics: () => metadata.topics(),
    async spansSince(topic, sinceMs) {
      const bounds = await metadata.bounds(topic)
      const since = await metadata.offsetsSince(topic, sinceMs)
      return new Map(
        [...bounds].map(([partition, { low, end }]) => [
          partition,
          { first: low, since: Math.min(since.get(partition) ?? end, end), end },
        ]),
      )
    },
    partitionCount,
    partitionOf,
    isCongested: (topic) => lanes.get(topic)?.isCongested() ?? false,
    relieved: async (topic) => lanes.get(topic)?.relieved(),
    healthy: () =>
      !closed && metadata.healthy() && [...readers].every((reader) => reader.healthy()),
    async [Symbol.asyncDispose]() {
      closed = true
      // Every append has its own limit, so the lanes are empty soon.
      await Promise.all([...readers].map((reader) => reader[Symbol.asyncDispose]()))
      await Promise.all([...lanes.values()].map((lane) => lane[Symbol.asyncDispose]()))
      await metadata[Symbol.asyncDispose]()
    },
  }

  async function endOffsets(topic: string): Promise<ReadonlyMap<number, number>> {
    const bounds = await metadata.bounds(topic)
    return new Map([...bounds].map(([partition, { end }]) => [partition, end]))
  }

  function laneOf(topic: string): Lane {
    const known = lanes.get(topic)
    if (known !== undefined) return known
    const lane = laneInto({ kafka, topic, source: service, partitionCount })
    lanes.set(topic, lane)
    return lane
  }
}

const SESSION_TIMEOUT_MS = 6_000
