import type { Log, LogRecord } from '@countersign/log'
import type { Reading } from './log-reading.ts'

/** The sessions of one agent. Only the first record of a session names its agent. */
export type AgentSessions = {
  /** Notes the agent of a session, where the record names it. */
  note(record: LogRecord): void
  /** True if a record belongs to a session of this agent. */
  isOf(record: LogRecord, reading: Reading): Promise<boolean>
}

/** Reads the log for the sessions of this agent. */
export async function agentSessions(log: Log, agent: string): Promise<AgentSessions> {
  // bound: as long as one command; one per session of this agent
  const own = new Set<string>()
  // bound: OTHERS_MAX
  const others = new Set<string>()
  const note = (record: LogRecord): void => {
    if (record.status !== 'understood' || record.message.type !== 'SessionRequested') return
    if (record.message.agent === agent) own.add(record.key)
    else noted(record.key)
  }
  await log.readToEnd({ topic: SESSIONS, onRecord: note })
  return {
    note,
    async isOf(record, reading) {
      const { key, position } = record
      if (own.has(key)) return true
      if (others.has(key) || position.topic === SESSIONS) return false
      // A session is in the log before anything that follows from it, but may not have reached us yet.
      const ends = await log.endOffsets(SESSIONS)
      const partition = log.partitionOf(key, ends.size)
      await reading.reached({ topic: SESSIONS, partition, offset: ends.get(partition) ?? 0 })
      if (own.has(key)) return true
      noted(key)
      return false
    },
  }

  /** Notes a session of another agent. This only spares a question: a forgotten session is asked for again. */
  function noted(key: string): void {
    if (others.size >= OTHERS_MAX) others.clear()
    others.add(key)
  }
}

export const SESSIONS = 'sessions'
const OTHERS_MAX = 100_000
