import {
  LOOP_BYTES_MAX,
  type BesideText,
  type TargetCatalog,
  tooComplex,
} from '@countersign/statements'
import { type Logger, netOn } from '@countersign/runtime'
import { type Asker, newShares } from '../core/shares.ts'
import { bytesToParse, notUnderstood, understood, type Understood } from '../core/understood.ts'
import { atOnce, type InTurn, loopTurns } from './loop-turns.ts'
import { type UnderstandingThread, understandingThread } from './understanding-thread.ts'

/** Understands a text of a session within limits; a text beyond them is answered as too complex, or as `busy`. */
export type Understander = {
  understand(
    asker: Asker,
    text: Uint8Array,
    target: TargetCatalog,
    beside?: BesideText,
  ): Promise<Understood | 'busy'>
  /** Runs the other work on a request, in shares of the same time. */
  readonly inTurn: InTurn
}

export type UnderstanderOptions = {
  readonly logger: Logger
  readonly statementBytesMax: number
  /** Processor time that a text may take for each 16 KiB that it has begun. */
  readonly understandingMsMax: number
  /** The time that a text may wait for a thread. */
  readonly waitingMsMax?: number
  /** While texts wait, a thread must have answered within this time. */
  readonly stuckMs?: number
  /** The program of the threads. */
  readonly program?: URL
}

/** Understands every text at once, for callers for whom nobody else waits. */
export const understandHere: Understander = {
  understand: async (_asker, text, target, beside) => understood(text, target, beside),
  inTurn: atOnce,
}

/**
 * Understands texts that are short and cost little at once, and all others in two threads. The agent that has used least time lately comes first,
 * and of one agent the session that has used least; one thread is kept for agents that have used little, so that no
 * number of expensive sessions makes the others wait for more than one text. A text that waits too long is refused as
 * `busy`.
 */
export function understander(
  options: UnderstanderOptions,
): AsyncDisposable & Understander & { healthy(): boolean } {
  const { logger, statementBytesMax, understandingMsMax, program } = options
  const { waitingMsMax = WAITING_MS_MAX, stuckMs = STUCK_MS } = options
  const net = netOn(logger)
  // bound: WAITING_MAX
  const waiting: Job[] = []
  const shares = newShares()
  const inTurn = loopTurns({ logger, shares })
  const newThread = () =>
    understandingThread({
      ...{ logger, statementBytesMax, onFree },
      ...(program === undefined ? {} : { program }),
    })
  /** The time at which a thread last became free, or was found free. */
  let lastFreeMs = performance.now()
  const [light, heavy] = [newThread(), newThread()]

  return {
    /** False when no thread lives, or when texts wait and none was free lately: one agent cannot keep both busy. */
    healthy() {
      const nowMs = performance.now()
      if (light.isFree() || heavy.isFree()) lastFreeMs = nowMs
      const sinceMs = Math.max(lastFreeMs, waiting[0]?.sinceMs ?? nowMs)
      return (light.isAlive() || heavy.isAlive()) && nowMs - sinceMs <= stuckMs
    },
    inTurn,
    async understand(asker, text, target, beside = {}) {
      if (bytesToParse(text, beside) <= AT_ONCE_BYTES_MAX) {
        const options = { ...beside, workMax: AT_ONCE_WORK_MAX }
        const found = await inTurn(asker, () => understood(text, target, options))
        // The names of a short text may cost much as well.
        if (found.understanding.tooComplex === null) return found
      }
      if (text.length > statementBytesMax)
        return notUnderstood(tooComplex(`is longer than ${statementBytesMax} bytes`))
      if (waiting.length >= WAITING_MAX) return 'busy'
      const { promise, resolve } = Promise.withResolvers<Understood | 'busy'>()
      const limit = net.after('waiting text', waitingMsMax, () => {
        const place = waiting.indexOf(job)
        if (place >= 0) waiting.splice(place, 1)
        resolve('busy')
      })
      const sinceMs = performance.now()
      const job: Job = {
        asker,
        text: { sessionId: asker.sessionId, bytes: text, target, beside },
        sinceMs,
        limit,
        resolve,
      }
      waiting.push(job)
      dispatch()
      return promise
    },
    async [Symbol.asyncDispose]() {
      for (const { limit, resolve } of waiting.splice(0)) {
        limit[Symbol.dispose]()
        resolve(notUnderstood(tooComplex('came when policy stopped')))
      }
      await Promise.all([light, heavy].map((thread) => thread[Symbol.asyncDispose]()))
    },
  }

  function onFree(): void {
    lastFreeMs = performance.now()
    dispatch()
  }

  function dispatch(): void {
    for (const thread of [light, heavy]) {
      const job = thread.isFree() ? nextFor(thread) : null
      if (job !== null) net.detached('text', run(thread, job), () => job.resolve('busy'))
    }
  }

  function nextFor(thread: UnderstandingThread): Job | null {
    const nowMs = performance.now()
    const isLight = ({ asker, text }: Job): boolean =>
      bytesToParse(text.bytes, text.beside) <= LIGHT_BYTES_MAX &&
      shares.ofAgent(asker, nowMs) < LIGHT_MS_MAX
    return shares.next(waiting, nowMs, thread === light ? isLight : undefined)
  }

  async function run(thread: UnderstandingThread, { asker, text, sinceMs, limit, resolve }: Job) {
    limit[Symbol.dispose]()
    const msMax =
      understandingMsMax * Math.ceil(bytesToParse(text.bytes, text.beside) / LOOP_BYTES_MAX)
    const wallMsMax = Math.max(0, ANSWER_MS_MAX - (performance.now() - sinceMs))
    const { spentMs, ...found } = await thread.ask(text, { msMax, wallMsMax })
    resolve(found)
    // The thread is free again; the cost of this text is added a moment later.
    onFree()
    shares.charge(asker, await spentMs, performance.now())
  }
}

type Job = {
  readonly asker: Asker
  readonly text: Parameters<UnderstandingThread['ask']>[0]
  readonly sinceMs: number
  /** Ends the wait for a thread. */
  readonly limit: Disposable
  readonly resolve: (found: Understood | 'busy') => void
}

/** Texts up to this length, whose names cost little, are understood at once: some milliseconds, less than a thread costs. */
const AT_ONCE_BYTES_MAX = 2 * 1024
/** In comparisons of names with relations. */
const AT_ONCE_WORK_MAX = 2_000
/** The limits of the thread for agents that have used little: the length of a text, and the time used lately. */
const LIGHT_BYTES_MAX = 64 * 1024
const LIGHT_MS_MAX = 100
const WAITING_MAX = 2_000
/** The proxy waits no longer than this for a decision. */
const ANSWER_MS_MAX = 10_000
/** Half of `ANSWER_MS_MAX`. */
const WAITING_MS_MAX = 5_000
/** Policy does not call itself ready while texts have waited longer than this and no thread was free. */
const STUCK_MS = 2_500
