import type { RequestPart, RequestReleased } from '@countersign/contracts'
import { Problem } from '@countersign/kernel'
import type { Recorded } from '@countersign/log'
import { endSession, type Session, SESSION_ENDED } from './session-state.ts'

/**
 * Sends what was recorded to the target, if this process may still do so now: between the append and here it may have
 * been paused for longer than its lease (see `docs/architecture.md`, fencing), or the session may have ended.
 */
export function forwardReleased(
  session: Session,
  released: readonly Recorded<RequestReleased>[],
  bytes: readonly Uint8Array[],
): void {
  mustBeHeld(session)
  session.target.forward(released, bytes)
}

/** The same for data that streams into a released request. */
export function forwardStreamed(
  session: Session,
  parts: readonly Recorded<RequestPart>[],
  bytes: readonly Uint8Array[],
): void {
  mustBeHeld(session)
  session.target.forwardStream(parts, bytes)
}

function mustBeHeld(session: Session): void {
  if (!session.proxy.lease.isHeld())
    throw new Problem('CS_LEASE_LOST', 'the lease ran out before the request could be sent')
  // A timer can be late; nothing goes out after the time of the session.
  if (session.proxy.clock.now() >= session.expiry.at) endSession(session, session.expiry.ending)
  if (session.isEnding) throw SESSION_ENDED
}
