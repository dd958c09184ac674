import { Problem } from '@countersign/kernel'
import {
  type Appending,
  APPEND_LIMIT_MS,
  appending,
  refuseOversized,
  unavailable,
} from './appending.ts'
import type { Draft } from './draft.ts'
import {
  activeTrace,
  headersOf,
  type RawHeaders,
  type RawRecord,
  recordOf,
  viewOf,
} from './envelope.ts'
import type { Log, LogRecord, Reader, ReadOptions, TraceContext } from './log.ts'
import { heededOf } from './heeded.ts'
import { partitionOf } from './partition-of.ts'
import type { Position } from './position.ts'
import { PERMIT, Recorded } from './recorded.ts'
import { recordBy, schemasFrom } from './schemas.ts'

/** A log in memory that a test can look into and break. */
export type InMemoryLog = Log & {
  /** Everything in a topic, partition after partition. */
  records(topic: string): LogRecord[]
  /** Puts anything into the log, as a foreign or newer writer could. */
  appendRaw(
    topic: string,
    partition: number,
    key: string,
    headers: RawHeaders,
    value: Buffer | null,
  ): Position
  /** The log takes what it is given but acknowledges nothing, as a stopped broker does. */
  freeze(): void
  /** The log answers again; what it was given while it was frozen is in it now. */
  thaw(): void
  /** Another connection to the same log, which can be closed by itself. */
  connect(): Log
  /** From now on this topic refuses larger records; as with Kafka, their whole batch then fails, partly written. */
  limitRecords(topic: string, recordBytesMax: number): void
}

export type InMemoryOptions = { partitions?: number; source?: string; appendLimitMs?: number }

