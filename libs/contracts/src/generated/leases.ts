// Generated from schemas/leases by libs/contracts/generate.ts; do not edit.
import type { InstanceId, Instant } from '@countersign/kernel'

/** A proxy process stopped in order; it has no sessions any more. */
export type LeaseReleased = {
  readonly type: 'LeaseReleased'
  /** The process; also the key of the record. */
  readonly instanceId: InstanceId
  /** When. */
  readonly at: Instant
}

/** A proxy process is alive. */
export type LeaseRenewed = {
  readonly type: 'LeaseRenewed'
  /** The process; also the key of the record. */
  readonly instanceId: InstanceId
  /** When. */
  readonly at: Instant
  /** How long it is good for, in milliseconds, counted by a reader from receipt. */
  readonly leaseMs: number
  /** Counts the renewals of the process. */
  readonly renewal: number
}

/** A proxy process started. */
export type ProxyEnrolled = {
  readonly type: 'ProxyEnrolled'
  /** The process; also the key of the record. */
  readonly instanceId: InstanceId
  /** When it started. */
  readonly at: Instant
  /** Where it listens. */
  readonly address: string
  /** How long a renewal is good for, in milliseconds. */
  readonly leaseMs: number
  /** The key that it signs with; comes with the identity issue. */
  readonly publicKey: string | null
}

/** Everything that may stand in the topic `leases`. */
export type LeasesMessage =
  | LeaseReleased
  | LeaseRenewed
  | ProxyEnrolled
