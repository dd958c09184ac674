import type { ApprovalsMessage } from '@countersign/contracts'
import { applied, type Catalog, emptyCatalog, isCatalogMessage } from '@countersign/catalog'
import { keepNewest, messageOf, type RequestId } from '@countersign/kernel'
import {
  formatPosition,
  type Log,
  type LogRecord,
  type Position,
  type Understood,
} from '@countersign/log'
import { type Logger, puttingAside, showOffset } from '@countersign/runtime'
import { evolved, type HeldRequest } from '../core/held-request.ts'
import { oneOf } from '@countersign/contracts'
import { CATALOG_PARTITION, topology } from '../topology.ts'

/** The state that the console shows, kept current from the log. */
export type Projection = AsyncDisposable & {
  catalog(): Catalog
  /** The next catalog offset that will be read. */
  catalogOffset(): number
  request(id: RequestId): HeldRequest | null
  requests(): readonly HeldRequest[]
  /** The approval events that cite this record. */
  causedBy(position: Position): readonly ApprovalsMessage[]
  /** True if an approval event cites the record at this place. */
  hasAnswered(position: string): boolean
  /** Resolves after the next records. */
  changed(): Promise<void>
  /** Resolves when everything is read that was in the log at the start. */
  readonly caughtUp: Promise<void>
  healthy(): boolean
  readonly failed: Promise<never>
}

/** Reads everything from the beginning, and goes on reading. */
export async function project(log: Log, logger: Logger): Promise<Projection> {
  // bound: ENDED_MAX of those that ended; a request that waits ends with its deadline
  const requests = new Map<RequestId, HeldRequest>()
  // bound: ENDED_MAX
  const ended: RequestId[] = []
  // bound: CAUSES_MAX
  const caused = new Map<string, ApprovalsMessage[]>()
  // bound: one per partition
  const next = new Map<string, number>()
  const caughtUp = Promise.withResolvers<void>()
  let isCaughtUp = false
  let catalog = emptyCatalog
  let change = Promise.withResolvers<void>()
  let isStopping = false
  const putAside = puttingAside(topology.service, { log, logger, isStopping: () => isStopping })

  const catalogOffset = (): number => next.get(`catalog/${CATALOG_PARTITION}`) ?? 0
  showOffset('catalog', catalogOffset)
  const ends = new Map<string, number>()
  for (const topic of topology.reads) {
    for (const [partition, end] of await log.endOffsets(topic))
      ends.set(`${topic}/${partition}`, end)
  }
  const reader = await log.read({ topics: topology.reads, from: 'beginning', onRecords: take })
  noteCaughtUp()

  return {
    catalog: () => catalog,
    catalogOffset,
    request: (id) => requests.get(id) ?? null,
    requests: () => [...requests.values()],
    causedBy: (position) => caused.get(formatPosition(position)) ?? [],
    hasAnswered: (position) => caused.has(position),
    changed: () => change.promise,
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
      if (record.status === 'unreadable') {
        // A rule that cannot be read must not be shown as if it were not there.
        if (topic === 'catalog') throw record.problem
        await putAside(record, record.problem.message, record.problem)
      }
    }
    noteCaughtUp()
    change.resolve()
    change = Promise.withResolvers<void>()
  }

  /** One that cannot be folded is put aside like one that cannot be read; but not a rule. */
  async function folded(record: Understood): Promise<void> {
    try {
      fold(record)
    } catch (cause) {
      if (record.position.topic === 'catalog') throw cause
      await putAside(record, messageOf(cause), cause)
    }
  }

  function fold({ message, causation }: Understood): void {
    if (isCatalogMessage(message)) catalog = applied(catalog, message)
    if (!isApprovalsMessage(message)) return
    const before = requests.get(message.requestId) ?? null
    const after = evolved(before, message)
    if (after !== null) requests.set(message.requestId, after)
    if (after !== null && after.status !== 'pending' && before?.status === 'pending')
      forgetOldest(message.requestId)
    if (causation?.topic === 'reviews') remember(formatPosition(causation), message)
  }

  function forgetOldest(id: RequestId): void {
    ended.push(id)
    const oldest = ended.length > ENDED_MAX ? ended.shift() : undefined
    if (oldest !== undefined) requests.delete(oldest)
  }

  function remember(cause: string, event: ApprovalsMessage): void {
    caused.set(cause, [...(caused.get(cause) ?? []), event])
    keepNewest(caused, CAUSES_MAX)
  }

  function noteCaughtUp(): void {
    if (isCaughtUp || [...ends].some(([name, end]) => (next.get(name) ?? 0) < end)) return
    isCaughtUp = true
    caughtUp.resolve()
  }
}

const isApprovalsMessage = oneOf(
  'ApprovalRequested',
  'Countersigned',
  'CountersignatureRefused',
  'ApprovalGranted',
  'ApprovalDenied',
  'ApprovalExpired',
  'ApprovalWithdrawn',
  'ApprovalSuperseded',
  'ApprovalLimited',
)

/** At most this many requests that no longer wait are kept in memory; replay shows all. */
const ENDED_MAX = 10_000
/** The events of at most this many votes are kept for the callers that wait for them. */
const CAUSES_MAX = 10_000
