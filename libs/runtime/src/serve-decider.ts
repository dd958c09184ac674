import { metrics } from '@opentelemetry/api'
import type { AnyMessage } from '@countersign/contracts'
import { EventId, messageOf, Problem, systemClock, uuidv5 } from '@countersign/kernel'
import {
  consequenceId,
  type Draft,
  draftOf,
  formatPosition,
  type Log,
  type LogRecord,
  type Position,
  type Reader,
  type Recorded,
  type Topology,
  type Understood,
} from '@countersign/log'
import type { Logger } from './logger.ts'
import { traced } from './traced.ts'

/** What follows from a record: a message, and its key where that is not the key of the record. */
export type Consequence = {
  readonly message: AnyMessage
  readonly key?: string
}

/** What `decide` says: what follows, or that something else of this key must arrive first. */
export type Decision = readonly Consequence[] | 'wait'

/**
 * A service that decides: it folds what it reads into a state for each partition, and says what follows from a record.
 * The host restores the state from the log, gives each record once and in order of its key, appends what follows and
 * cites the cause, so that after a crash nothing is decided twice and nothing is left out.
 */
export type DeciderService<State> = {
  readonly topology: Topology
  /** Topics with one partition that are read whole before anything is decided, such as the catalog. */
  readonly globals: readonly string[]
  /**
   * Inputs of which most records ask nothing of this service, and nobody waits for what the others ask: they are read
   * some milliseconds late and many at a time, so that a busy session does not wake every service for every statement.
   */
  readonly unhurried?: readonly string[]
  /** How much later than at once the other inputs are read while nothing in them is heeded; see `ReadOptions`. */
  readonly slowDownMs?: number
  newState(partition: number): State
  /** Folds a record of a global topic. Throwing stops the service: a skipped rule would open the door. */
  applyGlobal?(record: Understood): void
  /** Folds a record of an input, or of the own output once it is in the log. */
  apply(state: State, record: Understood | Extract<LogRecord, { status: 'tombstone' }>): void
  /** What follows from a record that was folded before. Throwing puts the record aside as rejected. */
  decide(state: State, record: Understood): Decision | Promise<Decision>
  /** What follows from a record that cannot be read or handled; usually the end of that session. */
  quarantine?(state: State, key: string, reason: string): readonly Consequence[]
}

/** A running decider. */
export type DeciderHost<State> = AsyncDisposable & {
  healthy(): boolean
  /** Runs after what this key already waits for; what it returns is appended. The cause gives the ids. */
  submit(
    key: string,
    cause: EventId,
    run: (state: State) => Decision | Promise<Decision>,
  ): Promise<void>
  /** The restored partitions. */
  partitions(): ReadonlyMap<number, State>
  /** Appends to one partition outside of any session, for signs of life. */
  announce(partition: number, key: string, message: AnyMessage): Promise<void>
  /** The next offset of a global topic that will be read. */
  globalOffset(topic: string): number
  /** Rejects when the service cannot go on. */
  readonly failed: Promise<never>
}

export type DeciderOptions<State> = {
  log: Log
  service: DeciderService<State>
  logger: Logger
}

