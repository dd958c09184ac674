import type { RequestCompleted, SessionsMessage, TranscriptRecorded } from '@countersign/contracts'
import { deque, messageOf, Problem, rested, type SessionId } from '@countersign/kernel'
import type { AppendOptions, Draft, Log, Recorded } from '@countersign/log'
import type { Logger } from '@countersign/runtime'
import { type Chain, linked, newChain, type Unlinked } from '../core/chain.ts'

/**
 * The writer of a session's two chains, in order. Once an append failed, it is not known what is in the log, so nothing
 * more may be forwarded: `failed` rejects, and the end of the session is written when the log is back.
 */
export type Journal = {
  readonly control: Chain
  readonly transcript: Chain
  /** Appends events of the control chain; all of them share one append. */
  record<M extends SessionsMessage>(events: readonly Unlinked<M>[]): Promise<Recorded<M>[]>
  /** Appends an event of the control chain without the session waiting. A failure ends the session. */
  note(event: Unlinked<SessionsMessage>, options?: AppendOptions): void
  /**
   * Appends a piece of what the agent saw, without the session waiting. It is made when its turn has come: a row of many
   * pieces is not in memory twice.
   */
  recordTranscript(made: () => Unlinked<TranscriptRecorded>, options?: AppendOptions): void
  /**
   * Appends the end of a request, which cites the transcript as it is now, when that is in the log. So whenever this
   * process dies, nothing in the log cites what is not there.
   */
  complete(event: Uncited<RequestCompleted>, options?: AppendOptions): void
  /**
   * True if so much is under way that nobody waits for, of this session or of all, that the session should wait for
   * `relieved` before it causes more. It must: nothing else bounds what a client can cause without waiting for answers.
   */
  isCongested(): boolean
  /** Resolves when it is not congested, or when it failed. */
  relieved(): Promise<void>
  /** Resolves when everything so far is in the log, or is known not to be. */
  settled(): Promise<void>
  /** Rejects with `CS_LOG_UNAVAILABLE` at the first append that failed. */
  readonly failed: Promise<never>
  /**
   * Writes the last event, which is made when everything before it is written, however long the log is away. Events that
   * were not acknowledged are repeated before it. Gives up, and logs that, where the log will never take it, and where too
   * many refused logins wait already.
   */
  finish(made: () => Unlinked<SessionsMessage>): Promise<void>
}

/** An event without its links, and without what it cites of the transcript. */
export type Uncited<M> = Omit<Unlinked<M>, 'transcriptHead' | 'transcriptCount'>

export type JournalOptions = { log: Log; sessionId: SessionId; logger: Logger }

