/** The memory that the large messages of all sessions share. Those that last are those that wait for people, or run. */
export type Memory = {
  /**
   * Resolves when so many bytes are free. First come, first served; owners take turns, however many of the sessions of one
   * wait. For whom there is no room, smaller ones pass it where they leave it as much as it needs, and few others, so that
   * nobody waits for ever behind those. Who asks for more than there are gets them when nobody else has any.
   * Of whom a share is named, nothing more is taken while what lasts of others of its owner, or of all others, fills its part:
   * that is known only when something has begun to last.
   */
  reserve(bytes: number, share?: Share): Promise<Reservation>
  /** The same for who may have to wait no more. */
  ask(bytes: number, share?: Share): Ask
  /**
   * Memory that is taken as it is needed, at once or not at all, and kept for as long as people think. All shares together
   * get half of what there is, so that each wait for the other half ends, and those of one owner a quarter of that.
   */
  share(owner: string): Share
  /** True if somebody waits. */
  isWanted(): boolean
  /** The bytes that are reserved now. */
  reservedBytes(): number
  /** The bytes that all shares have now. */
  sharedBytes(): number
}

export type Ask = {
  readonly given: Promise<Reservation>
  /** Ends the wait: it is given an empty reservation, or gives back what it has. */
  withdraw(): void
}

export type Reservation = {
  /** The bytes that were given. */
  readonly bytes: number
  /** Gives back all above so many bytes. */
  keep(bytes: number): void
  release(): void
}

export type Share = Disposable & {
  readonly owner: string
  bytes(): number
  /** Takes so many bytes more, or says where there is no room for them. */
  grow(bytes: number): 'taken' | 'no room' | 'no room of the owner'
  /** Takes so many bytes more, whether there is room or not: they are here already. */
  add(bytes: number): void
  /** Gives so many bytes back. */
  shrink(bytes: number): void
  /** Says how many of its bytes last. */
  lasts(bytes: number): void
  lastingBytes(): number
}

/** The part of the memory that all shares get, and the part that those of one owner get. */
export const SHARED_PART = 1 / 2
export const OWNER_PART = SHARED_PART / 4

