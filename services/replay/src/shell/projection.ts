import { applied, type Catalog, emptyCatalog, isCatalogMessage } from '@countersign/catalog'
import { messageOf, rested } from '@countersign/kernel'
import type { Log, LogRecord, Understood } from '@countersign/log'
import { type Logger, puttingAside, showOffset } from '@countersign/runtime'
import { memoryOf } from '../core/memory.ts'
import type { Overview } from '../core/overview.ts'
import { type SessionRecord, sessionRecord } from '../core/session-record.ts'
import { topology } from '../topology.ts'
import { type Followed, newFollowers, type Wanted } from './followers.ts'
import type { Past, PastOptions } from './past.ts'
import type { Vault } from './vault.ts'

/** The state of replay, kept current from the log. */
export type Projection = AsyncDisposable & {
  catalog(): Catalog
  overview(sessionId: string): Overview | null
  /** Newest first. */
  overviews(): Iterable<Overview>
  /** Goes through all records of a session: from memory, from its archive, or from the log. */
  read(
    sessionId: string,
    onRecord: (record: SessionRecord) => void,
    options?: PastOptions,
  ): Promise<void>
  /** Follows the wanted records of a session until disposed. */
  followed(sessionId: string, wanted: Wanted): Followed
  readonly caughtUp: Promise<void>
  healthy(): boolean
  readonly failed: Promise<never>
}

export type ProjectionOptions = {
  log: Log
  logger: Logger
  vault: Vault
  past: Past
  /** The most bytes of records that are kept in memory; 64 MiB by default. */
  recordBytesMax?: number
}

/** Reads everything from the beginning, and goes on reading. */
export async function project(options: ProjectionOptions): Promise<Projection> {
  const { log, logger, vault, past, recordBytesMax = RECORD_BYTES_MAX } = options
  const memory = memoryOf(recordBytesMax)
  const followers = newFollowers({ overview, read })
  // bound: one per partition
  const next = new Map<string, number>()
  const caughtUp = Promise.withResolvers<void>()
  let isCaughtUp = false
  let catalog = emptyCatalog
  let isStopping = false
  const putAside = puttingAside(topology.service, { log, logger, isStopping: () => isStopping })

  showOffset('catalog', () => next.get('catalog/0') ?? 0)
  const ends = new Map<string, number>()
  for (const topic of topology.reads) {
    for (const [partition, end] of await log.endOffsets(topic))
      ends.set(`${topic}/${partition}`, end)
  }
  const reader = await log.read({
    topics: topology.reads,
    from: 'beginning',
    paceMs: () => PACE_MS,
    onRecords: take,
  })
  noteCaughtUp()

  return {
    catalog: () => catalog,
    overview,
    overviews: memory.overviews,
    read,
    followed: followers.follow,
    caughtUp: caughtUp.promise,
    healthy: () => isCaughtUp && log.healthy(),
    failed: reader.failed,
    [Symbol.asyncDispose]: () => {
      isStopping = true
      return reader[Symbol.asyncDispose]()
    },
  }

  async function take(records: readonly LogRecord[]): Promise<void> {
    for (const record of records) {
      const { topic, partition, offset } = record.position
      const name = `${topic}/${partition}`
      if (offset < (next.get(name) ?? 0)) continue
      next.set(name, offset + 1)
      if (record.status === 'understood') await folded(record)
      if (record.status === 'tombstone' && topic === 'keys') vault.erase(record.key)
      if (record.status === 'unreadable') {
        // Rules decide who may read, and keys what can be read: these must not be guessed, so replay fails instead.
        if (topic === 'catalog' || topic === 'keys') throw record.problem
        await putAside(record, record.problem.message, record.problem)
      }
    }
    noteCaughtUp()
  }

  /** One that cannot be folded is put aside like one that cannot be read; but not a rule or a key. */
  async function folded(record: Understood): Promise<void> {
    try {
      fold(record)
    } catch (cause) {
      const { topic } = record.position
      if (topic === 'catalog' || topic === 'keys') throw cause
      await putAside(record, messageOf(cause), cause)
    }
  }

  function fold(record: Understood): void {
    const { message } = record
    if (message.type === 'SessionKeySealed') vault.keep(message)
    if (isCatalogMessage(message)) catalog = applied(catalog, message)
    const told = sessionRecord(record)
    if (told === null) return
    if (memory.take(told)) followers.tell(told)
  }

  function overview(sessionId: string): Overview | null {
    return memory.session(sessionId)?.overview ?? null
  }

  async function read(
    sessionId: string,
    onRecord: (record: SessionRecord) => void,
    options: PastOptions = {},
  ): Promise<void> {
    const session = memory.session(sessionId)
    if (session === null) return
    const { overview, partition, records } = session
    if (records === null) return past.read(overview, partition, onRecord, options)
    for (const [index, record] of [...records].entries()) {
      options.gone?.throwIfAborted()
      onRecord(record)
      if (index % AT_ONCE === AT_ONCE - 1) await rested(0)
    }
  }

  function noteCaughtUp(): void {
    if (isCaughtUp || [...ends].some(([name, end]) => (next.get(name) ?? 0) < end)) return
    isCaughtUp = true
    caughtUp.resolve()
  }
}

/** After this many records other work has a turn of the event loop. */
const AT_ONCE = 2_000
const RECORD_BYTES_MAX = 64 * 1024 * 1024
/** The pause between fetches of records: nobody waits for what replay shows. */
const PACE_MS = 50
