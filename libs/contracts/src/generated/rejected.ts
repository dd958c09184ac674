// Generated from schemas/rejected by libs/contracts/generate.ts; do not edit.
import type { Instant } from '@countersign/kernel'

/** A record that a service could not handle; it is never dropped. */
export type MessageRejected = {
  readonly type: 'MessageRejected'
  /** The service; its own topic is <service>.rejected. */
  readonly service: string
  /** When. */
  readonly at: Instant
  /** Where the record stands. */
  readonly topic: string
  /** Its partition. */
  readonly partition: number
  /** Its offset. */
  readonly offset: number
  /** The public error code. */
  readonly code: string
  /** What is wrong with it. */
  readonly reason: string
}

/** Everything that may stand in the topic `rejected`. */
export type RejectedMessage =
  | MessageRejected