/** A log in memory, for unit tests: the same bytes, headers and promises as Kafka. */
export function inMemoryLog(options: InMemoryOptions = {}): InMemoryLog {
  const partitionCount = options.partitions ?? 8
  const source = Buffer.from(options.source ?? 'memory')
  const topics = new Map<string, RawRecord[][]>()
  const committed = new Map<string, number>()
  const readers = new Set<MemoryReader>()
  const limits = new Map<string, number>()
  let frozen = false
  let closed = false
  let waiting: Waiting[] = []

  const schemas = schemasFrom({
    readToEnd: (options) => log.readToEnd(options),
    endOffsets: (topic) => log.endOffsets(topic),
  })
  const log: InMemoryLog = {
    async append(drafts, appendOptions = {}) {
      refuseOversized(drafts)
      if (closed) throw unavailable('the log is closed')
      if (drafts.length === 0) return []
      const call = appending(
        drafts.length,
        appendOptions.limitMs ?? options.appendLimitMs ?? APPEND_LIMIT_MS,
      )
      waiting.push({ drafts, call, trace: activeTrace() })
      queueMicrotask(flush)
      const positions = await call.positions
      return drafts.map((draft, index) => {
        const position = positions[index]
        if (position === undefined) throw new Problem('CS_INTERNAL', 'a position is missing')
        return new Recorded(PERMIT, draft.message, draft.id, position, draft.hash)
      })
    },
    async read(readOptions) {
      if (readOptions.from === 'committed' && readOptions.group === undefined) {
        throw new Problem('CS_INTERNAL', 'reading from what is committed needs a group')
      }
      const reader = memoryReader(readOptions)
      readers.add(reader)
      if (readOptions.group === undefined) reader.assign(readOptions.partitions ?? all())
      else await rebalance(readOptions.group)
      reader.wake()
      return reader
    },
    readToEnd: async ({ topic, partitions, onRecord }) => {
      for (const partition of partitions ?? all()) {
        const log = logOf(topic, partition)
        for (const raw of log.slice()) onRecord(await recordBy(schemas, raw))
      }
    },
    recordOf: (raw) => recordBy(schemas, raw),
    endOffsets: async (topic) =>
      new Map(all().map((partition) => [partition, logOf(topic, partition).length])),
    topics: async () => [...topics.keys()].sort(),
    spansSince: async (topic, sinceMs) =>
      new Map(
        all().map((partition) => [
          partition,
          {
            first: 0,
            since: offsetSince(topic, partition, sinceMs),
            end: logOf(topic, partition).length,
          },
        ]),
      ),
    partitionCount: async () => partitionCount,
    partitionOf,
    isCongested: () => false,
    relieved: () => Promise.resolve(),
    healthy: () => !frozen,
    records: (topic) =>
      all().flatMap((partition) => logOf(topic, partition).map((raw) => recordOf(raw))),
    appendRaw(topic, partition, key, headers, value) {
      const position = write(topic, partition, key, headers, value)
      wakeAll()
      return position
    },
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
      flush()
      wakeAll()
    },
    limitRecords: (topic, recordBytesMax) => void limits.set(topic, recordBytesMax),
    async [Symbol.asyncDispose]() {
      closed = true
      for (const reader of [...readers]) await reader[Symbol.asyncDispose]()
      flush()
      for (const { call } of waiting) call.failed(unavailable('the log is closed'))
    },
    connect: () => connection(log),
  }
  return log

  /** Writes all that waits, one batch a topic. A partition that refuses a record takes none, and its batch fails. */
  function flush(): void {
    if (frozen) return
    const batch = waiting
    waiting = []
    const drafts = batch.flatMap((one) => one.drafts)
    const refused = drafts.filter(
      (draft) => draft.value.length > (limits.get(draft.topic) ?? Infinity),
    )
    const failing = new Set(refused.map(({ topic }) => topic))
    const refusing = new Set(refused.map(placeOf))
    for (const { drafts, call, trace } of batch) {
      drafts.forEach((draft, index) => {
        const headers = headersOf(draft, source, Date.now(), trace)
        if (!refusing.has(placeOf(draft))) {
          const position = write(draft.topic, partitionFor(draft), draft.key, headers, draft.value)
          if (!failing.has(draft.topic)) call.written(index, position)
        }
        if (failing.has(draft.topic))
          call.failed(unavailable(`${draft.topic} refused a record of the batch`))
      })
    }
    wakeAll()
  }

  function partitionFor(draft: Draft): number {
    return draft.partition ?? partitionOf(draft.key, partitionCount)
  }

  function placeOf(draft: Draft): string {
    return `${draft.topic}/${partitionFor(draft)}`
  }

  function write(
    topic: string,
    partition: number,
    key: string,
    headers: RawHeaders,
    value: Buffer | null,
  ): Position {
    const log = logOf(topic, partition)
    const position = { topic, partition, offset: log.length }
    log.push({
      position,
      key,
      timestampMs: Date.now(),
      headers: viewOf(headers),
      value: value === null ? null : Buffer.from(value),
    })
    return position
  }

  function logOf(topic: string, partition: number): RawRecord[] {
    let logs = topics.get(topic)
    if (logs === undefined) {
      logs = Array.from({ length: partitionCount }, () => [])
      topics.set(topic, logs)
    }
    const log = logs[partition]
    if (log === undefined)
      throw new Problem('CS_LOG_UNAVAILABLE', `${topic} has no partition ${partition}`)
    return log
  }

  function offsetSince(topic: string, partition: number, sinceMs: number): number {
    const log = logOf(topic, partition)
    const found = log.findIndex(({ timestampMs }) => timestampMs >= sinceMs)
    return found === -1 ? log.length : found
  }

  function all(): number[] {
    return Array.from({ length: partitionCount }, (_, partition) => partition)
  }

  function wakeAll(): void {
    for (const reader of readers) reader.wake()
  }

  /** Shares the partitions among the members of a group, as the assigner of the Kafka log does. */
  async function rebalance(group: string): Promise<void> {
    const members = [...readers].filter((reader) => reader.group === group)
    await Promise.all(
      members.map((member, index) =>
        member.reassign(all().filter((partition) => partition % members.length === index)),
      ),
    )
  }

  function memoryReader(readOptions: ReadOptions): MemoryReader {
    const next = new Map<string, number>()
    const taken = new Map<string, number>()
    const busy = new Set<string>()
    const heeded = heededOf(readOptions)
    const failure = Promise.withResolvers<never>()
    failure.promise.catch(() => undefined)
    let assigned: readonly number[] = []
    let generation = 0
    let stopped = false

    function assign(partitions: readonly number[]): void {
      const before = new Set(assigned)
      assigned = partitions
      for (const topic of readOptions.topics) {
        for (const partition of partitions) {
          const name = `${topic}/${partition}`
          if (before.has(partition) && next.has(name)) continue
          next.set(name, firstOffset(topic, partition))
          taken.set(name, firstOffset(topic, partition))
        }
      }
    }

    function firstOffset(topic: string, partition: number): number {
      const { from } = readOptions
      if (from === 'beginning') return 0
      if (from === 'end') return logOf(topic, partition).length
      if (typeof from === 'object') return offsetSince(topic, partition, from.sinceMs)
      return committed.get(`${readOptions.group ?? ''}/${topic}/${partition}`) ?? 0
    }

    function wake(): void {
      for (const topic of readOptions.topics)
        for (const partition of assigned) void drain(topic, partition)
    }

    async function drain(topic: string, partition: number): Promise<void> {
      const name = `${topic}/${partition}`
      if (busy.has(name)) return
      busy.add(name)
      // Deliver in a later turn, as a network would: nobody may rely on getting a record within the append.
      await Promise.resolve()
      try {
        while (!stopped && !frozen && assigned.includes(partition)) {
          const from = next.get(name) ?? 0
          const log = logOf(topic, partition)
          if (from >= log.length) return
          const raw = log.slice(from, from + RECORDS_AT_ONCE_MAX)
          const offset = from + raw.length
          next.set(name, offset)
          const records: LogRecord[] = []
          for (const one of raw) {
            const wanted = heeded.get(topic) ?? null
            let record = recordOf(one, wanted, schemas.writtenWith)
            if (record?.status === 'unreadable' && (await schemas.learned(record)))
              record = recordOf(one, wanted, schemas.writtenWith)
            if (record !== null) records.push(record)
          }
          await readOptions.onRecords(records, { topic, partition, offset })
          taken.set(name, offset)
        }
      } catch (cause) {
        stopped = true
        failure.reject(cause)
      } finally {
        busy.delete(name)
      }
    }

    const reader: MemoryReader = {
      group: readOptions.group,
      assign,
      wake,
      failed: failure.promise,
      async reassign(partitions) {
        const mine = ++generation
        // Records of a new partition are not delivered before its owner has prepared for it.
        assigned = assigned.filter((partition) => partitions.includes(partition))
        await readOptions.onAssigned?.(partitions)
        if (mine !== generation) return
        assign(partitions)
        wake()
      },
      commit: async ({ topic, partition, offset }) => {
        if (readOptions.group === undefined)
          throw new Problem('CS_INTERNAL', 'only a group can commit')
        committed.set(`${readOptions.group}/${topic}/${partition}`, offset)
      },
      taken: ({ topic, partition }) =>
        assigned.includes(partition) ? (taken.get(`${topic}/${partition}`) ?? null) : null,
      async [Symbol.asyncDispose]() {
        stopped = true
        if (!readers.delete(reader) || readOptions.group === undefined) return
        await rebalance(readOptions.group)
      },
    }
    return reader
  }
}

