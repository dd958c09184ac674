import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { metrics } from '@opentelemetry/api'
import { type Archive, envelopeOf, recordIn } from '@countersign/archive'
import {
  type Clock,
  type ErrorCode,
  EventId,
  isUuid,
  messageOf,
  SessionId,
  uuidv5,
} from '@countersign/kernel'
import {
  draftOf,
  formatPosition,
  type Log,
  type LogRecord,
  type Position,
  type Understood,
} from '@countersign/log'
import type { Logger } from '@countersign/runtime'
import { type Chain, isRepeat, linked, newChain } from '../core/chain.ts'
import {
  type Citations,
  citationIn,
  cited,
  type Finding,
  noCitations,
  recorded,
  unanswered,
} from '../core/citations.ts'
import { type Ending, evolved, isDue, notEnded } from '../core/ending.ts'
import { REJECTED, topology } from '../topology.ts'
import { type SessionBuffer, sessionBuffer } from './buffer.ts'

export type RecorderOptions = {
  log: Log
  logger: Logger
  clock: Clock
  archive: Archive
  /** Where sessions that are too large for the memory wait for their archive. */
  partsDir: string
  /** How long a finished session must be quiet before it is archived. */
  graceMs: number
  /** How many bytes of one session stay in memory; 1 MiB by default. */
  sessionBytesMax?: number
}

/** A running recorder. */
export type RecorderHost = AsyncDisposable & {
  healthy(): boolean
  /** Archives what is due and commits; a timer does this. */
  sweep(): Promise<void>
  /** Whether the record at this position has been taken. */
  hasRead(position: Position): boolean
  readonly failed: Promise<never>
}

/** Checks the chains of all sessions and archives those that are over, until it is disposed. */
export async function serveRecorder(options: RecorderOptions): Promise<RecorderHost> {
  const { log, logger, clock, archive, partsDir, graceMs } = options
  const sessionBytesMax = options.sessionBytesMax ?? SESSION_BYTES_MAX
  await mkdir(partsDir, { recursive: true })
  const parts = await mkdtemp(join(partsDir, '.parts-'))
  const sessions = new Map<SessionId, Session>()
  /** The next offset of each topic and partition that is read. */
  const next = new Map<string, Position>()
  const committed = new Map<string, number>()
  const meter = metrics.getMeter('countersign')
  const broken = meter.createCounter('countersign_chains_broken', {
    description: 'Events that do not follow from what was before, or cite another transcript.',
  })
  const archived = meter.createCounter('countersign_sessions_archived', {
    description: 'Archives written.',
  })
  let work: Promise<void> = Promise.resolve()
  let isWriting = true

  const reader = await log.read({
    topics: topology.reads,
    from: 'committed',
    group: 'archive',
    paceMs: PACE_MS,
    onAssigned: (partitions) =>
      inTurn(async () => {
        for (const [id, session] of sessions) {
          if (partitions.includes(session.partition)) continue
          session.buffer.discard()
          sessions.delete(id)
        }
        for (const [name, { partition }] of next)
          if (!partitions.includes(partition)) {
            next.delete(name)
            committed.delete(name)
          }
      }),
    onRecords: (records) =>
      inTurn(async () => {
        for (const record of records) await take(record)
      }),
  })
  const timer = setInterval(() => {
    sweep().then(
      () => (isWriting = true),
      (cause: unknown) => {
        isWriting = false
        logger.error({ reason: messageOf(cause) }, 'sessions could not be archived; trying again')
      },
    )
  }, SWEEP_MS)

  return {
    healthy: () => log.healthy() && isWriting,
    failed: reader.failed,
    sweep,
    hasRead: ({ topic, partition, offset }) =>
      (next.get(`${topic}/${partition}`)?.offset ?? 0) > offset,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await reader[Symbol.asyncDispose]()
      await work.catch(() => undefined)
      await rm(parts, { recursive: true, force: true })
    },
  }

  /** One thing after the other, so that what is read and what is written never meet. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    const done = work.then(run)
    work = done.catch(() => undefined)
    return done
  }

  async function take(record: LogRecord): Promise<void> {
    const { topic, partition, offset } = record.position
    if (record.status !== 'tombstone' && isUuid(record.key)) await keep(record)
    next.set(`${topic}/${partition}`, { topic, partition, offset: offset + 1 })
  }

  async function keep(record: Exclude<LogRecord, { status: 'tombstone' }>): Promise<void> {
    const { topic, partition, offset } = record.position
    const id = SessionId(record.key)
    const session = sessions.get(id) ?? (await opened(id, partition))
    if (!session.buffer.add(envelopeOf(record))) return
    session.quietSince = clock.monotonicMs()
    session.changed = true
    if (!session.firstOffsets.has(topic)) session.firstOffsets.set(topic, offset)
    if (record.status === 'unreadable') {
      const { code, message: reason } = record.problem
      await reject(id, code, { position: record.position, reason })
      return
    }
    for (const finding of folded(session, record)) await foundBroken(id, finding)
  }

  async function foundBroken(sessionId: SessionId, finding: Finding): Promise<void> {
    const { position, reason } = finding
    broken.add(1)
    logger.error({ sessionId, position: formatPosition(position) }, reason)
    await reject(sessionId, 'CS_CHAIN_BROKEN', finding)
  }

  /** A session that was archived before is taken up again: late records are added to its archive. */
  async function opened(id: SessionId, partition: number): Promise<Session> {
    const session: Session = {
      partition,
      buffer: sessionBuffer(parts, id, sessionBytesMax),
      chains: { sessions: newChain(), transcript: newChain() },
      citations: noCitations(),
      ending: notEnded,
      firstOffsets: new Map(),
      quietSince: clock.monotonicMs(),
      changed: false,
    }
    sessions.set(id, session)
    const before = await archive.read(id)
    if (before === null) return session
    try {
      for await (const envelope of before) {
        session.buffer.add(envelope)
        // What was wrong then is on record.
        const record = recordIn(envelope)
        if (record.status === 'understood') folded(session, record)
      }
    } catch (cause) {
      // One damaged archive must not hold back all other sessions.
      logger.error({ sessionId: id, reason: messageOf(cause) }, 'an archive cannot be read whole')
    }
    forgive(session)
    return session
  }

  async function sweep(): Promise<void> {
    await inTurn(async () => {
      for (const [id, session] of sessions) {
        const quietMs = clock.monotonicMs() - session.quietSince
        if (!isDue(session.ending, quietMs, graceMs)) continue
        const missing = missingIn(session)
        if (missing.length > 0 && !(await hasReadAll(session))) continue
        for (const finding of missing) await foundBroken(id, finding)
        forgive(session)
        if (session.changed) {
          const file = await archive.write({
            sessionId: id,
            end: session.ending.by ?? 'None',
            envelopes: () => session.buffer.envelopes(),
          })
          archived.add(1)
          logger.info({ sessionId: id, file, end: session.ending.by }, 'session archived')
        }
        session.buffer.discard()
        sessions.delete(id)
      }
      await commit()
    })
  }

  /** Whether nothing more of its chains stands in the log: what is only not read yet is not missing. */
  async function hasReadAll({ partition }: Session): Promise<boolean> {
    for (const topic of ['sessions', 'transcript']) {
      const position = next.get(`${topic}/${partition}`)
      // Of a partition that never gave a record everything was read before.
      if (position === undefined) continue
      const end = (await log.endOffsets(topic)).get(partition) ?? 0
      if (position.offset < end) return false
    }
    return true
  }

  /** Everything before the first record of any session that is not archived is done. */
  async function commit(): Promise<void> {
    for (const [name, position] of next) {
      const firsts = [...sessions.values()]
        .filter(({ partition }) => partition === position.partition)
        .map(({ firstOffsets }) => firstOffsets.get(position.topic) ?? position.offset)
      const offset = Math.min(position.offset, ...firsts)
      if (offset === committed.get(name)) continue
      try {
        await reader.commit({ ...position, offset })
        committed.set(name, offset)
      } catch (cause) {
        // What is not committed is read again, which is harmless; the next sweep tries again.
        logger.warn({ reason: messageOf(cause) }, 'an offset could not be committed')
        return
      }
    }
  }

  async function reject(sessionId: SessionId, code: ErrorCode, finding: Finding): Promise<void> {
    const { position, reason } = finding
    const { topic, partition, offset } = position
    const id = EventId(uuidv5(REJECTIONS, formatPosition(position)))
    const message = {
      type: 'MessageRejected',
      service: topology.service,
      at: clock.now(),
      topic,
      partition,
      offset,
      code,
      reason: reason.slice(0, REASON_CHARACTERS_MAX),
    } as const
    const draft = draftOf(message, {
      id,
      key: sessionId,
      topic: REJECTED,
      causation: position,
    })
    // Without an acknowledgement the reader stops, and the record is read again after a restart.
    await log.append([draft], { limitMs: REJECT_LIMIT_MS })
  }
}

