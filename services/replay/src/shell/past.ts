import { type Archive, recordIn } from '@countersign/archive'
import { SessionId } from '@countersign/kernel'
import type { Log, LogRecord } from '@countersign/log'
import type { Overview } from '../core/overview.ts'
import { type SessionRecord, sessionRecord } from '../core/session-record.ts'
import { SESSION_TOPICS } from '../topology.ts'

/** Sessions that memory does not hold any more. */
export type Past = {
  /** All records of a session: from its archive, or from the log where there is none yet. */
  recordsOf(session: Overview, partition: number): Promise<SessionRecord[]>
}

/** Finds past sessions in the archive and in the log. */
export function pastIn({ archive, log }: { archive: Archive; log: Log }): Past {
  return {
    async recordsOf({ sessionId, endedAt }, partition) {
      const archived = endedAt === null ? null : await archive.read(SessionId(sessionId))
      if (archived === null) return fromLog(sessionId, partition)
      const found: SessionRecord[] = []
      for await (const envelope of archived) found.push(...toldIn(recordIn(envelope)))
      return found
    },
  }

  async function fromLog(sessionId: string, partition: number): Promise<SessionRecord[]> {
    // bound: as long as one session is told
    const found: SessionRecord[] = []
    for (const topic of SESSION_TOPICS) {
      await log.readToEnd({
        topic,
        partitions: [partition],
        onRecord: (record) => {
          if (record.key === sessionId) found.push(...toldIn(record))
        },
      })
    }
    return found
  }
}

/** What cannot be understood is not told; it is no reason to tell nothing. */
function toldIn(record: LogRecord): SessionRecord[] {
  const told = record.status === 'understood' ? sessionRecord(record) : null
  return told === null ? [] : [told]
}
