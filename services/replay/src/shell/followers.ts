import { Problem } from '@countersign/kernel'
import type { Overview } from '../core/overview.ts'
import { bytesOf, type SessionRecord } from '../core/session-record.ts'

/** The readers that hear of a session as it is written. */
export type Followers = {
  /** Tells the followers of a record, which has this many bytes. */
  tell(told: SessionRecord, bytes: number): void
  /** Follows the wanted records of a session, until it is disposed. */
  follow(sessionId: string, wanted: Wanted): Followed
}

/** Selects the wanted records: `before` of those that are there already, `fresh` of those that come. */
export type Wanted = {
  before(record: SessionRecord): boolean
  fresh(record: SessionRecord): boolean
}

/** A session whose records come as they are written. */
export type Followed = Disposable & {
  /** The records since the last call, at first also those before; one may come twice. The overview is as recent. */
  next(): Promise<{ session: Overview | null; records: readonly SessionRecord[] }>
  /** Resolves when something came since the last call of `next`. */
  changed(): Promise<void>
}

/** The source of overviews and earlier records. */
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

  /** Cuts off the follower for whom most bytes wait: a slow reader is not waited for. */
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
  new Problem('CS_REPLAY_BUSY', 'more was recorded than was taken', {
    retriable: true,
    hint: 'Read the session again.',
  })

/** The most bytes that wait for all readers; a reader that was cut off reads the session again from its beginning. */
const FRESH_BYTES_MAX = 64 * 1024 * 1024
/** The most bytes of earlier records that are taken at once, before a session is followed. */
const BEFORE_BYTES_MAX = 64 * 1024 * 1024
/** The approximate memory that a record takes beside its value. */
const RECORD_OVERHEAD_BYTES = 600
