import { after, type Clock } from '@countersign/kernel'
import type { Projection } from './projection.ts'

/** Looks again after every change until there is an answer; null when there is none within the limit. */
export async function whenKnown<T>(
  use: { projection: Projection; clock: Clock; limitMs: number },
  look: () => T | null,
): Promise<T | null> {
  const until = use.clock.monotonicMs() + use.limitMs
  for (;;) {
    // Taken before the look, so that a change in between is not missed.
    const changed = use.projection.changed()
    const found = look()
    const leftMs = until - use.clock.monotonicMs()
    if (found !== null || leftMs <= 0) return found
    await atMost(changed, leftMs)
  }
}

async function atMost(promise: Promise<void>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>()
  using _limit = after(ms, late.resolve)
  await Promise.race([promise, late.promise])
}
