import { Problem } from '@countersign/kernel'
import type { Overview } from '../core/overview.ts'
import type { SessionRecord } from '../core/session-record.ts'
import type { PastOptions } from './past.ts'

/** The readers that hear of a session as it is written. */
export type Followers = {
  tell(told: SessionRecord): void
  /** Follows the wanted records of a session until disposed. */
  follow(sessionId: string, wanted: Wanted): Followed
}

/** The records that a reader wants: of those that are there already, and of those that come. */
export type Wanted = PastOptions & {
  /** The caller that reads; all that is kept for one caller counts together. */
  readonly caller: string
  before(record: SessionRecord): boolean
  fresh(record: SessionRecord): boolean
  /** No more is kept for this one, who may still hold what it has: it is to end. */
  onCutOff?(): void
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
  read(
    sessionId: string,
    onRecord: (record: SessionRecord) => void,
    options: PastOptions,
  ): Promise<void>
}

export function newFollowers(known: Known): Followers {
  // bound: one per connection of a reader
  const followers = new Map<string, Set<Follower>>()
  let keptBytes = 0
  return {
    tell(told) {
      for (const follower of followers.get(told.message.sessionId) ?? []) {
        follower.changed.resolve()
        if (follower.isCutOff || !follower.wanted.fresh(told)) continue
        follower.fresh.push(told)
        keep(follower, told)
      }
    },
    follow(sessionId, wanted) {
      const follower: Follower = {
        wanted,
        fresh: [],
        freshBytes: 0,
        givenBytes: 0,
        isCutOff: false,
        changed: Promise.withResolvers(),
      }
      const others = followers.get(sessionId) ?? new Set()
      followers.set(sessionId, others.add(follower))
      let isFirst = true
      return {
        async next() {
          release(follower)
          const before = isFirst ? await readBefore(sessionId, follower) : []
          isFirst = false
          if (follower.isCutOff) throw tooMuch()
          const records = [...before, ...follower.fresh]
          follower.fresh = []
          follower.givenBytes += follower.freshBytes
          follower.freshBytes = 0
          follower.changed = Promise.withResolvers()
          return { session: known.overview(sessionId), records }
        },
        changed: () => follower.changed.promise,
        [Symbol.dispose]: () => {
          release(follower)
          drop(follower)
          others.delete(follower)
          if (others.size === 0) followers.delete(sessionId)
        },
      }
    },
  }

  async function readBefore(sessionId: string, follower: Follower): Promise<SessionRecord[]> {
    // bound: KEPT_BYTES_MAX
    const before: SessionRecord[] = []
    const take = (record: SessionRecord): void => {
      if (!follower.wanted.before(record)) return
      keep(follower, record)
      if (follower.isCutOff) throw tooMuch()
      before.push(record)
    }
    await known.read(sessionId, take, follower.wanted)
    return before
  }

  function keep(follower: Follower, { bytes }: SessionRecord): void {
    follower.freshBytes += bytes
    keptBytes += bytes
    if (keptBytes > KEPT_BYTES_MAX) cutOffLongest()
  }

  /** Records that were given are done with. */
  function release(follower: Follower): void {
    keptBytes -= follower.givenBytes
    follower.givenBytes = 0
  }

  function drop(follower: Follower): void {
    keptBytes -= follower.freshBytes
    follower.freshBytes = 0
    follower.fresh = []
  }

  /**
   * Of the caller for whom most bytes wait, cuts off the follower with most: a slow reader is not waited for, and one
   * with many streams is no reason to cut off another.
   */
  function cutOffLongest(): void {
    const all = [...followers.values()].flatMap((some) => [...some].filter((one) => !one.isCutOff))
    // bound: one per connection of a reader
    const sums = new Map<string, number>()
    for (const one of all)
      sums.set(one.wanted.caller, (sums.get(one.wanted.caller) ?? 0) + bytesOf(one))
    const most = Math.max(...sums.values())
    const [longest] = all
      .filter(({ wanted }) => sums.get(wanted.caller) === most)
      .sort((a, b) => bytesOf(b) - bytesOf(a))
    if (longest === undefined) return
    longest.isCutOff = true
    // It ends at once; what it holds for this moment is no reason to cut off another.
    release(longest)
    drop(longest)
    longest.wanted.onCutOff?.()
  }
}

type Follower = {
  readonly wanted: Wanted
  // bound: KEPT_BYTES_MAX of all followers
  fresh: SessionRecord[]
  freshBytes: number
  /** Of what was given last, which is held until more is asked for. */
  givenBytes: number
  isCutOff: boolean
  changed: PromiseWithResolvers<void>
}

const tooMuch = (): Problem =>
  new Problem('CS_REPLAY_BUSY', 'more was recorded than was taken', {
    retriable: true,
    hint: 'Read the session again.',
  })

const bytesOf = ({ freshBytes, givenBytes }: Follower): number => freshBytes + givenBytes

/** The bytes that are kept for all readers, of before and of what comes; a session itself is read again from its beginning. */
const KEPT_BYTES_MAX = 128 * 1024 * 1024
