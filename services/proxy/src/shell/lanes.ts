import type { SessionAdmitted } from '@countersign/contracts'
import { applied, type Catalog, emptyCatalog, isCatalogMessage } from '@countersign/catalog'
import type { Clock, SessionId } from '@countersign/kernel'
import type { Log, LogRecord, Reader } from '@countersign/log'
import { CATALOG, LANE_TOPICS } from '../topology.ts'
import type { PolicyLiveness, SessionTable } from './proxy-context.ts'

/** What the proxy hears: the catalog, and what is said about its own sessions. */
export type Lanes = AsyncDisposable & {
  catalog(): Catalog
  liveness(sessionId: SessionId): PolicyLiveness | null
  /** Rejects when the proxy can hear no more. */
  readonly failed: Promise<never>
}

export type LanesOptions = {
  log: Log
  clock: Clock
  sessions: SessionTable
  partitionCount: number
}

/** Reads the catalog whole, then its lanes from their end; resolves when nothing later can be missed. */
export async function readLanes(options: LanesOptions): Promise<Lanes> {
  const { log, clock, sessions, partitionCount } = options
  const heard = new Map<number, PolicyLiveness>()
  let catalog = emptyCatalog
  let catalogOffset = 0

  const define = (record: LogRecord): void => {
    if (record.position.offset < catalogOffset) return
    if (record.status === 'unreadable') throw record.problem
    if (record.status === 'understood' && isCatalogMessage(record.message))
      catalog = applied(catalog, record.message)
    catalogOffset = record.position.offset + 1
  }
  await log.readToEnd({ topic: CATALOG, onRecord: define })
  const readers: Reader[] = [
    await log.read({
      topics: [CATALOG],
      from: 'beginning',
      onRecords: (records) => records.forEach(define),
    }),
    await log.read({
      topics: LANE_TOPICS,
      from: 'end',
      onRecords: (records) => records.forEach(hear),
    }),
  ]

  function hear(record: LogRecord): void {
    if (record.status !== 'understood') return
    const { message } = record
    if (message.type === 'CoverageAlive') alive(message.partition, message.policyVersion)
    if (message.type === 'SessionAdmitted') admitted(record.position.partition, message)
    if ('sessionId' in message) sessions.get(message.sessionId)?.deliver(record)
  }

  function alive(partition: number, policyVersion: string): void {
    heard.set(partition, { heardAtMs: clock.monotonicMs(), policyVersion })
  }

  /** Who admits a session lives; but what a beat said of the rules since counts more than what was decided before. */
  function admitted(partition: number, { policyVersion }: SessionAdmitted): void {
    const known = heard.get(partition)
    if (known === undefined || known.policyVersion === policyVersion)
      alive(partition, policyVersion)
  }

  return {
    catalog: () => catalog,
    liveness: (sessionId) => heard.get(log.partitionOf(sessionId, partitionCount)) ?? null,
    failed: Promise.race(readers.map((reader) => reader.failed)),
    async [Symbol.asyncDispose]() {
      for (const reader of readers) await reader[Symbol.asyncDispose]()
    },
  }
}
