import type { InstanceId, SessionId } from '@countersign/kernel'
import { stepName } from './cause.ts'
import { type Credentials, nextStep, type Step } from './credential.ts'
import { isPausing } from './retries.ts'

/** The next step of a session, unless it failed and pauses. */
export function dueStep(
  state: Credentials,
  sessionId: SessionId,
  isLeaseExpired: (instanceId: InstanceId) => boolean,
  nowMs: number,
): Step | null {
  const step = nextStep(state, sessionId, isLeaseExpired)
  if (step === null) return null
  return isPausing(state.retries, sessionId, stepName(step), nowMs) ? null : step
}

/**
 * The sessions that need a step only because time has passed: their lease ran out, or a pause is over. This looks at
 * each proxy and each failure, never at each session: every other step begins with a message.
 */
export function dueSessions(
  state: Credentials,
  isLeaseExpired: (instanceId: InstanceId) => boolean,
  nowMs: number,
): ReadonlySet<SessionId> {
  const due = new Set<SessionId>()
  for (const [instanceId, sessions] of state.tenants) {
    if (!isLeaseExpired(instanceId)) continue
    for (const sessionId of sessions) {
      if (dueStep(state, sessionId, isLeaseExpired, nowMs) !== null) due.add(sessionId)
    }
  }
  for (const [sessionId, { atMs }] of state.retries) {
    if (atMs <= nowMs) due.add(sessionId)
  }
  return due
}
