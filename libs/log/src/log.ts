import type { AnyMessage, MessageType } from '@countersign/contracts'
import type { EventId, Problem } from '@countersign/kernel'
import type { Draft } from './draft.ts'
import type { RawRecord } from './envelope.ts'
import type { Place, Position } from './position.ts'
import type { Recorded } from './recorded.ts'

/** The only connection of the services. Two implementations, one contract suite: Kafka, and memory for unit tests. */
export type Log = AsyncDisposable & {
  /**
   * Appends messages, in order within a partition, together with whatever else waits (group commit).
   * Resolves when every one is in the log. Throws `CS_LOG_UNAVAILABLE` when that is not known within
   * the limit: then each may or may not be in the log.
   */
  append<M extends AnyMessage>(
    drafts: readonly Draft<M>[],
    options?: AppendOptions,
  ): Promise<Recorded<M>[]>
  /** Starts to read; resolves when the first fetch is positioned, so that nothing later is missed. */
  read(options: ReadOptions): Promise<Reader>
  /** Reads from the beginning to the end that there is now, then stops. For the state of a decider. */
  readToEnd(options: ReadToEndOptions): Promise<void>
  /** The record in bytes that were copied out of a log, such as an archive's, as a reader of this log gets it. */
  recordOf(raw: RawRecord): Promise<LogRecord>
  /** The next offset of each partition of a topic. */
  endOffsets(topic: string): Promise<ReadonlyMap<number, number>>
  /** The topics that this user may read, in the order of their names. */
  topics(): Promise<readonly string[]>
  /** The offsets that the log has of each partition of a topic from a moment on. */
  spansSince(topic: string, sinceMs: number): Promise<ReadonlyMap<number, Span>>
  /** The number of partitions of a topic. */
  partitionCount(topic: string): Promise<number>
  /** The partition that a key is in; the same for every topic with as many partitions. */
  partitionOf(key: string, partitionCount: number): number
  /** True if so much waits for this topic that callers that need not append yet should wait for `relieved`. */
  isCongested(topic: string): boolean
  /** Resolves when the topic is not congested. */
  relieved(topic: string): Promise<void>
  /** True if the log answers; for /readyz. */
  healthy(): boolean
}

/** Offsets of a partition: of the oldest record that is kept, of the first since a moment, and of the next to come. */
export type Span = { readonly first: number; readonly since: number; readonly end: number }

export type AppendOptions = {
  /** The limit of the append, in milliseconds; 2,000 by default. */
  limitMs?: number
  /**
   * The longest wait for other drafts, in milliseconds, of an append that nobody waits for. It goes with the next
   * append into its topic that does not linger, or alone when this time is over. By default it does not linger.
   */
  lingerMs?: number
}

export type ReadOptions = {
  topics: readonly string[]
  /**
   * The place to begin. `committed` needs a group, and starts at the beginning where nothing is committed. A moment
   * begins each partition at its first record of then or later.
   */
  from: 'beginning' | 'end' | 'committed' | { readonly sinceMs: number }
  /** A lasting consumer group, shared by the instances of a service; without it, a group of its own. */
  group?: string
  /** Only these partitions (lanes); all by default, or with a group, those assigned. */
  partitions?: readonly number[]
  /**
   * The time from a fetch that brought the newest record to the next fetch, in milliseconds, as of now; 0 by default. A
   * reader that nobody waits for shares its work over many records, and leaves the machine to those that somebody
   * waits for.
   */
  paceMs?(): number
  /**
   * The longest rest, in milliseconds, while the records that come are none that it heeds: it grows with each such
   * fetch, and there is none after one that brought something, since a record seldom comes alone. 0 by default.
   */
  slowDownMs?: number
  /** Called when partitions are assigned (again), before any record of theirs; with a group only. */
  onAssigned?(partitions: readonly number[]): Promise<void> | void
  /** The messages that are wanted of these topics; the others that this version knows are passed over unread. */
  heeds?: Heeds | undefined
  /**
   * Records of one partition of one topic, in order, and where the next begin; none where all were passed over.
   * Rejecting stops the reader and is reported by `failed`.
   */
  onRecords(records: readonly LogRecord[], next: Position): Promise<void> | void
}

/** The types of message that a reader wants, by topic. */
export type Heeds = Readonly<Record<string, readonly MessageType[]>>

export type ReadToEndOptions = {
  topic: string
  partitions?: readonly number[]
  onRecord(record: LogRecord): void
}

export type Reader = AsyncDisposable & {
  /** Remembers for the group that everything before this offset is done. */
  commit(next: Position): Promise<void>
  /**
   * The offset up to which the records of a partition were given to `onRecords` and taken, also where none came since it
   * began; null where the partition is not read, or its place is not known yet.
   */
  taken(place: Place): number | null
  /** Rejects when the reader has stopped for an error that retrying does not mend. */
  readonly failed: Promise<never>
}

/** The headers of a record that a trace goes on from. */
export type TraceContext = { readonly traceparent: string; readonly tracestate?: string }

/** The fields that every record has, whether it can be understood or not. */
type RecordBase = {
  readonly position: Position
  readonly key: string
  readonly timestampMs: number
  /** The place of the record in a trace (W3C Trace Context); null when nobody traces. */
  readonly trace: TraceContext | null
  /** The headers as they stand in the log. */
  readonly headers: Readonly<Record<string, string>>
}

/** A record of the log as a reader gets it. */
export type LogRecord = RecordBase &
  (
    | {
        readonly status: 'understood'
        readonly id: EventId
        readonly source: string
        readonly message: AnyMessage
        readonly fingerprint: string
        readonly value: Buffer
        readonly causation: Position | null
      }
    | { readonly status: 'tombstone' }
    | { readonly status: 'unreadable'; readonly value: Buffer; readonly problem: Problem }
  )

/** A record that could be understood. */
export type Understood = Extract<LogRecord, { status: 'understood' }>
