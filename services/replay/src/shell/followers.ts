import { Problem } from '@countersign/kernel'
import type { Overview } from '../core/overview.ts'
import type { SessionRecord } from '../core/session-record.ts'

/** Who hears of a session as it is written. */
export type Followers = {
  tell(told: SessionRecord): void
  /** What comes of a session from now on, and what of it was wanted before, until it is disposed. */
  follow(sessionId: string, isWanted: (record: SessionRecord) => boolean): Followed
}

/** A session whose records come as they are written. */
export type Followed = Disposable & {
  /** What came since the last call, at the first also what was wanted before; a record may come twice. The overview is of the same moment. */
  next(): Promise<{ session: Overview | null; records: readonly SessionRecord[] }>
  /** Resolves when there is more. */
  changed(): Promise<void>
}

/** What is known of a session already. */
export type Known = {
  overview(sessionId: string): Overview | null
  read(sessionId: string, onRecord: (record: SessionRecord) => void): Promise<void>
}

export function newFollowers(known: Known): Followers {
  // bound: one per connection of a reader
  const followers = new Map<string, Set<(told: SessionRecord) => void>>()
  return {
    tell(told) {
      for (const hear of followers.get(told.message.sessionId) ?? []) hear(told)
    },
    follow(sessionId, isWanted) {
      // bound: FRESH_MAX
      let fresh: SessionRecord[] = []
      let isTooMany = false
      let isFirst = true
      let change = Promise.withResolvers<void>()
      const hear = (told: SessionRecord): void => {
        if (fresh.length < FRESH_MAX) fresh.push(told)
        else isTooMany = true
        change.resolve()
      }
      const others = followers.get(sessionId) ?? new Set()
      followers.set(sessionId, others.add(hear))
      return {
        async next() {
          if (isTooMany)
            throw new Problem('CS_SESSION_LIMIT', 'more was recorded than was taken', {
              retriable: true,
              hint: 'Read the session again.',
            })
          // bound: one per record that is wanted
          const before: SessionRecord[] = []
          if (isFirst)
            await known.read(sessionId, (record) => {
              if (isWanted(record)) before.push(record)
            })
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

/** What waits for one reader; the session itself is read again from its beginning. */
const FRESH_MAX = 20_000
