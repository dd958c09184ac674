import type { SessionAdmitted } from '@countersign/contracts'
import { applied, type Catalog, emptyCatalog, isCatalogMessage } from '@countersign/catalog'
import { type Clock, isUuid, messageOf, SessionId } from '@countersign/kernel'
import type { Log, LogRecord, Reader, Understood } from '@countersign/log'
import { type Logger, puttingAside, showOffset } from '@countersign/runtime'
import { CATALOG, LANE_TOPICS, topology } from '../topology.ts'
import type { PolicyLiveness, SessionTable } from './proxy-context.ts'

/** The records that the proxy reads: the catalog, and messages about its own sessions. */
export type Lanes = AsyncDisposable & {
  catalog(): Catalog
  liveness(sessionId: SessionId): PolicyLiveness | null
  /** The next offset of the catalog that will be read. */
  catalogOffset(): number
  /** Rejects when the proxy can read no more of them. */
  readonly failed: Promise<never>
}

export type LanesOptions = {
  log: Log
  clock: Clock
  logger: Logger
  sessions: SessionTable
  partitionCount: number
}

/** Reads the catalog whole, then its lanes from their end; resolves when nothing later can be missed. */
export async function readLanes(options: LanesOptions): Promise<Lanes> {
  const { log, clock, logger, sessions, partitionCount } = options
  // bound: one per partition
  const heard = new Map<number, PolicyLiveness>()
  let catalog = emptyCatalog
  let catalogOffset = 0
  let isStopping = false
  const putAside = puttingAside(topology.service, { log, logger, isStopping: () => isStopping })
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)

  const define = (record: LogRecord): void => {
    if (record.position.offset < catalogOffset) return
    if (record.status === 'unreadable') throw record.problem
    if (record.status === 'understood' && isCatalogMessage(record.message))
      catalog = applied(catalog, record.message)
    catalogOffset = record.position.offset + 1
  }
  showOffset(CATALOG, () => catalogOffset)
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
    if (record.status === 'unreadable') return missed(record, record.problem)
    if (record.status !== 'understood') return
    try {
      told(record)
    } catch (cause) {
      missed(record, cause)
    }
  }

  function told(record: Understood): void {
    const { message } = record
    if (message.type === 'CoverageAlive') alive(message.partition, message)
    if (message.type === 'SessionAdmitted') admitted(record.position.partition, message)
    if ('sessionId' in message) sessions.get(message.sessionId)?.deliver(record)
  }

  /**
   * Ends the session of a record that is unreadable, or cannot be handled: it may have been a revocation, or a grant for
   * other bytes.
   */
  function missed(record: Exclude<LogRecord, { status: 'tombstone' }>, cause: unknown): void {
    const { key } = record
    if (isUuid(key)) sessions.get(SessionId(key))?.end('CS_MESSAGE_UNREADABLE')
    // Other sessions do not wait for this. A record that cannot be put aside at all stops the proxy.
    putAside(record, messageOf(cause), cause).catch(failure.reject)
  }

  function alive(
    partition: number,
    { policyVersion, catalogOffset }: Pick<PolicyLiveness, 'policyVersion' | 'catalogOffset'>,
  ): void {
    const read = Math.max(catalogOffset, heard.get(partition)?.catalogOffset ?? 0)
    heard.set(partition, {
      heardAtMs: clock.monotonicMs(),
      policyVersion,
      catalogOffset: read,
    })
  }

  /** An admission shows that policy lives; but a beat of another policy version counts more, as it may be newer. */
  function admitted(partition: number, message: SessionAdmitted): void {
    const known = heard.get(partition)
    if (known === undefined || known.policyVersion === message.policyVersion)
      alive(partition, message)
  }

  return {
    catalog: () => catalog,
    catalogOffset: () => catalogOffset,
    liveness: (sessionId) => heard.get(log.partitionOf(sessionId, partitionCount)) ?? null,
    failed: Promise.race([failure.promise, ...readers.map((reader) => reader.failed)]),
    async [Symbol.asyncDispose]() {
      isStopping = true
      for (const reader of readers) await reader[Symbol.asyncDispose]()
    },
  }
}
