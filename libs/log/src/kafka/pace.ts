import type { ReadOptions } from '../log.ts'

/** The rest of a reader between two fetches. */
export type Pace = {
  /** In milliseconds, as of now. */
  ms(): number
  /** Called when a batch was delivered, with so many records that the reader heeds. */
  delivered(count: number): void
}

/** The pace that was asked for; slower with each batch without a heeded record, until one has some. */
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
