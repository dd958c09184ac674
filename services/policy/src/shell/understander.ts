import {
  type BesideText,
  LOOP_BYTES_MAX,
  type TargetCatalog,
  tooComplex,
  understand,
  type Understanding,
} from '@countersign/statements'
import { type Logger, netOn } from '@countersign/runtime'
import { usage } from '../core/usage.ts'
import { type UnderstandingThread, understandingThread } from './understanding-thread.ts'

/** Understands a text of a session within limits; a text beyond them is answered as too complex, or as `busy`. */
export type Understander = (
  asker: Asker,
  text: Uint8Array,
  target: TargetCatalog,
  beside?: BesideText,
) => Understood | Promise<Understood>

/** The session and agent that sent a text. */
export type Asker = { readonly sessionId: string; readonly agent: string }

/** `busy`: the texts of others took so long that this one was not looked at. */
export type Understood = Understanding | 'busy'

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
export const understandHere: Understander = (_asker, text, target, beside) =>
  understand(text, target, beside)

/**
 * Understands short texts at once and all others in two threads. The agent that has used least time lately comes first,
 * and of one agent the session that has used least; one thread is kept for agents that have used little, so that no
 * number of expensive sessions makes the others wait for more than one text. A text that waits too long is refused as
 * `busy`.
 */
export function understander(
  options: UnderstanderOptions,
): AsyncDisposable & { readonly understand: Understander; healthy(): boolean } {
  const { logger, statementBytesMax, understandingMsMax, program } = options
  const { waitingMsMax = WAITING_MS_MAX, stuckMs = STUCK_MS } = options
  const net = netOn(logger)
  // bound: WAITING_MAX
  const waiting: Job[] = []
  const used = usage()
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
    understand(asker, text, target, beside = {}) {
      if (bytesToParse(text, beside) <= AT_ONCE_BYTES_MAX) return understand(text, target, beside)
      if (text.length > statementBytesMax)
        return tooComplex(`is longer than ${statementBytesMax} bytes`)
      if (waiting.length >= WAITING_MAX) return 'busy'
      const { promise, resolve } = Promise.withResolvers<Understood>()
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
        resolve(tooComplex('came when policy stopped'))
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
    let best: { place: number; ofAgent: number; ofSession: number } | null = null
    for (const [place, { asker, text }] of waiting.entries()) {
      const ofAgent = used.msOf(agentKey(asker), nowMs)
      const ofSession = used.msOf(asker.sessionId, nowMs)
      if (
        thread === light &&
        (bytesToParse(text.bytes, text.beside) > LIGHT_BYTES_MAX || ofAgent >= LIGHT_MS_MAX)
      )
        continue
      const isLess =
        best === null ||
        ofAgent < best.ofAgent ||
        (ofAgent === best.ofAgent && ofSession < best.ofSession)
      if (isLess) best = { place, ofAgent, ofSession }
    }
    return best === null ? null : (waiting.splice(best.place, 1)[0] ?? null)
  }

  async function run(thread: UnderstandingThread, { asker, text, sinceMs, limit, resolve }: Job) {
    limit[Symbol.dispose]()
    const msMax =
      understandingMsMax * Math.ceil(bytesToParse(text.bytes, text.beside) / LOOP_BYTES_MAX)
    const wallMsMax = Math.max(0, ANSWER_MS_MAX - (performance.now() - sinceMs))
    const { understanding, spentMs } = await thread.ask(text, { msMax, wallMsMax })
    resolve(understanding)
    // The thread is free again; the cost of this text is added a moment later.
    onFree()
    const ms = await spentMs
    const nowMs = performance.now()
    used.add(agentKey(asker), ms, nowMs)
    used.add(asker.sessionId, ms, nowMs)
  }
}

/** The bytes of a text, and of the statement that it executes. */
const bytesToParse = (text: Uint8Array, { executes }: BesideText): number =>
  text.length + (executes?.text.length ?? 0)

/** The key of an agent in `used`, which is never the id of a session. */
const agentKey = ({ agent }: Asker): string => `agent ${agent}`

type Job = {
  readonly asker: Asker
  readonly text: Parameters<UnderstandingThread['ask']>[0]
  readonly sinceMs: number
  /** Ends the wait for a thread. */
  readonly limit: Disposable
  readonly resolve: (understood: Understood) => void
}

/**
 * Texts up to this length are understood at once: a few milliseconds at most are less than the wait for a busy thread.
 */
const AT_ONCE_BYTES_MAX = 4 * 1024
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
