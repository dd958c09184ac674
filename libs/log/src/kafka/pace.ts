import type { ReadOptions } from '../log.ts'

/** How long a reader rests between two fetches. */
export type Pace = {
  /** In milliseconds, as of now. */
  ms(): number
  /** A batch was delivered, with so many records that the reader heeds. */
  delivered(count: number): void
}

/** A steady pace, or one that slows down with each batch that brought nothing, and is quick again when one does. */
export function paceOf({
  paceMs = 0,
  slowDownMs = 0,
}: Pick<ReadOptions, 'paceMs' | 'slowDownMs'>): Pace {
  let restMs = paceMs
  return {
    ms: () => restMs,
    delivered(count) {
      restMs = count > 0 ? paceMs : Math.min(Math.max(paceMs, slowDownMs), restMs * 2 || 1)
    },
  }
}
