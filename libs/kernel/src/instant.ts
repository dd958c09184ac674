import type { Brand } from './brand.ts'

/** A moment, in microseconds since 1970-01-01T00:00:00Z (Avro `timestamp-micros`). */
export type Instant = Brand<number, 'Instant'>

export function Instant(micros: number): Instant {
  if (!Number.isSafeInteger(micros)) throw new RangeError(`not an instant: ${micros}`)
  return micros as Instant
}

/** The source of time. Shells read it and give the time to cores as data. */
export type Clock = {
  /** Wall-clock time. */
  now(): Instant
  /** A clock that never goes back, in milliseconds; for limits and fences. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  now: () => Instant(Math.round((performance.timeOrigin + performance.now()) * 1000)),
  monotonicMs: () => performance.now(),
}

export const afterMs = (instant: Instant, ms: number): Instant =>
  Instant(instant + Math.round(ms * 1000))
export const millisBetween = (from: Instant, to: Instant): number => (to - from) / 1000
export const isoOf = (instant: Instant): string => new Date(instant / 1000).toISOString()
