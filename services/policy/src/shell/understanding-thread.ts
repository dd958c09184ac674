import { Worker } from 'node:worker_threads'
import { keepNewest, rested } from '@countersign/kernel'
import { type Logger, netOn } from '@countersign/runtime'
import {
  type BesideText,
  isSameDescription,
  type TargetCatalog,
  type TargetDescription,
  tooComplex,
} from '@countersign/statements'
import { notUnderstood, type Understood } from '../core/understood.ts'
import { type Answered, type Asked, CATALOGS_MAX } from './understanding-worker.ts'

/**
 * A thread that understands one text at a time, and is ended when a text takes longer than it may: the grammar cannot be
 * interrupted otherwise. Time is processor time of the thread, so that no text is refused because the machine is busy.
 * A text whose thread ends or cannot answer is refused, and another thread takes the place of that one.
 */
export type UnderstandingThread = AsyncDisposable & {
  /** True if it can be asked now. */
  isFree(): boolean
  /** False after a thread ended at its start, until the next one is tried. */
  isAlive(): boolean
  /** Never rejects: a text that is not answered is too complex. */
  ask(text: Text, limits: TextLimits): Promise<Answer>
}

export type Text = {
  readonly sessionId: string
  readonly bytes: Uint8Array
  readonly target: TargetCatalog
  readonly beside: BesideText
}

export type TextLimits = {
  /** Processor time that it may take. */
  readonly msMax: number
  /** The longest wait for the answer in real time, whatever the thread does. */
  readonly wallMsMax: number
}

/** The understanding of a text, and the processor time that it took. */
export type Answer = Understood & { readonly spentMs: Promise<number> }

export type UnderstandingThreadOptions = {
  readonly logger: Logger
  readonly statementBytesMax: number
  /** Called whenever it may have become free. */
  readonly onFree: () => void
  /** The program of the thread. */
  readonly program?: URL
}