/** A connection has readers of its own; closing it closes these. */
function connection(log: Log): Log {
  const readers: Reader[] = []
  let closed = false
  return {
    ...log,
    append: async (drafts, options) => {
      if (closed) throw unavailable('the log is closed')
      return log.append(drafts, options)
    },
    read: async (options) => {
      const reader = await log.read(options)
      readers.push(reader)
      return reader
    },
    async [Symbol.asyncDispose]() {
      closed = true
      for (const reader of readers) await reader[Symbol.asyncDispose]()
    },
  }
}

/** A log whose first record of a type has fields that cannot be read, for tests of who reads it. */
export function withBrokenRecord(log: Log, type: string): Log {
  let isFirst = true
  const broken = (record: LogRecord): LogRecord => {
    if (!isFirst || record.status !== 'understood' || record.message.type !== type) return record
    isFirst = false
    const message = new Proxy(record.message, {
      get(target, name) {
        if (name === 'type') return target.type
        throw new TypeError('poison')
      },
    })
    return { ...record, message }
  }
  return {
    ...log,
    read: (options) =>
      log.read({
        ...options,
        onRecords: (records, next) => options.onRecords(records.map(broken), next),
      }),
  }
}

type Waiting = {
  readonly drafts: readonly Draft[]
  readonly call: Appending
  readonly trace: TraceContext | null
}

type MemoryReader = Reader & {
  readonly group: string | undefined
  assign(partitions: readonly number[]): void
  reassign(partitions: readonly number[]): Promise<void>
  wake(): void
}

const RECORDS_AT_ONCE_MAX = 500
