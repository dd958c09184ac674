import { keepNewest } from '@countersign/kernel'
import { evolved, newOverview, type Overview } from './overview.ts'
import type { SessionRecord } from './session-record.ts'

/** The known sessions: of each the overview that lists it and, as long as there is room, its records. */
export type Memory = {
  /** Takes what came of a session; false where it is a repeat. */
  take(told: SessionRecord): boolean
  session(sessionId: string): Remembered | null
  /** Those of now, newest first. */
  overviews(): Iterable<Overview>
}

export type Remembered = {
  readonly overview: Overview
  readonly partition: number
  /** Null when they were dropped to make room. */
  readonly records: readonly SessionRecord[] | null
}

/** A memory that keeps at most this many bytes of records. */
export function memoryOf(recordBytesMax: number): Memory {
  // bound: SESSIONS_MAX
  const sessions = new Map<string, Stored>()
  /** The same, oldest first. */
  const ordered: Stored[] = []
  let bytes = 0
  return {
    take(told) {
      const { position, id, message } = told
      const session = storedOf(message.sessionId, position.partition)
      const name = `${position.topic}/${id}`
      if (session.seen?.has(name) === true) return false
      if (session.seen !== null) remember(session.seen, name)
      session.overview = evolved(session.overview, message)
      if (session.records === null) return true
      session.records.push(told)
      session.bytes += told.bytes
      bytes += told.bytes
      if (bytes > recordBytesMax) makeRoom()
      return true
    },
    session: (sessionId) => sessions.get(sessionId) ?? null,
    *overviews() {
      for (const { overview } of ordered.toReversed()) yield overview
    },
  }

  function storedOf(sessionId: string, partition: number): Stored {
    const known = sessions.get(sessionId)
    if (known !== undefined) return known
    const overview = newOverview(sessionId)
    // bound: SEEN_MAX
    const seen = new Set<string>()
    const fresh: Stored = { overview, partition, records: [], seen, bytes: 0 }
    sessions.set(sessionId, fresh)
    ordered.splice(placeOf(sessionId), 0, fresh)
    const [oldest] = sessions.keys()
    if (sessions.size > SESSIONS_MAX && oldest !== undefined) {
      bytes -= sessions.get(oldest)?.bytes ?? 0
      sessions.delete(oldest)
      ordered.splice(placeOf(oldest), 1)
    }
    return fresh
  }

  /** The place of a session in the order of ids, which is that of time, or the one it would have. */
  function placeOf(sessionId: string): number {
    let [from, to] = [0, ordered.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((ordered[middle]?.overview.sessionId ?? '') < sessionId) from = middle + 1
      else to = middle
    }
    return from
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
      // The end of a session is the last of its chain, so no repeat is expected after it.
      if (session.overview.endedAt !== null) session.seen = null
      session.bytes = 0
    }
  }
}

type Stored = {
  overview: Overview
  readonly partition: number
  records: SessionRecord[] | null
  /** The ids of the records, so that a repeat is not counted twice. */
  seen: Set<string> | null
  bytes: number
}

/** Notes the id of a record. Repeats come soon after the first, so old ids are forgotten. */
function remember(seen: Set<string>, name: string): void {
  seen.add(name)
  keepNewest(seen, SEEN_MAX)
}

export const SESSIONS_MAX = 50_000
/** The most ids of one session that are remembered, to recognize a repeat. */
const SEEN_MAX = 10_000
