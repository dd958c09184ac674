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

/** Messages with the releases of what they run, by its number in the exchange. */
export const withReleases = (
  outbound: Passage['outbound'],
  releaseOf: (request: number) => Recorded<RequestReleased> | undefined,
): Outgoing[] =>
  outbound.map((one) => {
    if (one.request === null) return { runs: null, bytes: one.bytes }
    const runs = releaseOf(one.request)
    if (runs === undefined) throw new Problem('CS_INTERNAL', 'a request is not on record')
    return { runs, bytes: one.bytes }
  })
