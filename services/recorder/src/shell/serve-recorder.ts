import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { metrics } from '@opentelemetry/api'
import type { Archive } from '@countersign/archive'
import { type Clock, isUuid, messageOf, SessionId } from '@countersign/kernel'
import type { Log, LogRecord, Position, Span } from '@countersign/log'
import { type Logger, netOn } from '@countersign/runtime'
import { isDue } from '../core/ending.ts'
import { bytesOf, CITATION_BYTES, forgotten } from '../core/citations.ts'
import { followed, forgive, missingIn, unread } from '../core/session-chains.ts'
import { topology } from '../topology.ts'
import { bufferedBytes } from './buffer.ts'
import { newOffsets } from './offsets.ts'
import { rejectionsInto } from './rejections.ts'
import { kept, type Session, takenUp } from './session.ts'

export type RecorderOptions = {
  log: Log
  logger: Logger
  clock: Clock
  archive: Archive
  /** The folder in which sessions that are too large for the memory wait for their archive. */
  partsDir: string
  /** The time that a finished session must be quiet before it is archived. */
  graceMs: number
  /** The most bytes of one session in memory; 1 MiB by default. */
  sessionBytesMax?: number
  /** The approximate limit for the bytes of all sessions together in memory; 64 MiB by default. */
  bufferBytesMax?: number
  /** The approximate limit for all hashes and citations that wait to be compared; 64 MiB by default. */
  citationsBytesMax?: number
}

/** A running recorder. */
export type RecorderHost = AsyncDisposable & {
  healthy(): boolean
  /** Archives the sessions whose time has come and commits; a timer does this. */
  sweep(): Promise<void>
  /** True if the record at this position has been taken. */
  hasRead(position: Position): boolean
  readonly failed: Promise<never>
}

