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
   * get half of what there is, so that who waits for the other half gets it.
   */
  share(): Share
  /** Whether somebody waits. */
  isWanted(): boolean
  /** How much is reserved now. */
  reservedBytes(): number
}

export type Reservation = { release(): void }

export type Share = Disposable & {
  /** False where there is not so much more. */
  grow(bytes: number): boolean
}

export function memoryOf(bytesMax: number): Memory {
  const waiting = deque<{ readonly bytes: number; given(reservation: Reservation): void }>()
  let reserved = 0
  let shared = 0

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
    share() {
      let own = 0
      return {
        grow(bytes) {
          if (shared + bytes > bytesMax / 2) return false
          shared += bytes
          own += bytes
          return true
        },
        [Symbol.dispose]() {
          shared -= own
          own = 0
          give()
        },
      }
    },
    isWanted: () => waiting.length > 0,
    reservedBytes: () => reserved,
  }
}
