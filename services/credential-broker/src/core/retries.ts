import { sha256, type SessionId } from '@countersign/kernel'
import type { Step } from './credential.ts'

/** The step of each session that failed and is to be taken again. */
export type Retries = Map<SessionId, Retry>

type Retry = {
  readonly step: string
  readonly failures: number
  /** The message of the last failure. */
  readonly cause: string
  /** The times of the first failure and of the next attempt, in ms of the clock that never goes back. */
  readonly sinceMs: number
  readonly atMs: number
}

/** Plans the next attempt: each pause is about twice the one before, up to a limit. */
export function stepFailed(
  retries: Retries,
  sessionId: SessionId,
  failed: { readonly step: string; readonly cause: string; readonly pauseMsMax?: number },
  nowMs: number,
): void {
  const { step, pauseMsMax = PAUSE_MS_MAX } = failed
  const before = retries.get(sessionId)
  const isAgain = before?.step === step
  const failures = isAgain ? before.failures + 1 : 1
  const longestMs = Math.min(PAUSE_MS * 2 ** (failures - 1), pauseMsMax)
  // Long pauses are spread, so that sessions that ended together do not come back together. Short ones are exact, since
  // somebody waits.
  const pauseMs = longestMs <= PAUSE_MS_MAX ? longestMs : longestMs * spread(sessionId, failures)
  const sinceMs = isAgain ? before.sinceMs : nowMs
  const cause = failed.cause.slice(0, CAUSE_CHARACTERS_MAX)
  retries.set(sessionId, { step, failures, cause, sinceMs, atMs: nowMs + pauseMs })
}

/** True if a step pauses. Another step of the same session does not: an end never waits for a lowering. */
export function isPausing(
  retries: Retries,
  sessionId: SessionId,
  step: string,
  nowMs: number,
): boolean {
  const retry = retries.get(sessionId)
  return retry?.step === step && retry.atMs > nowMs
}

/** The time for which a step has been failing, in ms; 0 when it has not failed. */
export function failingMs(
  retries: Retries,
  sessionId: SessionId,
  step: string,
  nowMs: number,
): number {
  const retry = retries.get(sessionId)
  return retry?.step === step ? nowMs - retry.sinceMs : 0
}

/**
 * The time for which a step may fail. After it, a session that cannot be lowered is ended, before the proxy stops
 * waiting (15 s); the role of a session that is shut out is put aside with what it owns. A step without a limit is
 * tried for ever.
 */
export const FAILING_MS_MAX: Readonly<Record<Step['do'], number>> = {
  intend: Infinity,
  issue: Infinity,
  raise: Infinity,
  describe: Infinity,
  refuse: Infinity,
  lower: 6_000,
  revoke: 60_000,
}

/** A revocation that has failed for so long that somebody has to look. */
export type Stuck = {
  readonly sessionId: SessionId
  readonly failingMs: number
  readonly cause: string
}

/** The revocations that are stuck. Each is still tried. */
export const stuck = (retries: Retries, nowMs: number): Stuck[] =>
  [...retries].flatMap(([sessionId, { step, sinceMs, cause }]) =>
    step === 'revoke' && nowMs - sinceMs >= FAILING_MS_MAX.revoke
      ? [{ sessionId, failingMs: nowMs - sinceMs, cause }]
      : [],
  )

/** Lets the failed steps of these sessions be taken again at the next look: the cause of the failure may be mended. */
export function takenAgain(retries: Retries, sessions: Iterable<SessionId>, nowMs: number): void {
  for (const sessionId of sessions) {
    const retry = retries.get(sessionId)
    if (retry !== undefined) retries.set(sessionId, { ...retry, failures: 0, atMs: nowMs })
  }
}

/** A factor between a half and one, the same for the same attempt. */
const spread = (sessionId: SessionId, failures: number): number =>
  0.5 + Number.parseInt(sha256(`${sessionId}/${failures}`).slice(0, 8), 16) / 2 ** 33

/** The longest pause between attempts of a revocation, which is tried for ever: nobody waits for it any more. */
export const REVOKE_PAUSE_MS_MAX = 300_000
const CAUSE_CHARACTERS_MAX = 300
const PAUSE_MS = 250
const PAUSE_MS_MAX = 8_000
