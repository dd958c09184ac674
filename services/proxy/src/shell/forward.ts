import { Problem } from '@countersign/kernel'
import { over, type Session, SESSION_ENDED } from './session-state.ts'
import type { Outgoing } from './target.ts'

/**
 * Sends what was recorded to the target, if this process may still do so now: between the append and here it may have
 * been paused for longer than its lease (see `docs/architecture.md`, fencing), or the session may have ended.
 */
export function forwardRecorded(session: Session, outgoing: readonly Outgoing[]): void {
  if (!session.proxy.lease.isHeld())
    throw new Problem('CS_LEASE_LOST', 'the lease ran out before the request could be sent')
  // A timer can be late; nothing goes out after the time of the session.
  if (session.proxy.clock.now() >= session.expiry.at) over(session, session.expiry.ending)
  if (session.isEnding) throw SESSION_ENDED
  session.target.forward(outgoing)
}