type Session = {
  readonly partition: number
  readonly buffer: SessionBuffer
  readonly chains: { readonly sessions: Chain; readonly transcript: Chain }
  readonly citations: Citations
  ending: Ending
  /** Where its first record stands in each topic: the group must not commit further. */
  readonly firstOffsets: Map<string, number>
  quietSince: number
  /** Whether there is anything that its archive does not have. */
  changed: boolean
}

/** What others say of the session and is not there, when nothing more can come. */
function missingIn({ citations, ending }: Session): Finding[] {
  const missing = citations.waiting.map((citation) => unanswered(citations, citation))
  if (ending.unseenEnd === null) return missing
  const reason = 'CredentialRevoked says that the session ended, but its end is not there'
  return [...missing, { position: ending.unseenEnd, reason }]
}

/** What is missing is put on record once. */
function forgive(session: Session): void {
  session.citations.waiting = []
  session.ending = { ...session.ending, unseenEnd: null }
}

/** Moves the session on; says what is wrong in its chains. A repeat is harmless, wherever it stands. */
function folded(session: Session, record: Understood): Finding[] {
  const { position, message } = record
  if (!('previousHash' in message)) {
    session.ending = evolved(session.ending, message, position)
    return []
  }
  const isTranscript = message.type === 'TranscriptRecorded'
  const chain = session.chains[isTranscript ? 'transcript' : 'sessions']
  if (isRepeat(chain, record.id)) return []
  session.ending = evolved(session.ending, message, position)
  const { type, sequence, previousHash } = message
  const reason = linked(chain, { ...record, type, sequence, previousHash })
  const citation = citationIn(message, position)
  const findings = isTranscript
    ? recorded(session.citations, { position, length: chain.next, hash: chain.head })
    : citation === null
      ? []
      : cited(session.citations, citation)
  if (reason === null) return findings
  // What is wrong with a record is said once.
  return [{ position, reason }, ...findings.filter((each) => each.position !== position)]
}

const SESSION_BYTES_MAX = 1024 * 1024
/** Nobody waits for the recorder. */
const PACE_MS = 50
const SWEEP_MS = 500
const REJECT_LIMIT_MS = 10_000
const REASON_CHARACTERS_MAX = 500
const REJECTIONS = '0c7c3b0e-93a4-5d0b-8c0a-5f6a1de1f0b7'
