import { Worker } from 'node:worker_threads'
import {
  type BesideText,
  LOOP_BYTES_MAX,
  type TargetCatalog,
  tooComplex,
  understand,
  type Understanding,
} from '@countersign/statements'
import { rested } from '@countersign/kernel'
import { type Logger, netOn } from '@countersign/runtime'
import { type Answered, type Asked, CATALOGS_MAX } from './understanding-worker.ts'

/** Understands a text of a session within limits; what goes beyond them is answered as too complex. */
export type Understander = (
  sessionId: string,
  text: Uint8Array,
  target: TargetCatalog,
  beside?: BesideText,
) => Understanding | Promise<Understanding>

export type UnderstanderOptions = {
  readonly logger: Logger
  readonly statementBytesMax: number
  /** Processor time that a text may take for each 16 KiB that it has begun. */
  readonly understandingMsMax: number
}

/** Understands everything at once, where nobody else waits. */
export const understandHere: Understander = (_session, text, target, beside) =>
  understand(text, target, beside)

/**
 * Understands short texts at once and all others in two threads, which are ended when a text takes longer than it may:
 * the grammar cannot be interrupted otherwise. Time is processor time of the thread, so that a busy machine refuses nobody.
 * Whoever has used least lately comes first, and one of the threads is kept for those who have used little, so that no
 * number of expensive sessions makes the others wait for more than one text.
 */
export function understander(
  options: UnderstanderOptions,
): AsyncDisposable & { readonly understand: Understander } {
  const { logger, statementBytesMax, understandingMsMax } = options
  const net = netOn(logger)
  const waiting: Job[] = []
  const used = usage()
  let isOver = false
  const threads: Thread[] = [newThread(true), newThread(false)]
  for (const thread of threads) start(thread)

  return {
    understand(sessionId, text, target, beside = {}) {
      if (text.length <= AT_ONCE_BYTES_MAX) return understand(text, target, beside)
      if (text.length > statementBytesMax)
        return tooComplex(`is longer than ${statementBytesMax} bytes`)
      if (waiting.length >= WAITING_MAX) return tooComplex('finds policy busy with other texts')
      return new Promise((resolve) => {
        waiting.push({ sessionId, text, target, beside, resolve })
        dispatch()
      })
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      for (const { worker } of threads) await worker?.terminate()
      for (const { job } of threads) job?.resolve(tooComplex('came when policy stopped'))
      for (const job of waiting.splice(0)) job.resolve(tooComplex('came when policy stopped'))
    },
  }

  function dispatch(): void {
    for (const thread of threads) {
      if (thread.worker === null || !thread.isReady || thread.job !== null) continue
      const job = nextFor(thread)
      if (job !== null) net.detached('text', run(thread, thread.worker, job))
    }
  }

  function nextFor(thread: Thread): Job | null {
    let best = -1
    let bestMs = thread.isLight ? LIGHT_MS_MAX : Number.POSITIVE_INFINITY
    waiting.forEach(({ sessionId, text }, index) => {
      if (thread.isLight && text.length > LIGHT_BYTES_MAX) return
      const ms = used.msOf(sessionId)
      if (ms >= bestMs) return
      best = index
      bestMs = ms
    })
    return best < 0 ? null : (waiting.splice(best, 1)[0] ?? null)
  }

  /** Asks the thread, and ends it when the text has used up its time. */
  async function run(thread: Thread, worker: Worker, job: Job): Promise<void> {
    thread.job = job
    const msMax = understandingMsMax * Math.ceil(job.text.length / LOOP_BYTES_MAX)
    const began = performance.now()
    const isCurrent = (): boolean => thread.job === job && thread.worker === worker
    // Taking in a description is not what the text costs.
    const catalogId = await catalogOf(thread, worker, job.target)
    const before = await cpuMs(worker)
    if (!isCurrent()) return
    thread.startedAtMs = before
    const { text, beside } = job
    worker.postMessage({ text, beside, bytesMax: statementBytesMax, catalogId } satisfies Asked)
    for (let leftMs = msMax; leftMs > 0;) {
      await rested(Math.min(Math.max(leftMs, 1), LOOKING_MS_MAX))
      if (!isCurrent()) return
      if (performance.now() - began > WALL_MS_MAX) break
      leftMs = msMax - ((await cpuMs(worker)) - before)
      if (!isCurrent()) return
    }
    thread.job = null
    used.add(job.sessionId, msMax)
    logger.warn(
      { sessionId: job.sessionId, bytes: job.text.length, msMax },
      'a text took longer to understand than it may',
    )
    job.resolve(tooComplex(`takes more than ${msMax} ms to understand`))
    replace(thread, worker)
  }

  /** The number under which the thread has the description. */
  async function catalogOf(thread: Thread, worker: Worker, target: TargetCatalog): Promise<number> {
    const known = thread.catalogs.get(target)
    if (known !== undefined) return known
    const [oldest] = thread.catalogs.keys()
    if (thread.catalogs.size >= CATALOGS_MAX && oldest !== undefined) thread.catalogs.delete(oldest)
    const catalogId = thread.nextCatalogId++
    thread.catalogs.set(target, catalogId)
    const taken = new Promise<void>((resolve) => (thread.onReady = resolve))
    const { searchPath, pathRules, relations, routines, types, systemColumns } = target
    const catalog = { searchPath, pathRules, relations, routines, types, systemColumns }
    worker.postMessage({ catalogId, catalog } satisfies Asked)
    await taken
    return catalogId
  }

  function start(thread: Thread): void {
    const worker = new Worker(WORKER, { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB_MAX } })
    thread.worker = worker
    thread.isReady = false
    thread.catalogs.clear()
    const onAnswer = (answer: Answered): void => {
      if (thread.worker !== worker) return
      if (answer === 'ready') {
        thread.isReady = true
        thread.onReady()
      } else answered(thread, worker, answer)
      dispatch()
    }
    const onError = (cause: Error): void => {
      if (thread.worker !== worker) return
      logger.error({ reason: cause.message }, 'a thread that understands texts failed')
      fail(thread, worker)
    }
    const onExit = (): void => {
      if (thread.worker === worker) fail(thread, worker)
    }
    worker.on('message', net.guarded('thread', onAnswer))
    worker.on('error', net.guarded('thread', onError))
    worker.on('exit', net.guarded('thread', onExit))
  }

  function answered(thread: Thread, worker: Worker, answer: Exclude<Answered, 'ready'>): void {
    const { job } = thread
    thread.job = null
    if (job === null) return
    const startedAtMs = thread.startedAtMs
    const counted = cpuMs(worker).then((ms) =>
      used.add(job.sessionId, Math.max(0, ms - startedAtMs)),
    )
    net.detached('time of a thread', counted)
    job.resolve(answer.understanding)
    if (answer.isBroken) replace(thread, worker)
  }

  /** Whatever ended the thread, such as its memory: the text is refused, and the next one finds another thread. */
  function fail(thread: Thread, worker: Worker): void {
    const { job } = thread
    thread.job = null
    job?.resolve(tooComplex('takes more memory than it may'))
    if (job !== null) used.add(job.sessionId, understandingMsMax)
    replace(thread, worker)
  }

  function replace(thread: Thread, worker: Worker): void {
    const wasReady = thread.isReady
    thread.worker = null
    net.detached('end of a thread', worker.terminate())
    if (isOver) return
    if (wasReady) return start(thread)
    // It failed before it was asked anything, and would again at once.
    net.after('start of a thread', RESTART_MS, () => {
      if (!isOver && thread.worker === null) start(thread)
    })
  }
}

