import type { Overview } from '../core/overview.ts'
import type { SessionRecord } from '../core/session-record.ts'

/** Who hears of a session as it is written. */
export type Followers = {
  tell(told: SessionRecord): void
  /** The session from its beginning on, until it is disposed. */
  follow(sessionId: string): Followed
}

/** A session whose records come as they are written. */
export type Followed = Disposable & {
  /** What came since the last call, everything at the first; a record may come twice. The overview is of the same moment. */
  next(): Promise<{ session: Overview | null; records: readonly SessionRecord[] }>
  /** Resolves when there is more. */
  changed(): Promise<void>
}

/** What is known of a session already. */
export type Known = {
  overview(sessionId: string): Overview | null
  recordsOf(sessionId: string): Promise<readonly SessionRecord[]>
}

export function newFollowers(known: Known): Followers {
  const followers = new Map<string, Set<(told: SessionRecord) => void>>()
  return {
    tell(told) {
      for (const hear of followers.get(told.message.sessionId) ?? []) hear(told)
    },
    follow(sessionId) {
      let fresh: SessionRecord[] = []
      let isFirst = true
      let change = Promise.withResolvers<void>()
      const hear = (told: SessionRecord): void => {
        fresh.push(told)
        change.resolve()
      }
      const others = followers.get(sessionId) ?? new Set()
      followers.set(sessionId, others.add(hear))
      return {
        async next() {
          const before = isFirst ? await known.recordsOf(sessionId) : []
          isFirst = false
          const records = [...before, ...fresh]
          fresh = []
          change = Promise.withResolvers<void>()
          return { session: known.overview(sessionId), records }
        },
        changed: () => change.promise,
        [Symbol.dispose]: () => {
          others.delete(hear)
          if (others.size === 0) followers.delete(sessionId)
        },
      }
    },
  }
}
