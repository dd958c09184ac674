import type { ReadOptions } from '../log.ts'

/** How long a reader rests between two fetches. */
export type Pace = {
  /** In milliseconds, as of now. */
  ms(): number
  /** A batch was delivered, with so many records that the reader heeds. */
  delivered(count: number): void
}

/** The pace that was asked for, and slower with each batch that brought nothing, until one does. */
export function paceOf({
  paceMs = () => 0,
  slowDownMs = 0,
}: Pick<ReadOptions, 'paceMs' | 'slowDownMs'>): Pace {
  let slowerMs = 0
  return {
    ms: () => Math.max(paceMs(), slowerMs),
    delivered(count) {
      slowerMs = count > 0 ? 0 : Math.min(slowDownMs, slowerMs * 2 || 1)
    },
  }
}
