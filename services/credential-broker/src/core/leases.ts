import type { LeasesMessage } from '@countersign/contracts'
import { type InstanceId, keepNewest } from '@countersign/kernel'

/** The time until which each proxy process counts as alive, in ms of the broker's own clock that never goes back. */
export type Leases = Map<InstanceId, number>

/** Notes a lease, which counts from its receipt: the clocks of other machines say nothing here. */
export function leaseSeen(leases: Leases, message: LeasesMessage, nowMs: number): void {
  switch (message.type) {
    case 'ProxyEnrolled':
    case 'LeaseRenewed':
      // A process that gave its lease back does not come to life again: a new one has a new id.
      if (leases.get(message.instanceId) === RELEASED) return
      renewed(leases, message.instanceId, nowMs + message.leaseMs)
      return
    case 'LeaseReleased':
      renewed(leases, message.instanceId, RELEASED)
      return
  }
}

/** Above the bound the process heard of longest ago is dropped: if it lives, it has one lease to be heard of again. */
function renewed(leases: Leases, instanceId: InstanceId, until: number): void {
  leases.delete(instanceId)
  leases.set(instanceId, until)
  keepNewest(leases, LEASES_MAX)
}

/** True if the lease ran out. A process that was never heard of gets one lease from now on, as after a restart. */
export function isExpired(leases: Leases, instanceId: InstanceId, nowMs: number): boolean {
  const until = leases.get(instanceId)
  if (until === undefined) renewed(leases, instanceId, nowMs + FIRST_LEASE_MS)
  return until !== undefined && until <= nowMs
}

const RELEASED = Number.NEGATIVE_INFINITY
const FIRST_LEASE_MS = 10_000
/** The most processes that are remembered: many more than live at a time. */
const LEASES_MAX = 10_000
