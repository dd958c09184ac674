import type { AnyMessage } from '@countersign/contracts'
import { EventId, keepNewest, messageOf, systemClock, uuidv5 } from '@countersign/kernel'
import { draftOf, type Log, type LogRecord, type Position, type Reader } from '@countersign/log'
import type { DeciderService, Decision } from './decider/decider-service.ts'
import { follow } from './decider/follow.ts'
import { readGlobals } from './decider/globals.ts'
import { isMisplaced } from './decider/misplaced.ts'
import {
  delivered,
  type Fault,
  hasCaughtUp,
  isCited,
  type Partition,
  passed,
} from './decider/partition.ts'
import { quarantined } from './decider/reject.ts'
import { restore } from './decider/restore.ts'
import type { Running } from './decider/running.ts'
import { settling } from './decider/settle.ts'
import { turnsWith } from './decider/turns.ts'
import type { Logger } from './logger.ts'
import { countFault } from './net.ts'

/** A running decider. */
export type DeciderHost<State> = AsyncDisposable & {
  healthy(): boolean
  /**
   * Runs after the work that this key already waits for, and appends what it gives, with ids made from the cause. Where it
   * throws, that is told and counted once for each cause, the key is quarantined, and the caller hears of it; the service
   * and all other keys go on.
   */
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
  const unhurried = inputs.filter((topic) => service.unhurried?.includes(topic))
  // bound: one per partition
  const partitions = new Map<number, Partition<State>>()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  let isStopping = false
  const running: Running<State> = { log, service, logger, isStopping: () => isStopping }
  const settle = settling(running)
  /** The causes whose faults were told already: a sweep finds the same work again and again. */
  // bound: FAULTS_MAX
  const faults = new Set<EventId>()
  const turns = turnsWith((cause) => {
    if (!isStopping) failure.reject(cause)
  })

  const onRecords = async (records: readonly LogRecord[], next: Position): Promise<void> => {
    for (const record of records) deliver(record)
    passedBy(next)
    await turns.relieved()
  }
  let unhurriedReader: Reader | null = null
  let assigning: Promise<void> = Promise.resolve()
  const rules = await readGlobals(running, failure.reject)
  const readers = [
    ...rules.readers,
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
    healthy: () =>
      log.healthy() && !isStopping && [...partitions.values()].every((p) => p.restored),
    partitions: () =>
      new Map(
        [...partitions].filter(([, p]) => p.restored).map(([number, p]) => [number, p.state]),
      ),
    globalOffset: rules.offset,
    submit: async (key, cause, run) => {
      const [first] = topology.writes
      const count = await log.partitionCount(first ?? '').catch((thrown: unknown) => {
        logger.warn({ key, reason: messageOf(thrown) }, 'the log does not say its partitions')
        throw thrown
      })
      const partition = partitions.get(log.partitionOf(key, count))
      if (partition === undefined || !partition.restored) return
      const outcome: { fault: Fault | null } = { fault: null }
      await turns.take(partition, key, async () => {
        try {
          const decision = await run(partition.state)
          if (decision === 'wait') return
          await follow(running, partition, decision, { key, cause, causation: null })
        } catch (thrown) {
          if (isStopping) return
          outcome.fault = { thrown }
          await isolated(partition, { key, cause, thrown })
        }
      })
      if (outcome.fault !== null) throw outcome.fault.thrown
    },
    announce: async (number, key, message) => {
      const id = EventId(uuidv5(ANNOUNCEMENTS, `${name}/${key}/${systemClock.now()}`))
      await log.append([draftOf(message, { id, key, partition: number })])
    },
    [Symbol.asyncDispose]: async () => {
      isStopping = true
      for (const reader of readers) await reader[Symbol.asyncDispose]()
      await unhurriedReader?.[Symbol.asyncDispose]()
      await Promise.allSettled([...partitions.values()].flatMap((p) => [...p.chains.values()]))
    },
  }

  /** Gives up a key whose work cannot be done: it fails alone, and what it would have decided is not decided otherwise. */
  async function isolated(
    partition: Partition<State>,
    { key, cause, thrown }: { key: string; cause: EventId; thrown: unknown },
  ): Promise<void> {
    if (faults.has(cause)) return
    faults.add(cause)
    keepNewest(faults, FAULTS_MAX)
    countFault(logger, 'a decision without a record', thrown)
    const ending = quarantined(running, partition, key, messageOf(thrown))
    const outcome =
      ending.length === 0 ? 'this work of a session is not done' : 'a session is given up'
    logger.error({ key, cause, events: ending.length }, `${outcome}, after a fault`)
    const id = EventId(uuidv5(cause, 'fault'))
    await follow(running, partition, ending, { key, cause: id, causation: null })
  }

  /** One assignment after the other: the group may change again while a state is restored. */
  async function assign(assigned: readonly number[]): Promise<void> {
    await unhurriedReader?.[Symbol.asyncDispose]()
    unhurriedReader = null
    for (const partition of await restore(running, partitions, { assigned, inputs }))
      beginWhenCaughtUp(partition)
    if (unhurried.length > 0 && assigned.length > 0) await readUnhurried(assigned)
  }

  /** Reads the partitions that the group gave for the other inputs. A record delivered again is known by its offset. */
  async function readUnhurried(assigned: readonly number[]): Promise<void> {
    const reader = await log.read({
      topics: unhurried,
      partitions: assigned,
      from: 'beginning',
      heeds: topology.heeds,
      paceMs: () => (isUrgent() ? 0 : UNHURRIED_PACE_MS),
      onRecords,
    })
    reader.failed.catch((cause: unknown) => failure.reject(cause))
    unhurriedReader = reader
  }

  function isUrgent(): boolean {
    return [...partitions.values()].some(({ state }) => service.isUrgent?.(state) === true)
  }

  /** While a partition is restored, its records are folded, and the undecided ones are kept until it is restored. */
  function deliver(record: LogRecord): void {
    const partition = partitions.get(record.position.partition)
    if (partition === undefined || !delivered(partition, record.position)) return
    if (partition.restored) {
      turns
        .take(partition, record.key, async () => {
          await settle(partition, record, fold(partition, record))
        })
        .catch(failure.reject)
      return
    }
    const fault = fold(partition, record)
    if (!isCited(partition, record)) partition.undecided.push({ record, fault })
  }

  /** Records that do not concern the service were passed over, and count as delivered. */
  function passedBy(next: Position): void {
    const partition = partitions.get(next.partition)
    if (partition === undefined) return
    passed(partition, next)
    if (!partition.restored) beginWhenCaughtUp(partition)
  }

  /** Begins to decide once everything is folded that stood in the log when the partition was assigned. */
  function beginWhenCaughtUp(partition: Partition<State>): void {
    if (!hasCaughtUp(partition)) return
    partition.restored = true
    const { undecided } = partition
    partition.undecided = []
    partition.cited.clear()
    for (const { record, fault } of undecided)
      turns
        .take(partition, record.key, () => settle(partition, record, fault))
        .catch(failure.reject)
    logger.debug({ partition: partition.number, undecided: undecided.length }, 'partition restored')
  }

  /** Folds a record that is understood; gives what was thrown, and null where nothing was. */
  function fold(partition: Partition<State>, record: LogRecord): Fault | null {
    if (record.status === 'unreadable' || isMisplaced(record)) return null
    try {
      service.apply(partition.state, record)
      return null
    } catch (thrown) {
      return { thrown }
    }
  }
}

const UNHURRIED_PACE_MS = 50
/** The most causes of faults that are remembered; one that is forgotten is told again. */
const FAULTS_MAX = 1_000
const ANNOUNCEMENTS = 'a3c1a0f2-6a51-5c1f-9a35-7f0b5b8c6d11'
