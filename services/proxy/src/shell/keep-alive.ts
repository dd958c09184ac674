/** A peer that is gone without a word is noticed: after 30 s of silence Node probes once a second, ten times. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000 } as const