/** Checks the chains of all sessions and archives those that are over, until it is disposed. */
export async function serveRecorder(options: RecorderOptions): Promise<RecorderHost> {
  const { log, logger, clock, archive, partsDir, graceMs } = options
  await mkdir(partsDir, { recursive: true })
  const parts = await mkdtemp(join(partsDir, '.parts-'))
  const bufferBytesMax = options.bufferBytesMax ?? BUFFER_BYTES_MAX
  const bytesMax = options.sessionBytesMax ?? SESSION_BYTES_MAX
  const citationsBytesMax = options.citationsBytesMax ?? CITATIONS_BYTES_MAX
  // bound: one per session that is not archived; FORGOTTEN_MS ends each
  const sessions = new Map<SessionId, Session>()
  const offsets = newOffsets()
  const rejections = rejectionsInto(options)
  const archived = metrics.getMeter('countersign').createCounter('countersign_sessions_archived', {
    description: 'Archives written.',
  })
  // bound: one per topic
  const spans = new Map<string, ReadonlyMap<number, Span>>()
  let work: Promise<void> = Promise.resolve()
  let isWriting = true
  /** An estimate of the bytes of all sessions in memory: it only grows, and is counted anew above the bound. */
  let heldBytes = 0
  /** The same, of what waits to be compared. */
  let citationsBytes = 0

  const reader = await log.read({
    topics: topology.reads,
    from: 'committed',
    group: 'archive',
    paceMs: () => PACE_MS,
    onAssigned: (partitions) => inTurn(async () => keepOnly(partitions)),
    onRecords: (records) =>
      inTurn(async () => {
        for (const record of records) await take(record)
      }),
  })
  const timer = netOn(logger).every('sweep', SWEEP_MS, () =>
    sweep().then(
      () => (isWriting = true),
      (cause: unknown) => {
        isWriting = false
        logger.error({ reason: messageOf(cause) }, 'sessions could not be archived; trying again')
      },
    ),
  )

  return {
    healthy: () => log.healthy() && isWriting,
    failed: reader.failed,
    sweep,
    hasRead: offsets.hasRead,
    [Symbol.asyncDispose]: async () => {
      timer[Symbol.dispose]()
      await reader[Symbol.asyncDispose]()
      await work.catch(() => undefined)
      await rm(parts, { recursive: true, force: true })
    },
  }

  /** Runs one thing after the other, so that reading and writing never happen at the same time. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    const done = work.then(run)
    work = done.catch(() => undefined)
    return done
  }

  function keepOnly(partitions: readonly number[]): void {
    for (const session of sessions.values())
      if (!partitions.includes(session.partition)) dropped(session)
    offsets.keepOnly(partitions)
  }

  async function take(record: LogRecord): Promise<void> {
    if (record.status !== 'tombstone' && isUuid(record.key)) await check(record)
    offsets.read(record.position)
  }

  async function check(record: Exclude<LogRecord, { status: 'tombstone' }>): Promise<void> {
    const { position } = record
    const id = SessionId(record.key)
    const session = sessions.get(id) ?? (await opened(id, position.partition))
    if (!kept(session, record, clock.monotonicMs())) return
    makeRoom(bufferedBytes(record))
    if (record.status === 'unreadable') {
      unread(session.chains, record)
      const { code, message: reason } = record.problem
      return rejections.unreadable(id, code, { position, reason })
    }
    for (const finding of followed(session.chains, record)) await rejections.broken(id, finding)
    if (CHAINS.includes(position.topic)) await makeCitationsRoom()
  }

  /** There can be many sessions: above the bound for all together, the largest ones are moved to the disk. */
  function makeRoom(bytes: number): void {
    heldBytes += bytes
    if (heldBytes <= bufferBytesMax) return
    const buffers = [...sessions.values()].map(({ buffer }) => buffer)
    buffers.sort((a, b) => b.bytes() - a.bytes())
    heldBytes = buffers.reduce((sum, buffer) => sum + buffer.bytes(), 0)
    for (const buffer of buffers) {
      if (heldBytes <= bufferBytesMax / 2) return
      heldBytes -= buffer.bytes()
      buffer.spill()
    }
  }

  /** Above the bound for all together, the sessions that keep most of it are not compared any further back. */
  async function makeCitationsRoom(): Promise<void> {
    citationsBytes += CITATION_BYTES
    if (citationsBytes <= citationsBytesMax) return
    const all = [...sessions.values()].map(({ id, chains: { citations } }) => ({
      id,
      citations,
      bytes: bytesOf(citations),
    }))
    all.sort((a, b) => b.bytes - a.bytes)
    citationsBytes = all.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { id, citations, bytes } of all) {
      if (citationsBytes <= citationsBytesMax / 2) return
      citationsBytes -= bytes
      for (const finding of forgotten(citations)) await rejections.broken(id, finding)
    }
  }

  async function opened(id: SessionId, partition: number): Promise<Session> {
    const quietSince = clock.monotonicMs()
    const session = await takenUp(
      { log, archive, logger, parts, bytesMax },
      { id, partition, quietSince },
    )
    sessions.set(id, session)
    makeRoom(session.buffer.bytes())
    return session
  }

  function sweep(): Promise<void> {
    return inTurn(async () => {
      spans.clear()
      for (const session of sessions.values()) await archiveIfDue(session)
      await commit()
    })
  }

  async function archiveIfDue(session: Session): Promise<void> {
    const { id, chains, buffer } = session
    const { ending } = chains
    if (!isDue(ending, clock.monotonicMs() - session.quietSince, graceMs)) return
    const missing = missingIn(chains)
    // Records that are only not read yet are not missing.
    if (missing.length > 0 && !(await hasWholeChains(session))) return
    for (const finding of missing) await rejections.broken(id, finding)
    forgive(chains)
    if (session.changed) {
      const end = ending.by ?? 'None'
      const file = await archive.write({ sessionId: id, end, ...buffer.content() })
      archived.add(1)
      logger.info({ sessionId: id, file, end }, 'session archived')
    }
    dropped(session)
  }

  async function hasWholeChains({ partition }: Session): Promise<boolean> {
    for (const topic of CHAINS) {
      const { first = 0, end = 0 } = (await spansOf(topic)).get(partition) ?? {}
      // Behind a restart its first records may be on their way: then it has taken none, but it is not at the end.
      const taken = reader.taken({ topic, partition })
      // Of records that the retention removed none comes.
      if (taken === null || Math.max(taken, first) < end) return false
    }
    return true
  }

  /** The offsets that the log has, asked for once in a sweep: nothing is read meanwhile. */
  async function spansOf(topic: string): Promise<ReadonlyMap<number, Span>> {
    const known = spans.get(topic)
    if (known !== undefined) return known
    const found = await log.spansSince(topic, 0)
    spans.set(topic, found)
    return found
  }

  function dropped(session: Session): void {
    session.buffer.discard()
    sessions.delete(session.id)
  }

  async function commit(): Promise<void> {
    try {
      await offsets.commit(reader, [...sessions.values()])
    } catch (cause) {
      // Records that are not committed are read again, which is harmless; the next sweep tries again.
      logger.warn({ reason: messageOf(cause) }, 'an offset could not be committed')
    }
  }
}

/** The topics that hold a chain of each session. */
const CHAINS = ['sessions', 'transcript']
const SESSION_BYTES_MAX = 1024 * 1024
const BUFFER_BYTES_MAX = 64 * 1024 * 1024
const CITATIONS_BYTES_MAX = 64 * 1024 * 1024
/** The pause between fetches of records: nobody waits for the recorder. */
const PACE_MS = 50
const SWEEP_MS = 500
