import { deque } from '@countersign/kernel'

/** The memory that the large messages of all sessions share. */
export type Memory = {
  /**
   * Resolves when so many bytes are free. First come, first served, so that nobody waits for ever behind smaller ones. Who
   * asks for more than there are gets them when nobody else has any.
   */
  reserve(bytes: number): Promise<Reservation>
  /** Whether somebody waits. */
  isWanted(): boolean
  /** How much is reserved now. */
  reservedBytes(): number
}

export type Reservation = { release(): void }

export function memoryOf(bytesMax: number): Memory {
  const waiting = deque<{ readonly bytes: number; given(reservation: Reservation): void }>()
  let reserved = 0

  function give(): void {
    for (let next = waiting.first(); next !== undefined; next = waiting.first()) {
      if (reserved > 0 && reserved + next.bytes > bytesMax) return
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
    isWanted: () => waiting.length > 0,
    reservedBytes: () => reserved,
  }
}
