import { type Instant, isFromTheFuture, type SessionId } from '@countersign/kernel'

/**
 * Sessions that are over, so that an old admission makes no new credential. Method: the newest are remembered one by one.
 * Of the others only the youngest is known: ids begin with the time (UUIDv7), so an id as old as that is over unless it
 * lives. An id from the future would make every session until then count as over, so it is never the youngest: policy
 * admits none, and the broker serves none. Known limit: a session whose admission comes after so many ends is refused
 * a credential.
 */
export type Finished = {
  has(id: SessionId): boolean
  add(id: SessionId): void
  /** Notes the time of a message of ours; an id is from the future when it is later than the latest of these. */
  heard(at: Instant): void
}

export function finishedSessions(startedAt: Instant, finishedMax: number = FINISHED_MAX): Finished {
  // bound: FINISHED_MAX
  const newest = new Set<SessionId>()
  let youngestForgotten = ''
  let latest = startedAt
  return {
    has: (id) => newest.has(id) || id <= youngestForgotten,
    heard(at) {
      if (at > latest) latest = at
    },
    add(id) {
      newest.add(id)
      if (newest.size <= finishedMax) return
      const [oldest] = newest
      if (oldest === undefined) return
      newest.delete(oldest)
      if (oldest > youngestForgotten && !isFromTheFuture(oldest, latest)) youngestForgotten = oldest
    },
  }
}

const FINISHED_MAX = 100_000
