/** The memory that the large messages of all sessions share, and what of them lasts: it waits for people, or runs. */
export type Memory = {
  /**
   * Resolves when so many bytes are free. First come, first served, so that nobody waits for ever behind smaller ones. Who
   * asks for more than there are gets them when nobody else has any. Of whom a share is named, nothing more is taken while the
   * shares of its owner, or all, are full: that is known only when something has begun to last.
   */
  reserve(bytes: number, share?: Share): Promise<Reservation>
  /**
   * Memory that is taken as it is needed, at once or not at all, and kept for as long as people think. All shares together
   * get half of what there is, so that who waits for the other half gets it, and those of one owner a quarter of that.
   */
  share(owner: string): Share
  /** Whether somebody waits. */
  isWanted(): boolean
  /** How much is reserved now. */
  reservedBytes(): number
  /** How much all shares have now. */
  sharedBytes(): number
}

export type Reservation = {
  /** Gives back all above so many bytes. */
  keep(bytes: number): void
  release(): void
}

export type Share = Disposable & {
  readonly owner: string
  bytes(): number
  /** Takes so much more, or says where there is not as much. */
  grow(bytes: number): 'taken' | 'no room' | 'no room of the owner'
  /** Takes so much more, whether there is as much or not: it is here already, and lasts. */
  add(bytes: number): void
  /** Gives so much back. */
  shrink(bytes: number): void
}

/** The part of the memory that all shares get, and the part that those of one owner get. */
export const SHARED_PART = 1 / 2
export const OWNER_PART = SHARED_PART / 4

export function memoryOf(bytesMax: number): Memory {
  let waiting: Waiting[] = [] // bound: one per session
  let reserved = 0
  let shared = 0
  /** Without owners who have nothing. */
  // bound: one per agent with a session
  const sharedBy = new Map<string, number>()

  /** Who waits for shares lets others pass; who waits for room does not, so that it gets it. */
  function give(): void {
    const still: Waiting[] = []
    let isFull = false
    for (const next of waiting) {
      if (isFull || !mayLast(next.share)) still.push(next)
      else if (reserved > 0 && reserved + next.bytes > bytesMax - shared) {
        isFull = true
        still.push(next)
      } else {
        reserved += next.bytes
        next.given(reservationOf(next.bytes))
      }
    }
    waiting = still
  }

  /** Who has something that lasts may go on, or it would wait for itself. */
  function mayLast(share: Share | undefined): boolean {
    if (share === undefined || share.bytes() > 0) return true
    const ofOwner = sharedBy.get(share.owner) ?? 0
    return shared < bytesMax * SHARED_PART && ofOwner < bytesMax * OWNER_PART
  }

  function reservationOf(bytes: number): Reservation {
    let own = bytes
    const keep = (kept: number): void => {
      if (kept >= own) return
      reserved -= own - kept
      own = kept
      give()
    }
    return { keep, release: () => keep(0) }
  }

  return {
    reserve: (bytes, share) =>
      new Promise((given) => {
        waiting.push({ bytes, share, given })
        give()
      }),
    share(owner) {
      let own = 0
      const change = (bytes: number): void => {
        const ofOwner = (sharedBy.get(owner) ?? 0) + bytes
        if (ofOwner === 0) sharedBy.delete(owner)
        else sharedBy.set(owner, ofOwner)
        shared += bytes
        own += bytes
      }
      return {
        owner,
        bytes: () => own,
        add: change,
        shrink(bytes) {
          if (bytes <= 0) return
          change(-Math.min(bytes, own))
          give()
        },
        grow(bytes) {
          if (shared + bytes > bytesMax * SHARED_PART) return 'no room'
          if ((sharedBy.get(owner) ?? 0) + bytes > bytesMax * OWNER_PART)
            return 'no room of the owner'
          change(bytes)
          return 'taken'
        },
        [Symbol.dispose]() {
          change(-own)
          give()
        },
      }
    },
    isWanted: () => waiting.length > 0,
    reservedBytes: () => reserved,
    sharedBytes: () => shared,
  }
}

type Waiting = {
  readonly bytes: number
  readonly share: Share | undefined
  given(reservation: Reservation): void
}