export function understandingThread(options: UnderstandingThreadOptions): UnderstandingThread {
  const { logger, statementBytesMax, onFree, program = PROGRAM } = options
  const net = netOn(logger)
  // bound: CATALOGS_MAX
  const catalogs = new Map<number, TargetDescription>()
  let nextCatalogId = 1
  let worker: Worker | null = null
  let isReady = false
  let isOver = false
  let asking: Asking | null = null
  /** Ends the wait of `catalogOf` when the thread has taken in a description. */
  let onTaken = (): void => undefined
  start()

  return {
    isFree: () => !isOver && worker !== null && isReady && asking === null,
    isAlive: () => worker !== null,
    async ask(text, { msMax, wallMsMax }) {
      const current = worker
      if (current === null || asking !== null) return refused('finds no thread', 0)
      const mine: Asking = { answer: Promise.withResolvers(), msMax, beganMs: 0 }
      asking = mine
      const giveUp = (why: string): void => {
        if (asking !== mine) return
        logger.warn(
          { sessionId: text.sessionId, bytes: text.bytes.length, msMax, why },
          'a text was not understood',
        )
        settle(refused(why, msMax))
        replace(current)
      }
      using _limit = net.after('text', wallMsMax, () =>
        giveUp('is not understood while somebody waits for it'),
      )
      const watched = watch(current, mine, { text, msMax, giveUp })
      net.detached('text', watched, () => giveUp('cannot be given to the thread that reads it'))
      return await mine.answer.promise
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      settle(refused('came when policy stopped', 0))
      await worker?.terminate()
    },
  }

  /** Asks the thread, and gives the text up when it has used up its time. */
  async function watch(
    current: Worker,
    mine: Asking,
    given: { text: Text; msMax: number; giveUp: (why: string) => void },
  ): Promise<void> {
    const { text, msMax, giveUp } = given
    const { bytes, beside, target } = text
    const { searchPath, pathRules } = target
    // The time to take in a description is not charged to the text.
    const catalogId = await catalogOf(current, target)
    mine.beganMs = await cpuMs(current)
    if (asking !== mine) return
    const path = { searchPath, pathRules }
    const asked = { text: bytes, beside, bytesMax: statementBytesMax, catalogId, path }
    current.postMessage(asked satisfies Asked)
    for (let leftMs = msMax; leftMs > 0;) {
      await rested(Math.min(Math.max(leftMs, 1), LOOKING_MS_MAX))
      if (asking !== mine) return
      leftMs = msMax - ((await cpuMs(current)) - mine.beganMs)
    }
    giveUp(`takes more than ${msMax} ms to understand`)
  }

  /** The number under which the thread has the description, which is sent to it only once for all paths. */
  async function catalogOf(current: Worker, target: TargetCatalog): Promise<number> {
    for (const [known, description] of catalogs)
      if (isSameDescription(description, target)) return known
    const catalogId = nextCatalogId++
    const { relations, routines, types, systemColumns } = target
    const catalog = { relations, routines, types, systemColumns }
    catalogs.set(catalogId, catalog)
    keepNewest(catalogs, CATALOGS_MAX)
    const taken = new Promise<void>((resolve) => (onTaken = resolve))
    current.postMessage({ catalogId, catalog } satisfies Asked)
    await taken
    return catalogId
  }

  function start(): void {
    const current = new Worker(program, {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB_MAX },
    })
    worker = current
    isReady = false
    catalogs.clear()
    const onAnswer = (answer: Answered): void => {
      if (worker !== current) return
      if (answer === 'ready') {
        isReady = true
        onTaken()
      } else answered(current, answer)
      onFree()
    }
    const lost = (why: string): void => {
      if (isOver || worker !== current) return
      logger.error({ reason: why }, 'a thread that understands texts ended')
      settle(refused('takes more memory than it may, or cannot be read', asking?.msMax ?? 0))
      replace(current)
    }
    current.on('message', net.guarded('thread', onAnswer))
    current.on(
      'error',
      net.guarded('thread', (cause: Error) => lost(cause.message)),
    )
    current.on(
      'exit',
      net.guarded('thread', () => lost('it exited')),
    )
  }

  function answered(current: Worker, answer: Exclude<Answered, 'ready'>): void {
    const { beganMs = 0, msMax = 0 } = asking ?? {}
    const spentMs = cpuMs(current).then(
      (ms) => Math.max(0, ms - beganMs),
      // The thread is gone, with its count of time, so the whole limit is charged.
      () => msMax,
    )
    const { isBroken, ...understood } = answer
    settle({ ...understood, spentMs })
    if (isBroken) replace(current)
  }

  function settle(answer: Answer): void {
    const answeredOne = asking
    asking = null
    answeredOne?.answer.resolve(answer)
  }

  function replace(current: Worker): void {
    const wasReady = isReady
    worker = null
    net.detached('end of a thread', current.terminate())
    if (isOver) return
    if (wasReady) return start()
    // The thread ended before it was asked anything, and a new one might do so again at once.
    net.after('start of a thread', RESTART_MS, () => {
      if (!isOver && worker === null) start()
    })
  }
}

type Asking = {
  readonly answer: PromiseWithResolvers<Answer>
  /** The cost that is charged when the thread is lost. */
  readonly msMax: number
  beganMs: number
}

const refused = (why: string, ms: number): Answer => ({
  ...notUnderstood(tooComplex(why)),
  spentMs: Promise.resolve(ms),
})

/** Processor time of the thread so far. Rejects when the thread is gone. */
const cpuMs = async (worker: Worker): Promise<number> => {
  const { user, system } = await worker.cpuUsage()
  return (user + system) / 1000
}

const PROGRAM = new URL('./understanding-worker.ts', import.meta.url)
const RESTART_MS = 1_000
/** The longest time between two looks at whether the text was answered. */
const LOOKING_MS_MAX = 200
const MEMORY_MB_MAX = 1_024
