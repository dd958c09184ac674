import { type Archive, envelopeOf, recordIn } from '@countersign/archive'
import { messageOf, Problem, type SessionId } from '@countersign/kernel'
import type { LogRecord } from '@countersign/log'
import type { Logger } from '@countersign/runtime'
import { followed, forgive, newSessionChains, type SessionChains } from '../core/session-chains.ts'
import { type SessionBuffer, sessionBuffer } from './buffer.ts'
import type { Holder } from './offsets.ts'

/** A session until it is archived. */
export type Session = Holder & {
  readonly id: SessionId
  readonly chains: SessionChains
  readonly buffer: SessionBuffer
  /** The group must not commit further. */
  readonly firstOffsets: Map<string, number>
  /** When its last record came. */
  quietSince: number
  /** Whether there is anything that its archive does not have. */
  changed: boolean
}

export type TakeUpOptions = {
  archive: Archive
  logger: Logger
  /** The folder for what is too much for the memory. */
  parts: string
  bytesMax: number
}

/** Takes up a session; of one that was archived before everything is there, so that late records are added. */
export async function takenUp(
  { archive, logger, parts, bytesMax }: TakeUpOptions,
  { id, partition, quietSince }: Pick<Session, 'id' | 'partition' | 'quietSince'>,
): Promise<Session> {
  const chains = newSessionChains()
  const buffer = sessionBuffer(parts, id, bytesMax)
  try {
    for await (const envelope of (await archive.read(id)) ?? []) {
      buffer.add(envelope)
      const record = recordIn(envelope)
      if (record.status === 'understood') followed(chains, record)
    }
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    // One damaged archive must not hold back all other sessions.
    logger.error({ sessionId: id, reason: messageOf(cause) }, 'an archive cannot be read whole')
  }
  // What was wrong or missing then is on record.
  forgive(chains)
  // bound: one per topic
  const firstOffsets = new Map<string, number>()
  return { id, partition, chains, buffer, firstOffsets, quietSince, changed: false }
}

/** Keeps a record of the session; false where it is there already. */
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
