import { applied, type Catalog, emptyCatalog } from '@countersign/catalog'
import { formatPosition, type Log, type LogRecord, type Understood } from '@countersign/log'
import type { Logger } from '@countersign/runtime'
import { oneOf } from '@countersign/contracts'
import { evolved, newOverview, type Overview } from '../core/overview.ts'
import { type SessionRecord, sessionRecord } from '../core/session-record.ts'
import { topology } from '../topology.ts'
import type { Past } from './past.ts'
import type { Vault } from './vault.ts'

/** What replay knows, kept current from the log. */
export type Projection = AsyncDisposable & {
  catalog(): Catalog
  overview(sessionId: string): Overview | null
  /** Newest first. */
  overviews(): Overview[]
  /** All records of a session: from memory, from its archive, or from the log. */
  recordsOf(sessionId: string): Promise<readonly SessionRecord[]>
  /** The session from its beginning on, until it is disposed. */
  followed(sessionId: string): Followed
  readonly caughtUp: Promise<void>
  healthy(): boolean
  readonly failed: Promise<never>
}

/** A session whose records come as they are written. */
export type Followed = Disposable & {
  /** What came since the last call, everything at the first; a record may come twice. The overview is of the same moment. */
  next(): Promise<{ session: Overview | null; records: readonly SessionRecord[] }>
  /** Resolves when there is more. */
  changed(): Promise<void>
}

export type ProjectionOptions = {
  log: Log
  logger: Logger
  vault: Vault
  past: Past
  /** How many bytes of records are kept in memory; 64 MiB by default. */
  recordBytesMax?: number
}

/** Reads everything from the beginning, and goes on reading. */
export async function project(options: ProjectionOptions): Promise<Projection> {
  const { log, logger, vault, past, recordBytesMax = RECORD_BYTES_MAX } = options
  const sessions = new Map<string, Stored>()
  const next = new Map<string, number>()
  const caughtUp = Promise.withResolvers<void>()
  let isCaughtUp = false
  let catalog = emptyCatalog
  let bytes = 0
  const followers = new Map<string, Set<(told: SessionRecord) => void>>()

  const ends = new Map<string, number>()
  for (const topic of topology.reads) {
    for (const [partition, end] of await log.endOffsets(topic))
      ends.set(`${topic}/${partition}`, end)
  }
  const reader = await log.read({
    topics: topology.reads,
    from: 'beginning',
    paceMs: PACE_MS,
    onRecords: take,
  })
  noteCaughtUp()

  return {
    catalog: () => catalog,
    overview: (sessionId) => sessions.get(sessionId)?.overview ?? null,
    overviews: () => [...sessions.values()].map(({ overview }) => overview).sort(newestFirst),
    recordsOf,
    followed,
    caughtUp: caughtUp.promise,
    healthy: () => isCaughtUp && log.healthy(),
    failed: reader.failed,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }

  function take(records: readonly LogRecord[]): void {
    for (const record of records) {
      const { topic, partition, offset } = record.position
      const name = `${topic}/${partition}`
      if (offset < (next.get(name) ?? 0)) continue
      next.set(name, offset + 1)
      if (record.status === 'understood') fold(record)
      if (record.status === 'tombstone' && topic === 'keys') vault.erase(record.key)
      if (record.status === 'unreadable') {
        // Rules decide who may read, and keys what can be read: these must not be guessed.
        if (topic === 'catalog' || topic === 'keys') throw record.problem
        logger.error({ position: formatPosition(record.position) }, record.problem.message)
      }
    }
    noteCaughtUp()
  }

  function fold(record: Understood): void {
    const { message } = record
    if (message.type === 'SessionKeySealed') vault.keep(message)
    if (isCatalogMessage(message)) catalog = applied(catalog, message)
    const told = sessionRecord(record)
    if (told === null) return
    const session = storedOf(told.message.sessionId, record.position.partition)
    const name = `${record.position.topic}/${record.id}`
    if (session.seen?.has(name) === true) return
    session.seen?.add(name)
    session.overview = evolved(session.overview, told.message)
    for (const tell of followers.get(told.message.sessionId) ?? []) tell(told)
    if (session.records === null) return
    const size = record.value.length + RECORD_OVERHEAD_BYTES
    session.records.push(told)
    session.bytes += size
    bytes += size
    if (bytes > recordBytesMax) makeRoom()
  }

  function storedOf(sessionId: string, partition: number): Stored {
    const known = sessions.get(sessionId)
    if (known !== undefined) return known
    const overview = newOverview(sessionId)
    const fresh: Stored = { overview, partition, records: [], seen: new Set(), bytes: 0 }
    sessions.set(sessionId, fresh)
    const [oldest] = sessions.keys()
    if (sessions.size > SESSIONS_MAX && oldest !== undefined) {
      bytes -= sessions.get(oldest)?.bytes ?? 0
      sessions.delete(oldest)
    }
    return fresh
  }

  /** Finished sessions go first, the oldest before others; then whatever is oldest, since the log still has it. */
  function makeRoom(): void {
    const held = [...sessions.values()].filter(({ records }) => records !== null)
    const finished = held.filter(({ overview }) => overview.endedAt !== null)
    const live = held.filter(({ overview }) => overview.endedAt === null)
    for (const session of [...finished, ...live]) {
      if (bytes <= recordBytesMax / 2) return
      bytes -= session.bytes
      session.records = null
      // Repeats come soon after their first; an end in order is the last of its chain.
      if (session.overview.endedAt !== null) session.seen = null
      session.bytes = 0
    }
  }

  function followed(sessionId: string): Followed {
    let fresh: SessionRecord[] = []
    let isFirst = true
    let change = Promise.withResolvers<void>()
    const tell = (told: SessionRecord): void => {
      fresh.push(told)
      change.resolve()
    }
    const others = followers.get(sessionId) ?? new Set()
    followers.set(sessionId, others.add(tell))
    return {
      async next() {
        const before = isFirst ? await recordsOf(sessionId) : []
        isFirst = false
        const records = [...before, ...fresh]
        fresh = []
        change = Promise.withResolvers<void>()
        return { session: sessions.get(sessionId)?.overview ?? null, records }
      },
      changed: () => change.promise,
      [Symbol.dispose]: () => {
        others.delete(tell)
        if (others.size === 0) followers.delete(sessionId)
      },
    }
  }

  async function recordsOf(sessionId: string): Promise<readonly SessionRecord[]> {
    const session = sessions.get(sessionId)
    if (session === undefined) return []
    if (session.records !== null) return session.records
    return past.recordsOf(session.overview, session.partition)
  }

  function noteCaughtUp(): void {
    if (isCaughtUp || [...ends].some(([name, end]) => (next.get(name) ?? 0) < end)) return
    isCaughtUp = true
    caughtUp.resolve()
  }
}

type Stored = {
  overview: Overview
  readonly partition: number
  /** Null when they were dropped to make room. */
  records: SessionRecord[] | null
  /** The ids of the records, so that a repeat is not counted twice. */
  seen: Set<string> | null
  bytes: number
}

const newestFirst = (a: Overview, b: Overview): number => (a.sessionId < b.sessionId ? 1 : -1)

const isCatalogMessage = oneOf(
  'ConnectionProfileDefined',
  'ChainDefined',
  'PolicySetDefined',
  'MaskingRulesDefined',
  'ReviewersDefined',
)

const RECORD_BYTES_MAX = 64 * 1024 * 1024
/** What a record costs in memory beside its bytes, about. */
const RECORD_OVERHEAD_BYTES = 600
const SESSIONS_MAX = 50_000
/** Nobody waits for what replay shows. */
const PACE_MS = 50
