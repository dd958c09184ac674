import type { Caller, ReviewRequired } from '@countersign/contracts'
import type { EventId, Instant, RequestId, SessionId } from '@countersign/kernel'

/** The orders that approval takes. Time and identities arrive with the order. */
export type ApprovalCommand =
  | (Order<'RequestApproval'> & { review: ReviewRequired; decisionId: EventId; nonce: string })
  | (Order<'Countersign'> & { voter: Voter; digest: string })
  | (Order<'Deny'> & { voter: Voter; words: string })
  | (Order<'Withdraw'> & { voter: Voter })
  | (Order<'EndRequest'> & { reason: string })
  | (Order<'LimitHold'> & { endsAt: Instant; limit: string })
  | (Order<'Supersede'> & { reason: string })
  | Order<'DeadlinePassed'>

/** An order that a voter gives, and that may therefore be refused. */
export type Vote = Extract<ApprovalCommand, { voter: Voter }>

/** The giver of an order: read from a verified token, or unverified and not to be trusted. */
export type Voter =
  | {
      readonly status: 'verified'
      readonly identity: Caller
      /** The environments in which the catalog makes this person a reviewer. */
      readonly environments: readonly string[]
    }
  | { readonly status: 'unverified'; readonly claimed: string; readonly detail: string }

type Order<Type extends string> = {
  readonly type: Type
  readonly at: Instant
  readonly sessionId: SessionId
  readonly requestId: RequestId
}
