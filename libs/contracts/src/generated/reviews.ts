// Generated from schemas/reviews by libs/contracts/generate.ts; do not edit.
import type { Instant, RequestId, SessionId } from '@countersign/kernel'

/** Order: count this yes. */
export type Countersign = {
  readonly type: 'Countersign'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The held request. */
  readonly requestId: RequestId
  /** This vote. */
  readonly reviewId: string
  /** Who votes, as the console read it; approval reads the token itself. */
  readonly by: string
  /** The token of the voter, sealed to approval (JWE). */
  readonly proof: string
  /** The signature of the voter; comes with the identity issue. */
  readonly signature: string | null
  /** The digest that the reviewer saw. */
  readonly digest: string
}

/** Order: refuse the request. */
export type Deny = {
  readonly type: 'Deny'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The held request. */
  readonly requestId: RequestId
  /** This vote. */
  readonly reviewId: string
  /** Who votes, as the console read it; approval reads the token itself. */
  readonly by: string
  /** The token of the voter, sealed to approval (JWE). */
  readonly proof: string
  /** The signature of the voter; comes with the identity issue. */
  readonly signature: string | null
  /** What the reviewer tells the agent. */
  readonly words: string
}

/** Order: give the request up. */
export type Withdraw = {
  readonly type: 'Withdraw'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The held request. */
  readonly requestId: RequestId
  /** This vote. */
  readonly reviewId: string
  /** Who votes, as the console read it; approval reads the token itself. */
  readonly by: string
  /** The token of the voter, sealed to approval (JWE). */
  readonly proof: string
  /** The signature of the voter; comes with the identity issue. */
  readonly signature: string | null
}

/** Everything that may stand in the topic `reviews`. */
export type ReviewsMessage =
  | Countersign
  | Deny
  | Withdraw
