import { keepNewest } from '@countersign/kernel'

/** The time that each user of something has used lately; half of it is forgotten every few seconds. */
export type Usage = {
  msOf(user: string, nowMs: number): number
  add(user: string, ms: number, nowMs: number): void
}

export function usage(usersMax: number = USERS_MAX): Usage {
  // bound: USERS_MAX
  const entries = new Map<string, { ms: number; atMs: number }>()
  const msOf = (user: string, nowMs: number): number => {
    const entry = entries.get(user)
    return entry === undefined ? 0 : entry.ms * 0.5 ** ((nowMs - entry.atMs) / HALF_LIFE_MS)
  }
  return {
    msOf,
    add(user, ms, nowMs) {
      const total = msOf(user, nowMs) + ms
      entries.delete(user)
      entries.set(user, { ms: total, atMs: nowMs })
      keepNewest(entries, usersMax)
    },
  }
}

const HALF_LIFE_MS = 5_000
const USERS_MAX = 10_000