export function memoryOf(bytesMax: number): Memory {
  let waiting: Waiting[] = [] // bound: one per session
  let reserved = 0
  const shared = sums(bytesMax * OWNER_PART)
  /** The bytes of shares that last. */
  const lasting = sums(bytesMax * OWNER_PART)

  /** An ask that waits for what lasts lets others pass. So does one that waits for room, where they take none of that. */
  function give(): void {
    for (;;) {
      const first = waiting.find(({ share }) => mayLast(share))
      if (first === undefined) return
      const isFirst = reserved === 0 || fits(first)
      const next = isFirst ? first : waiting.find((one) => mayPass(one, first))
      if (next === undefined) return
      if (!isFirst && !isBeside(next, first)) first.passed++
      const rest = waiting.filter((one) => one !== next)
      // A small one that passes sends none back, or it would keep a large one of its owner waiting for ever.
      const goesBack = (one: Waiting): boolean =>
        isFirst && one.share !== undefined && one.share.owner === next.share?.owner
      waiting = [...rest.filter((one) => !goesBack(one)), ...rest.filter(goesBack)]
      reserved += next.bytes
      next.given(reservationOf(next.bytes, isFirst ? null : first))
    }
  }

  const fits = ({ bytes }: Waiting): boolean => reserved + bytes <= bytesMax - shared.all()

  /** Few may pass the first where they could be in its way. It does not fit itself. */
  const mayPass = (one: Waiting, first: Waiting): boolean =>
    fits(one) && mayLast(one.share) && (isBeside(one, first) || first.passed < PASSED_MAX)

  /** True if there is as much as the first needs beside one that passes it, and those that did. */
  const isBeside = (one: Waiting, first: Waiting): boolean =>
    first.bytes + first.besideBytes + one.bytes <= bytesMax - shared.all()

  /** The lasting part of a session itself is not in its way, or it would wait for itself. */
  function mayLast(share: Share | undefined): boolean {
    if (share === undefined) return true
    const own = share.lastingBytes()
    return (
      lasting.all() - own < bytesMax * SHARED_PART &&
      lasting.of(share.owner) - own < bytesMax * OWNER_PART
    )
  }

  function reservationOf(bytes: number, passed: Waiting | null): Reservation {
    let own = bytes
    if (passed !== null) passed.besideBytes += own
    const keep = (kept: number): void => {
      if (kept >= own) return
      reserved -= own - kept
      if (passed !== null) passed.besideBytes -= own - kept
      own = kept
      give()
    }
    return { bytes, keep, release: () => keep(0) }
  }

  function ask(bytes: number, share?: Share): Ask {
    const { promise, resolve } = Promise.withResolvers<Reservation>()
    let reservation: Reservation | null = null
    const given = (one: Reservation): void => {
      reservation = one
      resolve(one)
    }
    const one: Waiting = { bytes, share, given, besideBytes: 0, passed: 0 }
    waiting.push(one)
    give()
    const withdraw = (): void => {
      if (reservation === null) withdrawn((other) => other === one)
      else reservation.release()
    }
    return { given: promise, withdraw }
  }

  function withdrawn(isMeant: (one: Waiting) => boolean): void {
    const gone = waiting.filter(isMeant)
    if (gone.length === 0) return
    waiting = waiting.filter((one) => !isMeant(one))
    for (const { given } of gone) given(reservationOf(0, null))
    give()
  }

  function shareOf(owner: string): Share {
    let own = 0
    let ownLasting = 0
    const change = (bytes: number): void => {
      shared.add(owner, bytes)
      own += bytes
    }
    const lasts = (bytes: number): void => {
      lasting.add(owner, bytes - ownLasting)
      ownLasting = bytes
    }
    const shrink = (bytes: number): void => {
      if (bytes <= 0) return
      change(-Math.min(bytes, own))
      lasts(Math.min(ownLasting, own))
      give()
    }
    const share: Share = {
      owner,
      bytes: () => own,
      add: change,
      shrink,
      lasts(bytes) {
        lasts(bytes)
        give()
      },
      lastingBytes: () => ownLasting,
      grow(bytes) {
        if (shared.inParts() + bytes > bytesMax * SHARED_PART) return 'no room'
        if (shared.of(owner) + bytes > bytesMax * OWNER_PART) return 'no room of the owner'
        change(bytes)
        return 'taken'
      },
      [Symbol.dispose]() {
        withdrawn((one) => one.share === share)
        shrink(own)
      },
    }
    return share
  }

  return {
    reserve: (bytes, share) => ask(bytes, share).given,
    ask,
    share: shareOf,
    isWanted: () => waiting.length > 0,
    reservedBytes: () => reserved,
    sharedBytes: shared.all,
  }
}

type Waiting = {
  readonly bytes: number
  readonly share: Share | undefined
  given(reservation: Reservation): void
  /** The bytes that those have now that passed it. */
  besideBytes: number
  /** The number of those that have passed it and may be in its way. */
  passed: number
}

/** So many more has one to wait for at most, whatever others ask for. */
const PASSED_MAX = 8

/** The bytes of each owner, and of all of them together. */
type Sums = {
  add(owner: string, bytes: number): void
  of(owner: string): number
  all(): number
  /** The bytes of owners within their parts: what they have above those takes nothing from others. */
  inParts(): number
}

function sums(partBytes: number): Sums {
  let all = 0
  let inParts = 0
  /** Without owners who have nothing. */
  // bound: one per agent with a session
  const byOwner = new Map<string, number>()
  const of = (owner: string): number => byOwner.get(owner) ?? 0
  return {
    add(owner, bytes) {
      const ofOwner = of(owner) + bytes
      if (ofOwner === 0) byOwner.delete(owner)
      else byOwner.set(owner, ofOwner)
      all += bytes
      inParts += Math.min(ofOwner, partBytes) - Math.min(ofOwner - bytes, partBytes)
    },
    of,
    all: () => all,
    inParts: () => inParts,
  }
}