/** Runs a decider on the log until it is disposed. */
export async function serveDecider<State>(
  options: DeciderOptions<State>,
): Promise<DeciderHost<State>> {
  const { log, service, logger } = options
  const { topology, globals } = service
  const name = topology.service
  const inputs = topology.reads.filter((topic) => !globals.includes(topic) && topic !== name)
  const outputs = topology.writes
  const partitions = new Map<number, Partition<State>>()
  const globalOffsets = new Map<string, number>(globals.map((topic) => [topic, 0]))
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  const meter = metrics.getMeter('countersign')
  const decided = meter.createCounter('countersign_records_decided', {
    description: 'Records decided on.',
  })
  const rejected = meter.createCounter('countersign_records_rejected', {
    description: 'Records put aside.',
  })
  const durations = meter.createHistogram('countersign_decide_duration_ms', {
    description: 'From the delivery of a record to the acknowledgement of what follows from it.',
  })
  let stopping = false
  let inFlight = 0
  let relieved = Promise.withResolvers<void>()

  const onRecords = async (records: readonly LogRecord[], next: Position): Promise<void> => {
    for (const record of records) take(record)
    delivered(next)
    while (inFlight > IN_FLIGHT_MAX) await relieved.promise
  }
  const unhurried = inputs.filter((topic) => service.unhurried?.includes(topic))
  let unhurriedReader: Reader | null = null
  let assigning: Promise<void> = Promise.resolve()
  const readers = [
    ...(await Promise.all(globals.map((topic) => readGlobal(topic)))),
    await log.read({
      topics: inputs.filter((topic) => !unhurried.includes(topic)),
      from: 'beginning',
      group: 'decider',
      heeds: topology.heeds,
      slowDownMs: service.slowDownMs ?? 0,
      onAssigned: (assigned) => {
        assigning = assigning.catch(() => undefined).then(() => assign(assigned))
        return assigning
      },
      onRecords,
    }),
  ]
  for (const reader of readers) reader.failed.catch((cause: unknown) => failure.reject(cause))

  return {
    failed: failure.promise,
    healthy: () => log.healthy() && !stopping && [...partitions.values()].every((p) => p.restored),
    partitions: () =>
      new Map(
        [...partitions].filter(([, p]) => p.restored).map(([number, p]) => [number, p.state]),
      ),
    globalOffset: (topic) => globalOffsets.get(topic) ?? 0,
    submit: async (key, cause, run) => {
      const [first] = outputs
      const count = await log.partitionCount(first ?? '')
      const partition = partitions.get(log.partitionOf(key, count))
      if (partition === undefined || !partition.restored) return
      await chained(partition, key, async () => {
        const decision = await run(partition.state)
        if (decision !== 'wait') await follow(partition, decision, { key, cause, causation: null })
      })
    },
    announce: async (number, key, message) => {
      const id = EventId(uuidv5(ANNOUNCEMENTS, `${name}/${key}/${systemClock.now()}`))
      await log.append([draftOf(message, { id, key, partition: number })])
    },
    [Symbol.asyncDispose]: async () => {
      stopping = true
      for (const reader of readers) await reader[Symbol.asyncDispose]()
      await unhurriedReader?.[Symbol.asyncDispose]()
      await Promise.allSettled([...partitions.values()].flatMap((p) => [...p.chains.values()]))
    },
  }

  /** One assignment after the other: the group may change again while a state is restored. */
  async function assign(assigned: readonly number[]): Promise<void> {
    await unhurriedReader?.[Symbol.asyncDispose]()
    unhurriedReader = null
    await restore(assigned)
    if (unhurried.length > 0 && assigned.length > 0) await readUnhurried(assigned)
  }

  /** The same partitions as the group gave for the other inputs. What is delivered again is known by its offset. */
  async function readUnhurried(assigned: readonly number[]): Promise<void> {
    const reader = await log.read({
      topics: unhurried,
      partitions: assigned,
      from: 'beginning',
      heeds: topology.heeds,
      paceMs: UNHURRIED_PACE_MS,
      onRecords,
    })
    reader.failed.catch((cause: unknown) => failure.reject(cause))
    unhurriedReader = reader
  }

  async function readGlobal(topic: string) {
    const apply = (record: LogRecord): void => {
      if (record.position.offset < (globalOffsets.get(topic) ?? 0)) return
      if (record.status === 'unreadable') throw record.problem
      if (record.status === 'understood') service.applyGlobal?.(record)
      globalOffsets.set(topic, record.position.offset + 1)
    }
    await log.readToEnd({ topic, onRecord: apply })
    return log.read({
      topics: [topic],
      from: 'beginning',
      onRecords: (records) => {
        try {
          records.forEach(apply)
        } catch (cause) {
          logger.error({ topic, reason: messageOf(cause) }, 'a rule cannot be understood: stopping')
          failure.reject(cause)
          throw cause
        }
      },
    })
  }

  /** The own output first: it says what was decided already. Then the inputs, up to where they ended just now. */
  async function restore(assigned: readonly number[]): Promise<void> {
    for (const number of partitions.keys())
      if (!assigned.includes(number)) partitions.delete(number)
    const fresh = assigned.filter((number) => !partitions.has(number))
    for (const number of fresh) {
      partitions.set(number, {
        number,
        state: service.newState(number),
        restored: false,
        delivered: new Map(),
        until: new Map(),
        cited: new Map(),
        undecided: [],
        chains: new Map(),
        parked: new Map(),
      })
    }
    if (fresh.length === 0) return
    for (const topic of outputs) {
      await log.readToEnd({
        topic,
        partitions: fresh,
        onRecord: (record) => {
          const partition = partitions.get(record.position.partition)
          if (partition === undefined || record.status !== 'understood') return
          service.apply(partition.state, record)
          if (record.causation !== null) cite(partition, record.causation, record.key)
        },
      })
    }
    for (const topic of inputs) {
      const ends = await log.endOffsets(topic)
      for (const number of fresh) partitions.get(number)?.until.set(topic, ends.get(number) ?? 0)
    }
    for (const number of fresh) {
      const partition = partitions.get(number)
      if (partition !== undefined) finishRestore(partition)
    }
  }

  function take(record: LogRecord): void {
    const partition = partitions.get(record.position.partition)
    if (partition === undefined) return
    const { topic, offset } = record.position
    if (offset < (partition.delivered.get(topic) ?? 0)) return
    partition.delivered.set(topic, offset + 1)
    if (partition.restored) return live(partition, record)
    if (record.status !== 'unreadable') applySafely(partition, record)
    if (!isCited(partition, record)) partition.undecided.push(record)
  }

  /** What is of no concern to the service was passed over, and counts as delivered. */
  function delivered({ topic, partition: number, offset }: Position): void {
    const partition = partitions.get(number)
    if (partition === undefined) return
    partition.delivered.set(topic, Math.max(offset, partition.delivered.get(topic) ?? 0))
    if (!partition.restored) finishRestore(partition)
  }

  function finishRestore(partition: Partition<State>): void {
    for (const [topic, end] of partition.until) {
      if ((partition.delivered.get(topic) ?? 0) < end) return
    }
    partition.restored = true
    const { undecided } = partition
    partition.undecided = []
    partition.cited.clear()
    for (const record of undecided)
      void chained(partition, record.key, () => settle(partition, record))
    logger.debug({ partition: partition.number, undecided: undecided.length }, 'partition restored')
  }

  function live(partition: Partition<State>, record: LogRecord): void {
    void chained(partition, record.key, async () => {
      if (record.status !== 'unreadable') applySafely(partition, record)
      await settle(partition, record)
    })
  }

  function applySafely(
    partition: Partition<State>,
    record: Exclude<LogRecord, { status: 'unreadable' }>,
  ): void {
    try {
      service.apply(partition.state, record)
    } catch (cause) {
      logger.error(
        { position: formatPosition(record.position), reason: messageOf(cause) },
        'cannot fold a record',
      )
    }
  }

  /** Decides on a record, and on those of its key that waited for it. */
  async function settle(partition: Partition<State>, record: LogRecord): Promise<void> {
    if (record.status === 'unreadable') return reject(partition, record, record.problem.message)
    if (record.status === 'tombstone') return
    const waiting = [...(partition.parked.get(record.key) ?? []), record]
    partition.parked.delete(record.key)
    const still: Understood[] = []
    for (const one of waiting) {
      const isBehind = still.some((earlier) => earlier.position.topic === one.position.topic)
      if (isBehind || !(await settled(partition, one))) still.push(one)
    }
    if (still.length > 0) partition.parked.set(record.key, still.slice(0, PARKED_MAX))
    for (const dropped of still.slice(PARKED_MAX)) {
      await reject(partition, dropped, 'too many records of this session wait')
    }
  }

  async function settled(partition: Partition<State>, record: Understood): Promise<boolean> {
    const began = performance.now()
    try {
      const decision = await service.decide(partition.state, record)
      if (decision === 'wait') return false
      decided.add(1)
      // Most records ask for nothing.
      if (decision.length === 0) return true
      const by = { key: record.key, cause: record.id, causation: record.position }
      await traced(`${name} ${record.message.type}`, record.trace, () =>
        follow(partition, decision, by),
      )
      durations.record(performance.now() - began)
    } catch (cause) {
      if (stopping) return true
      await reject(partition, record, messageOf(cause), cause)
    }
    return true
  }

  type Cause = { key: string; cause: EventId; causation: Position | null }

  /** Appends what follows and folds it. A failed append is repeated with the same ids: a repeat is harmless. */
  async function follow(
    partition: Partition<State>,
    decision: readonly Consequence[],
    by: Cause,
  ): Promise<void> {
    if (decision.length === 0) return
    const drafts = decision.map((consequence, index) =>
      draftOf(consequence.message, {
        id: consequenceId(by.cause, consequence.message.type, index),
        key: consequence.key ?? by.key,
        partition: partition.number,
        causation: by.causation,
      }),
    )
    const written = await appendUntilDone(drafts)
    written.forEach((recorded, index) => {
      const draft = drafts[index]
      if (draft !== undefined) service.apply(partition.state, asRecord(draft, recorded))
    })
  }

  async function appendUntilDone(drafts: readonly Draft[]): Promise<Recorded[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await log.append(drafts)
      } catch (cause) {
        if (stopping || (cause instanceof Problem && !cause.retriable)) throw cause
        logger.warn({ attempt, reason: messageOf(cause) }, 'the log does not answer; trying again')
        await new Promise((resolve) => setTimeout(resolve, Math.min(50 * attempt, 1_000)))
      }
    }
  }

  async function reject(
    partition: Partition<State>,
    record: LogRecord,
    reason: string,
    cause?: unknown,
  ): Promise<void> {
    const { topic, partition: number, offset } = record.position
    const stack = cause instanceof Error ? { stack: cause.stack } : {}
    logger.error(
      { position: formatPosition(record.position), reason, ...stack },
      'a record is put aside',
    )
    rejected.add(1)
    const by = {
      key: record.key,
      cause: EventId(uuidv5(REJECTIONS, `${name}/${formatPosition(record.position)}`)),
      causation: record.position,
    }
    const message: AnyMessage = {
      type: 'MessageRejected',
      service: name,
      at: systemClock.now(),
      topic,
      partition: number,
      offset,
      code: cause instanceof Problem ? cause.code : 'CS_MESSAGE_UNREADABLE',
      reason: reason.slice(0, REASON_CHARACTERS_MAX),
    }
    await appendUntilDone([
      draftOf(message, {
        id: by.cause,
        key: record.key,
        topic: `${name}.rejected`,
        causation: record.position,
      }),
    ])
    await follow(partition, service.quarantine?.(partition.state, record.key, reason) ?? [], by)
  }

  /** Runs after everything that this key already waits for. */
  async function chained(
    partition: Partition<State>,
    key: string,
    run: () => Promise<void>,
  ): Promise<void> {
    inFlight++
    const before = partition.chains.get(key)
    const after = (before ?? Promise.resolve()).then(run).catch((cause: unknown) => {
      if (!stopping) failure.reject(cause)
    })
    partition.chains.set(key, after)
    await after
    if (partition.chains.get(key) === after) partition.chains.delete(key)
    inFlight--
    if (inFlight <= IN_FLIGHT_MAX) {
      relieved.resolve()
      relieved = Promise.withResolvers<void>()
    }
  }
}