export function openJournal(options: JournalOptions): Journal {
  const { log, sessionId, logger } = options
  const control = newChain(sessionId, 'control')
  const transcript = newChain(sessionId, 'transcript')
  // bound: UNDER_WAY_RECORDS_MAX
  const open = new Set<Draft>()
  // bound: UNDER_WAY_RECORDS_MAX
  const pending = new Set<Promise<unknown>>()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  let hasFailed = false
  /** `finish` has begun: its event tells the transcript's length, and later words of the target reach no agent. */
  let isOver = false
  /** Events that nobody waits for and that are not acknowledged yet. */
  const underWay = { bytes: 0, records: 0 }
  let relief = Promise.withResolvers<void>()
  /** The number of events of the transcript that are in the log. */
  let transcriptLength = 0
  /** Events that wait for their turn, in order. */
  const backlog = deque<() => void>()
  let isGoingOn = false
  /** Ends of requests that wait for their transcript, in order. */
  const waiting = deque<{ readonly length: number; send(): void }>()

  async function append<M extends SessionsMessage | TranscriptRecorded>(
    drafts: readonly Draft<M>[],
    options?: AppendOptions,
  ): Promise<Recorded<M>[]> {
    for (const draft of drafts) open.add(draft)
    if (hasFailed) throw unavailable(null)
    try {
      const recorded = await log.append(drafts, options)
      for (const draft of drafts) open.delete(draft)
      return recorded
    } catch (cause) {
      hasFailed = true
      goOn()
      const problem = unavailable(cause)
      failure.reject(problem)
      throw problem
    }
  }

  function tracked<T>(work: Promise<T>): Promise<T> {
    pending.add(work)
    const over = (): void => void pending.delete(work)
    work.then(over, over)
    return work
  }

  /** Waits for all that is under way, and for what follows from it. */
  async function settled(): Promise<void> {
    while (pending.size > 0) await Promise.allSettled([...pending])
  }

  function note(event: Unlinked<SessionsMessage>, options?: AppendOptions): void {
    begins(EVENT_BYTES)
    const work = append([linked<SessionsMessage>(control, event)], options)
    tracked(work.catch(() => undefined).then(() => ends(EVENT_BYTES))).catch(failure.reject)
  }

  function begins(bytes: number): void {
    underWay.bytes += bytes
    underWay.records++
  }

  function ends(bytes: number): void {
    underWay.bytes -= bytes
    underWay.records--
    if (hasFailed || !isAbove(underWay, 0.5)) goOn()
  }

  /** Does the work at once where nothing waits and there is room; else it waits for its turn. */
  function inTurn(work: () => void): void {
    if (backlog.length === 0 && !isAboveOwn()) return work()
    backlog.push(work)
  }

  /** Does the work that waits, while there is room. Work may make room for more, which this same loop does. */
  function goOn(): void {
    if (isGoingOn) return
    isGoingOn = true
    try {
      while (backlog.length > 0 && !isAboveOwn()) backlog.shift()?.()
    } finally {
      isGoingOn = false
    }
    if (backlog.length === 0) relieve()
  }

  function relieve(): void {
    relief.resolve()
    relief = Promise.withResolvers<void>()
  }

  const isAboveOwn = (): boolean => isAbove(underWay, 1) && !hasFailed

  /** Sends ends whose transcript is in the log. Once an append failed none is sent: `finish` repeats all in order. */
  function sendWaiting(): void {
    for (let next = waiting.first(); next !== undefined; next = waiting.first()) {
      if (!hasFailed && next.length > transcriptLength) return
      waiting.shift()
      next.send()
      // It may make room for another end, which comes behind it.
      ends(EVENT_BYTES)
    }
  }

  async function transcribe(
    event: Unlinked<TranscriptRecorded>,
    options?: AppendOptions,
  ): Promise<void> {
    try {
      await append([linked<TranscriptRecorded>(transcript, event)], options)
      transcriptLength++
    } catch {
      // The session ends, and its end is behind all that is repeated.
    }
    sendWaiting()
    ends(EVENT_BYTES + event.ciphertext.length)
  }

  /** Logs that the chain stays without its end; the broker revokes when the session is overdue. */
  function givenUp(cause: unknown): void {
    const told = { sessionId, reason: messageOf(cause) }
    logger.error(told, 'the end of a session cannot be written')
  }

  return {
    control,
    transcript,
    failed: failure.promise,
    record: <M extends SessionsMessage>(events: readonly Unlinked<M>[]) =>
      tracked(append(events.map((event) => linked<M>(control, event)))),
    note,
    recordTranscript(made, options) {
      if (isOver) return
      inTurn(() => {
        const event = made()
        begins(EVENT_BYTES + event.ciphertext.length)
        tracked(transcribe(event, options)).catch(failure.reject)
      })
    },
    complete(event, options) {
      if (isOver) return
      inTurn(() => {
        const { head, count } = transcript
        const send = (): void =>
          note({ ...event, transcriptHead: head, transcriptCount: count }, options)
        begins(EVENT_BYTES)
        waiting.push({ length: count, send })
        sendWaiting()
      })
    },
    isCongested: () =>
      backlog.length > 0 || isAboveOwn() || TOPICS.some((topic) => log.isCongested(topic)),
    async relieved() {
      while ((backlog.length > 0 || isAboveOwn()) && !hasFailed) await relief.promise
      for (const topic of TOPICS) if (!hasFailed) await log.relieved(topic)
    },
    settled,
    async finish(made) {
      isOver = true
      await settled()
      const event = made()
      const last = linked<SessionsMessage>(control, event)
      // The same ids and bytes: where they are in the log already, the first one counts.
      const drafts = [...open, last]
      const first = await appendedInOrder(log, drafts)
      if (first === null) return
      const ends = endsWaiting(log)
      const isBounded = event.type === 'SessionRefused' && ends.count >= REFUSALS_WAITING_MAX
      if (isFinal(first) || isBounded) return givenUp(first)
      logger.warn({ sessionId, reason: messageOf(first) }, 'the end of a session waits for the log')
      ends.count++
      try {
        for (let waitMs = FINISH_RETRY_MS; ; waitMs = Math.min(2 * waitMs, FINISH_RETRY_MS_MAX)) {
          await rested(waitMs)
          const cause = await appendedInOrder(log, drafts)
          if (cause === null) return
          if (isFinal(cause)) return givenUp(cause)
        }
      } finally {
        ends.count--
      }
    },
  }
}

/** Appends one after the other, and takes away those acknowledged; gives the failure, or null when all are there. */
async function appendedInOrder(log: Log, drafts: Draft[]): Promise<unknown> {
  try {
    for (let [next] = drafts; next !== undefined; [next] = drafts) {
      await log.append([next])
      drafts.shift()
    }
    return null
  } catch (cause) {
    return cause
  }
}

const isFinal = (cause: unknown): boolean => cause instanceof Problem && !cause.retriable

/** The count of ends that wait for a log; each log of this process has its own. */
function endsWaiting(log: Log): { count: number } {
  const known = ENDS_WAITING.get(log)
  if (known !== undefined) return known
  const none = { count: 0 }
  ENDS_WAITING.set(log, none)
  return none
}

const ENDS_WAITING = new WeakMap<Log, { count: number }>()

const unavailable = (cause: unknown): Problem =>
  new Problem(
    'CS_LOG_UNAVAILABLE',
    `the log did not acknowledge: ${cause === null ? 'it failed before' : messageOf(cause)}`,
    {
      cause,
      retriable: true,
      hint: 'Nothing was forwarded. Connect again when the log is back.',
    },
  )

const isAbove = (underWay: { bytes: number; records: number }, share: number): boolean =>
  underWay.bytes > share * UNDER_WAY_BYTES_MAX || underWay.records > share * UNDER_WAY_RECORDS_MAX

/** The most of a session that is under way with nobody waiting for it: it goes before what other sessions wait for. */
const UNDER_WAY_BYTES_MAX = 2 * 1024 * 1024
const UNDER_WAY_RECORDS_MAX = 1_000
/** The approximate size of an event without its ciphertext. */
const EVENT_BYTES = 600
const TOPICS = ['sessions', 'transcript'] as const
const FINISH_RETRY_MS = 500
const FINISH_RETRY_MS_MAX = 8_000
/** The most refusals that wait, for anybody can cause them while the log is away; open sessions are bounded already. */
const REFUSALS_WAITING_MAX = 1_000