type Job = {
  readonly sessionId: string
  readonly text: Uint8Array
  readonly target: TargetCatalog
  readonly beside: BesideText
  readonly resolve: (understanding: Understanding) => void
}

type Thread = {
  /** Takes only sessions that have used little lately. */
  readonly isLight: boolean
  worker: Worker | null
  isReady: boolean
  job: Job | null
  startedAtMs: number
  /** Tells whoever waits that the thread has taken in a description. */
  onReady: () => void
  nextCatalogId: number
  readonly catalogs: Map<TargetCatalog, number>
}

const newThread = (isLight: boolean): Thread => ({
  isLight,
  worker: null,
  isReady: false,
  job: null,
  startedAtMs: 0,
  onReady: () => undefined,
  nextCatalogId: 1,
  catalogs: new Map(),
})

/** How much time each session has used lately; half of it is forgotten every few seconds. */
function usage() {
  const entries = new Map<string, { ms: number; at: number }>()
  const msOf = (sessionId: string): number => {
    const entry = entries.get(sessionId)
    if (entry === undefined) return 0
    return entry.ms * 0.5 ** ((performance.now() - entry.at) / HALF_LIFE_MS)
  }
  return {
    msOf,
    add(sessionId: string, ms: number): void {
      const total = msOf(sessionId) + ms
      entries.delete(sessionId)
      const [oldest] = entries.keys()
      if (entries.size >= SESSIONS_MAX && oldest !== undefined) entries.delete(oldest)
      entries.set(sessionId, { ms: total, at: performance.now() })
    },
  }
}

/** Processor time of the thread so far. A thread that is gone has used none. */
const cpuMs = (worker: Worker): Promise<number> =>
  worker.cpuUsage().then(
    ({ user, system }) => (user + system) / 1000,
    () => 0,
  )

const WORKER = new URL('./understanding-worker.ts', import.meta.url)
/** What so short a text costs at most, a few milliseconds, is less than asking a thread while it is busy. */
const AT_ONCE_BYTES_MAX = 4 * 1024
/** What the thread for those who have used little may be busy with: 64 KiB, as before there was a thread. */
const LIGHT_BYTES_MAX = 64 * 1024
const LIGHT_MS_MAX = 100
const HALF_LIFE_MS = 5_000
const SESSIONS_MAX = 10_000
const WAITING_MAX = 2_000
/** The proxy does not wait longer for a decision. */
const WALL_MS_MAX = 10_000
const RESTART_MS = 1_000
/** How long nobody looks whether the text was answered. */
const LOOKING_MS_MAX = 200
const MEMORY_MB_MAX = 1_024
