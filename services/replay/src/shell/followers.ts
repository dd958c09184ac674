import { Problem } from '@countersign/kernel'
import type { Overview } from '../core/overview.ts'
import { bytesOf, type SessionRecord } from '../core/session-record.ts'

/** Who hears of a session as it is written. */
export type Followers = {
  /** Tells of a record and its length. */
  tell(told: SessionRecord, bytes: number): void
  /** What is wanted of a session, until it is disposed. */
  follow(sessionId: string, wanted: Wanted): Followed
}

/** Which records are wanted: of those that are there already, and of those that come. */
export type Wanted = {
  before(record: SessionRecord): boolean
  fresh(record: SessionRecord): boolean
}

/** A session whose records come as they are written. */
export type Followed = Disposable & {
  /** What came since the last call, at the first also what was there before; a record may come twice. The overview is of the same moment. */
  next(): Promise<{ session: Overview | null; records: readonly SessionRecord[] }>
  /** Resolves when something came since the last call of `next`. */
  changed(): Promise<void>
}

/** What is known of a session already. */
export type Known = {
  overview(sessionId: string): Overview | null
  read(sessionId: string, onRecord: (record: SessionRecord) => void): Promise<void>
}

export function newFollowers(known: Known): Followers {
  // bound: one per connection of a reader
  const followers = new Map<string, Set<Follower>>()
  let waitingBytes = 0
  return {
    tell(told, bytes) {
      for (const follower of followers.get(told.message.sessionId) ?? []) {
        follower.changed.resolve()
        if (follower.isCutOff || !follower.isWanted(told)) continue
        follower.fresh.push(told)
        follower.bytes += bytes + RECORD_OVERHEAD_BYTES
        waitingBytes += bytes + RECORD_OVERHEAD_BYTES
        if (waitingBytes > FRESH_BYTES_MAX) cutOffLongest()
      }
    },
    follow(sessionId, wanted) {
      const follower: Follower = {
        isWanted: wanted.fresh,
        fresh: [],
        bytes: 0,
        isCutOff: false,
        changed: Promise.withResolvers(),
      }
      const others = followers.get(sessionId) ?? new Set()
      followers.set(sessionId, others.add(follower))
      let isFirst = true
      return {
        async next() {
          const before = isFirst ? await readBefore(sessionId, wanted) : []
          isFirst = false
          if (follower.isCutOff) throw tooMuch()
          const records = [...before, ...taken(follower)]
          follower.changed = Promise.withResolvers()
          return { session: known.overview(sessionId), records }
        },
        changed: () => follower.changed.promise,
        [Symbol.dispose]: () => {
          taken(follower)
          others.delete(follower)
          if (others.size === 0) followers.delete(sessionId)
        },
      }
    },
  }

  async function readBefore(sessionId: string, wanted: Wanted): Promise<SessionRecord[]> {
    // bound: BEFORE_BYTES_MAX
    const before: SessionRecord[] = []
    let bytes = 0
    await known.read(sessionId, (record) => {
      if (!wanted.before(record)) return
      bytes += bytesOf(record.message)
      if (bytes > BEFORE_BYTES_MAX) throw tooMuch()
      before.push(record)
    })
    return before
  }

  function taken(follower: Follower): readonly SessionRecord[] {
    const { fresh } = follower
    waitingBytes -= follower.bytes
    follower.bytes = 0
    follower.fresh = []
    return fresh
  }

  /** Who takes least is not waited for. */
  function cutOffLongest(): void {
    let longest: Follower | null = null
    for (const some of followers.values())
      for (const one of some) if (one.bytes > (longest?.bytes ?? 0)) longest = one
    if (longest === null) return
    longest.isCutOff = true
    taken(longest)
  }
}

type Follower = {
  readonly isWanted: (record: SessionRecord) => boolean
  // bound: FRESH_BYTES_MAX of all followers
  fresh: SessionRecord[]
  bytes: number
  isCutOff: boolean
  changed: PromiseWithResolvers<void>
}

const tooMuch = (): Problem =>
  new Problem('CS_SESSION_LIMIT', 'more was recorded than was taken', {
    retriable: true,
    hint: 'Read the session again.',
  })

/** What waits for all readers; a session itself is read again from its beginning. */
const FRESH_BYTES_MAX = 64 * 1024 * 1024
/** What is taken of a session at once before it is followed. */
const BEFORE_BYTES_MAX = 64 * 1024 * 1024
/** What a record costs in memory beside its bytes, about. */
const RECORD_OVERHEAD_BYTES = 600
