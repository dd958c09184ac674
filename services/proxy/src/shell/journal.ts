import type { SessionsMessage, TranscriptRecorded } from '@countersign/contracts'
import { messageOf, Problem, type SessionId } from '@countersign/kernel'
import type { AppendOptions, Draft, Log, Recorded } from '@countersign/log'
import type { Logger } from '@countersign/runtime'
import { type Chain, linked, newChain, type Unlinked } from '../core/chain.ts'

/**
 * What a session writes: its two chains, in order. Once an append failed, what is in the log is not known, so nothing
 * more may be forwarded: `failed` rejects, and the end of the session is written when the log is back.
 */
export type Journal = {
  readonly control: Chain
  readonly transcript: Chain
  /** Appends events of the control chain; all of them share one append. */
  record<M extends SessionsMessage>(events: readonly Unlinked<M>[]): Promise<Recorded<M>[]>
  /** Appends without the session waiting. What fails ends the session. */
  note(event: Unlinked<SessionsMessage>, options?: AppendOptions): void
  /** Appends what the agent saw. Resolves at once unless too much is under way. */
  recordTranscript(event: Unlinked<TranscriptRecorded>): void
  /** Bytes of the transcript that are not acknowledged yet. */
  transcriptBytesUnderWay(): number
  /** Resolves when the transcript that is under way is small again. */
  transcriptRelieved(): Promise<void>
  /** Resolves when everything so far is in the log. */
  settled(): Promise<void>
  /** Rejects with `CS_LOG_UNAVAILABLE` at the first append that failed. */
  readonly failed: Promise<never>
  /** Writes the last event, however long the log is away; what was not acknowledged is repeated before it. */
  finish(event: Unlinked<SessionsMessage>): Promise<void>
}

export type JournalOptions = { log: Log; sessionId: SessionId; logger: Logger }

export function openJournal(options: JournalOptions): Journal {
  const { log, sessionId, logger } = options
  const control = newChain(sessionId, 'control')
  const transcript = newChain(sessionId, 'transcript')
  const open = new Set<Draft>()
  const pending = new Set<Promise<unknown>>()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => undefined)
  let hasFailed = false
  let transcriptBytes = 0
  let relief = Promise.withResolvers<void>()

  async function append<M extends SessionsMessage | TranscriptRecorded>(
    drafts: readonly Draft<M>[],
    options?: AppendOptions,
  ): Promise<Recorded<M>[]> {
    for (const draft of drafts) open.add(draft)
    if (hasFailed) throw unavailable(null)
    const appended = log.append(drafts, options)
    pending.add(appended)
    try {
      const recorded = await appended
      for (const draft of drafts) open.delete(draft)
      return recorded
    } catch (cause) {
      hasFailed = true
      const problem = unavailable(cause)
      failure.reject(problem)
      throw problem
    } finally {
      pending.delete(appended)
    }
  }

  return {
    control,
    transcript,
    failed: failure.promise,
    record: <M extends SessionsMessage>(events: readonly Unlinked<M>[]) =>
      append(events.map((event) => linked<M>(control, event))),
    note(event, options) {
      append([linked<SessionsMessage>(control, event)], options).catch(() => undefined)
    },
    recordTranscript(event) {
      transcriptBytes += event.ciphertext.length
      append([linked<TranscriptRecorded>(transcript, event)], { lingerMs: TRANSCRIPT_LINGER_MS })
        .catch(() => undefined)
        .finally(() => {
          transcriptBytes -= event.ciphertext.length
          if (transcriptBytes > TRANSCRIPT_BYTES_MAX / 2) return
          relief.resolve()
          relief = Promise.withResolvers<void>()
        })
    },
    transcriptBytesUnderWay: () => transcriptBytes,
    async transcriptRelieved() {
      while (transcriptBytes > TRANSCRIPT_BYTES_MAX && !hasFailed) await relief.promise
    },
    async settled() {
      await Promise.allSettled([...pending])
    },
    async finish(event) {
      await Promise.allSettled([...pending])
      const last = linked<SessionsMessage>(control, event)
      const drafts = [...open, last]
      for (let attempt = 1; ; attempt++) {
        try {
          // The same ids and bytes: where they are in the log already, the first one counts.
          for (const draft of drafts) await log.append([draft])
          return
        } catch (cause) {
          if (attempt === 1)
            logger.warn(
              { sessionId, reason: messageOf(cause) },
              'the end of a session waits for the log',
            )
          await new Promise((resolve) => setTimeout(resolve, FINISH_RETRY_MS))
        }
      }
    },
  }
}

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

/** How much of a transcript may be under way before the target is slowed down. */
const TRANSCRIPT_BYTES_MAX = 8 * 1024 * 1024
/** Nobody waits for the transcript but who watches a session live. */
const TRANSCRIPT_LINGER_MS = 25
const FINISH_RETRY_MS = 500
