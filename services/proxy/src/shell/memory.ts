import { deque } from '@countersign/kernel'

/** The memory that the large messages of all sessions share, and data that wait for people. */
export type Memory = {
  /**
   * Resolves when so many bytes are free. First come, first served, so that nobody waits for ever behind smaller ones. Who
   * asks for more than there are gets them when nobody else has any.
   */
  reserve(bytes: number): Promise<Reservation>
  /**
   * Memory that is taken as it is needed, at once or not at all, and kept for as long as people think. All shares together
   * get half of what there is, so that who waits for the other half gets it, and those of one owner a quarter of that.
   */
  share(owner: string): Share
  /** Whether somebody waits. */
  isWanted(): boolean
  /** How much is reserved now. */
  reservedBytes(): number
}

export type Reservation = { release(): void }

export type Share = Disposable & {
  /** Takes so much more, or says where there is not as much. */
  grow(bytes: number): 'taken' | 'no room' | 'no room of the owner'
}

/** The part of the memory that all shares get, and the part that those of one owner get. */
export const SHARED_PART = 1 / 2
export const OWNER_PART = SHARED_PART / 4

export function memoryOf(bytesMax: number): Memory {
  const waiting = deque<{ readonly bytes: number; given(reservation: Reservation): void }>()
  let reserved = 0
  let shared = 0
  /** Without owners who have nothing. */
  // bound: one per agent with a session
  const sharedBy = new Map<string, number>()

  function give(): void {
    for (let next = waiting.first(); next !== undefined; next = waiting.first()) {
      if (reserved > 0 && reserved + next.bytes > bytesMax - shared) return
      waiting.shift()
      reserved += next.bytes
      next.given(reservationOf(next.bytes))
    }
  }

  function reservationOf(bytes: number): Reservation {
    let isReleased = false
    return {
      release() {
        if (isReleased) return
        isReleased = true
        reserved -= bytes
        give()
      },
    }
  }

  return {
    reserve: (bytes) =>
      new Promise((given) => {
        waiting.push({ bytes, given })
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
  }
}
