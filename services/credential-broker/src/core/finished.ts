import type { SessionId } from '@countersign/kernel'

/**
 * Sessions that are over, so that an old admission makes no new credential. Method: the newest are remembered one by one.
 * Of the others only the youngest is known: ids begin with the time (UUIDv7), so whatever is as old and does not live is
 * over. Known limit: a session whose admission comes after so many others have ended is refused a credential.
 */
export type Finished = {
  has(id: SessionId): boolean
  add(id: SessionId): void
}

export function finishedSessions(finishedMax: number = FINISHED_MAX): Finished {
  const newest = new Set<SessionId>()
  let youngestForgotten = ''
  return {
    has: (id) => newest.has(id) || id <= youngestForgotten,
    add(id) {
      newest.add(id)
      if (newest.size <= finishedMax) return
      const [oldest] = newest
      if (oldest === undefined) return
      newest.delete(oldest)
      if (oldest > youngestForgotten) youngestForgotten = oldest
    },
  }
}

const FINISHED_MAX = 100_000
