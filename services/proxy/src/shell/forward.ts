import type { RequestReleased } from '@countersign/contracts'
import { Problem } from '@countersign/kernel'
import type { Recorded } from '@countersign/log'
import type { Passage } from '../core/passage.ts'
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

/** Messages of Countersign's own with the release of what they run. */
export const ofRelease = (
  outbound: Passage['outbound'],
  released: Recorded<RequestReleased>,
): Outgoing[] =>
  outbound.map((one) =>
    one.request === null ? { runs: null, bytes: one.bytes } : { runs: released, bytes: one.bytes },
  )
