import { type Archive, envelopeOf, recordIn } from '@countersign/archive'
import { messageOf, Problem, type SessionId } from '@countersign/kernel'
import type { Log, LogRecord } from '@countersign/log'
import type { Logger } from '@countersign/runtime'
import {
  followed,
  forgive,
  newSessionChains,
  type SessionChains,
  unread,
} from '../core/session-chains.ts'
import { type SessionBuffer, sessionBuffer } from './buffer.ts'
import type { Holder } from './offsets.ts'

/** A session until it is archived. */
export type Session = Holder & {
  readonly id: SessionId
  readonly chains: SessionChains
  readonly buffer: SessionBuffer
  /** The first offset of each topic that is not archived; the group must not commit further. */
  readonly firstOffsets: Map<string, number>
  /** The time at which its last record came, in ms of the clock that never goes back. */
  quietSince: number
  /** True if it has records that its archive does not have. */
  changed: boolean
}

export type TakeUpOptions = {
  log: Log
  archive: Archive
  logger: Logger
  /** The folder for records that are too much for the memory. */
  parts: string
  bytesMax: number
}

/** Takes up a session. One that was archived before begins with all its records, so that late ones are added. */
export async function takenUp(
  { log, archive, logger, parts, bytesMax }: TakeUpOptions,
  { id, partition, quietSince }: Pick<Session, 'id' | 'partition' | 'quietSince'>,
): Promise<Session> {
  const chains = newSessionChains()
  const buffer = sessionBuffer(parts, id, bytesMax)
  try {
    for await (const envelope of (await archive.read(id)) ?? []) {
      buffer.add(envelope)
      const record = await recordIn(envelope, log)
      if (record.status === 'understood') followed(chains, record)
      if (record.status === 'unreadable') unread(chains, record)
    }
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    // One damaged archive must not hold back all other sessions.
    logger.error({ sessionId: id, reason: messageOf(cause) }, 'an archive cannot be read whole')
  }
  // Faults in the archived records are on record already.
  forgive(chains)
  // bound: one per topic
  const firstOffsets = new Map<string, number>()
  return { id, partition, chains, buffer, firstOffsets, quietSince, changed: false }
}

/** Keeps a record of the session; false when it is there already. */
export function kept(
  session: Session,
  record: Exclude<LogRecord, { status: 'tombstone' }>,
  nowMs: number,
): boolean {
  if (!session.buffer.add(envelopeOf(record))) return false
  const { topic, offset } = record.position
  if (!session.firstOffsets.has(topic)) session.firstOffsets.set(topic, offset)
  session.quietSince = nowMs
  session.changed = true
  return true
}