type Partition<State> = {
  readonly number: number
  readonly state: State
  restored: boolean
  /** The next offset of each input. */
  readonly delivered: Map<string, number>
  /** Where each input ended when the partition was assigned. */
  readonly until: Map<string, number>
  /** The highest input offset that the own output cites, for each input and key. Only while restoring. */
  readonly cited: Map<string, number>
  undecided: LogRecord[]
  /** What each key is busy with. */
  readonly chains: Map<string, Promise<void>>
  /** Records that wait for something else of their key. */
  readonly parked: Map<string, Understood[]>
}

function cite<State>(partition: Partition<State>, cause: Position, key: string): void {
  const name = `${cause.topic}/${key}`
  partition.cited.set(name, Math.max(partition.cited.get(name) ?? -1, cause.offset))
}

function isCited<State>(partition: Partition<State>, record: LogRecord): boolean {
  return (
    record.position.offset <= (partition.cited.get(`${record.position.topic}/${record.key}`) ?? -1)
  )
}

function asRecord(draft: Draft, recorded: Recorded): Understood {
  return {
    status: 'understood',
    id: draft.id,
    source: '',
    message: draft.message,
    fingerprint: draft.fingerprint,
    value: draft.value,
    causation: draft.causation,
    position: recorded.position,
    key: draft.key,
    timestampMs: 0,
    trace: null,
    headers: {},
  }
}

const UNHURRIED_PACE_MS = 50
const IN_FLIGHT_MAX = 5_000
const PARKED_MAX = 1_000
const REASON_CHARACTERS_MAX = 500
const ANNOUNCEMENTS = 'a3c1a0f2-6a51-5c1f-9a35-7f0b5b8c6d11'
const REJECTIONS = '5d0f3a52-9f7c-5b8e-8a40-0c1c7a3d9e22'
