import { type Archive, recordIn } from '@countersign/archive'
import { SessionId } from '@countersign/kernel'
import type { Log, LogRecord } from '@countersign/log'
import type { Overview } from '../core/overview.ts'
import { type SessionRecord, sessionRecord } from '../core/session-record.ts'
import { SESSION_TOPICS } from '../topology.ts'

/** The records of sessions that memory does not hold any more. */
export type Past = {
  /** Goes through all records of a session: from its archive, or from the log when there is no archive yet. */
  read(
    session: Overview,
    partition: number,
    onRecord: (record: SessionRecord) => void,
    options?: PastOptions,
  ): Promise<void>
}

export type PastOptions = {
  /** Ends it, also while the records of others are passed. */
  readonly gone?: AbortSignal
  /** The topics that are needed of the log; all by default. */
  readonly topics?: readonly string[]
}

/** Finds past sessions in the archive and in the log. */
export function pastIn({ archive, log }: { archive: Archive; log: Log }): Past {
  return {
    async read({ sessionId, endedAt }, partition, onRecord, options = {}) {
      const { gone, topics = SESSION_TOPICS } = options
      const archived = endedAt === null ? null : await archive.read(SessionId(sessionId))
      if (archived !== null) {
        for await (const envelope of archived) {
          gone?.throwIfAborted()
          toldIn(await recordIn(envelope, log)).forEach(onRecord)
        }
        return
      }
      for (const topic of topics) {
        await log.readToEnd({
          topic,
          partitions: [partition],
          onRecord: (record) => {
            gone?.throwIfAborted()
            if (record.key === sessionId) toldIn(record).forEach(onRecord)
          },
        })
      }
    },
  }
}

/** A record that cannot be understood is left out; the others are still told. */
function toldIn(record: LogRecord): SessionRecord[] {
  const told = record.status === 'understood' ? sessionRecord(record) : null
  return told === null ? [] : [told]
}
