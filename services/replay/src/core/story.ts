import { keepNewest } from '@countersign/kernel'
import { type AnswerGroup, type LastEnd, newAnswerGroups } from './answer-groups.ts'
import { ANSWER_BYTES_MAX, type Decrypt, newContents } from './contents.ts'
import { entriesOf } from './entries.ts'
import type { Entry } from './entry.ts'
import { newOrder, ordering, placing } from './order.ts'
import type { Overview } from './overview.ts'
import {
  endsRequest,
  isEntry,
  type SessionMessage,
  type SessionRecord,
  takeFirst,
} from './session-record.ts'
import { eachOf } from './steps.ts'

/** A session that is told as it goes on: of the records that were told, only what later entries need is kept. */
export type Story = {
  /**
   * The entries of these records, and of those before them that had to wait, in the order in which they are told, those
   * of one record at a time, and none where others may have their turn; to be taken to their end.
   */
  told(
    session: Overview,
    records: readonly SessionRecord[],
    decrypt: Decrypt | null,
  ): Generator<readonly Entry[]>
  /** Released requests of which nobody knows whether they ran. */
  mayHaveRun(session: Overview): string[]
  /** The bytes that are kept of all requests. */
  bytes(): number
}

/** True if a message can be told already. */
export type Ready = (message: SessionMessage, transcriptSeen: number) => boolean

/** Entries are sent only once, so an answer waits until the transcript that it cites is here too. */
export const isAnswered: Ready = (message, transcriptSeen) =>
  message.type !== 'RequestCompleted' || message.transcriptCount <= transcriptSeen

/** A story from the beginning of a session, or behind the last end of a request that was told before. */
export function newStory(isReady: Ready = () => true, lastEnd?: LastEnd | null): Story {
  const order = newOrder()
  const contents = newContents()
  const answerGroups = newAnswerGroups(lastEnd)
  // bound: one per request that ended and is not told
  const groups = new Map<string, AnswerGroup>()
  /** The group that was told last, to which requests may come yet. */
  let latest: AnswerGroup | null = null
  // bound: one per request that was released and is not completed
  const released = new Set<string>()
  // bound: one per request that is not told to its end
  const internal = new Set<string>()
  // bound: ENDED_MAX
  const ended = new Set<string>()
  // bound: one per answer whose transcript is not there yet
  let waiting: SessionRecord[] = []

  const mayHaveRun = (session: Overview): string[] =>
    session.endedAt === null ? [] : [...released]

  return {
    mayHaveRun,
    bytes: contents.bytes,
    *told(session, records, decrypt) {
      // bound: one per record
      const fresh = new Map<string, SessionRecord>()
      yield* eachOf(records, (record) => takeFirst(fresh, record))
      // bound: one per record
      const telling: SessionRecord[] = []
      yield* eachOf(fresh.values(), (record) => {
        const { message } = record
        // The words of a refusal to the agent can come after it, and are shown nowhere.
        if (!isOfEnded(message)) contents.take(message)
        const group = answerGroups.take(message)
        if (group !== null && 'requestId' in message && message.requestId !== null)
          groups.set(message.requestId, group)
        if (message.type === 'RequestReleased') released.add(message.requestId)
        if ('origin' in message && message.origin === 'Countersign') internal.add(message.requestId)
        if (message.type === 'RequestCompleted') released.delete(message.requestId)
        if (isEntry(message)) telling.push(record)
      })
      yield* placing(order, telling)
      const known = [...waiting, ...telling]
      // bound: one per record
      const ready: SessionRecord[] = []
      waiting = []
      yield* eachOf(known, (record) => {
        const isTold = isReady(record.message, session.transcriptSeen)
        if (isTold) ready.push(record)
        else waiting.push(record)
      })
      const use = {
        contents: contents.opened(decrypt),
        groupOf: (requestId: string) => groups.get(requestId) ?? null,
        doubtful: new Set(mayHaveRun(session)),
        internal,
      }
      for (const record of yield* ordering(order, ready)) yield entriesOf(record, use)
      yield* eachOf(ready, ({ message }) => {
        if (message.type === 'RequestIntercepted' || message.type === 'RequestReleased')
          contents.forgetParts(message.requestId)
        if (!endsRequest(message)) return
        contents.forgetParts(message.requestId)
        forgetAnswer(message.requestId)
        internal.delete(message.requestId)
        end(message.requestId)
      })
      if (released.size === 0 && waiting.length === 0) forgetLatest()
    },
  }

  function isOfEnded(message: SessionMessage): boolean {
    return 'requestId' in message && message.requestId !== null && ended.has(message.requestId)
  }

  /** The transcript of a group is kept until another is told, or nothing runs. */
  function forgetAnswer(requestId: string): void {
    const group = groups.get(requestId) ?? null
    groups.delete(requestId)
    if (group === null) return contents.forgetAnswer(requestId)
    if (group !== latest) forgetLatest()
    latest = group
  }

  function forgetLatest(): void {
    for (const leader of latest?.leaders ?? []) contents.forgetAnswer(leader)
    latest = null
  }

  function end(requestId: string): void {
    ended.add(requestId)
    keepNewest(ended, ENDED_MAX)
  }
}

/** Selects the earlier records that a session followed from its middle needs, to tell of requests that have no end. */
export function neededOf(open: ReadonlySet<string>): (record: SessionRecord) => boolean {
  // bound: one per request that has no end
  const bytes = new Map<string, number>()
  return ({ message }) => {
    if (!('requestId' in message) || message.requestId === null) return false
    const { type, requestId } = message
    if (!open.has(requestId) || type === 'RequestPart') return false
    if (type !== 'TranscriptRecorded') return true
    const before = bytes.get(requestId) ?? 0
    bytes.set(requestId, before + message.ciphertext.length)
    return before <= ANSWER_BYTES_MAX
  }
}

/** The late records of a request come soon after its end. */
const ENDED_MAX = 2_000
