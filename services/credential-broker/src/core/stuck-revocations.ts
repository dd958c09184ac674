import type { Credentials } from './credential.ts'
import { stuck } from './retries.ts'

/** The revocations of one profile that do not succeed: their number, and the one that has failed longest. */
export type StuckRevocations = {
  readonly profile: string
  readonly count: number
  readonly role: string
  readonly failingMs: number
  /** The message of its last failure. */
  readonly cause: string
}

/** The revocations that have failed for so long that somebody has to look, by profile. */
export function stuckRevocations(
  states: Iterable<Pick<Credentials, 'live' | 'retries'>>,
  nowMs: number,
): readonly StuckRevocations[] {
  const all = [...states].flatMap(({ live, retries }) =>
    stuck(retries, nowMs).map(({ sessionId, failingMs, cause }) => {
      const intent = live.get(sessionId)?.intent
      return { profile: intent?.target ?? '', role: intent?.role ?? '', failingMs, cause }
    }),
  )
  return [...Map.groupBy(all, ({ profile }) => profile).values()].flatMap((ofProfile) =>
    ofProfile
      .toSorted((a, b) => b.failingMs - a.failingMs)
      .slice(0, 1)
      .map((longest) => ({ ...longest, count: ofProfile.length })),
  )
}
