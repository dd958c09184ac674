import { keepNewest } from '@countersign/kernel'

/** The sessions that were asked for on record and did not open lately, by what they asked for, with why. */
export type FailedStarts<T> = Map<string, { level: number; atMs: number; why: T }>

/** Counts a session that was asked for, is on record, and did not open. */
export function startFailed<T>(
  starts: FailedStarts<T>,
  { asked, why }: { readonly asked: string; readonly why: T },
  nowMs: number,
): void {
  const level = levelOf(starts, asked, nowMs) + 1
  starts.delete(asked)
  starts.set(asked, { level: Math.min(level, TRIES_MAX), atMs: nowMs, why })
  keepNewest(starts, STARTS_MAX)
}

/** The reason why it failed the last time, where it failed so often that it is not tried again yet; else undefined. */
export const triedTooOften = <T>(
  starts: FailedStarts<T>,
  asked: string,
  nowMs: number,
): T | undefined =>
  levelOf(starts, asked, nowMs) > TRIES_MAX - 1 ? starts.get(asked)?.why : undefined

/** The failures of late: each counts for one, and one is forgotten each `EACH_MS`. */
function levelOf<T>(starts: FailedStarts<T>, asked: string, nowMs: number): number {
  const failed = starts.get(asked)
  return failed === undefined ? 0 : Math.max(0, failed.level - (nowMs - failed.atMs) / EACH_MS)
}

/** So many in a row are tried at once, then one each `EACH_MS`. */
const TRIES_MAX = 10
const EACH_MS = 5_000
/** The oldest failures are forgotten first. */
const STARTS_MAX = 1_000
