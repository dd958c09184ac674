// Generated from schemas/approvals by libs/contracts/generate.ts; do not edit.
import type { EventId, Instant, RequestId, SessionId } from '@countersign/kernel'
import type { Chain, Effect, Identity, ValueType } from './common.ts'

/** A reviewer said no; the request is refused. */
export type ApprovalDenied = {
  readonly type: 'ApprovalDenied'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** The reviewer. */
  readonly by: string
  /** What the reviewer tells the agent. */
  readonly words: string
}

/** The deadline passed. */
export type ApprovalExpired = {
  readonly type: 'ApprovalExpired'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** The stage that ran out. */
  readonly stage: string
}

/** Every stage has its countersignatures; the held request may be released once. */
export type ApprovalGranted = {
  readonly type: 'ApprovalGranted'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** The digest of the request that may be released. */
  readonly digest: string
  /** Who countersigned. */
  readonly signers: readonly string[]
  /** The roles that the request is lent. */
  readonly raise: readonly string[]
  /** After this instant the grant releases nothing. */
  readonly expiresAt: Instant
  /** The policy version of the decision. */
  readonly policyVersion: string
}

/** The hold of the request ends before the deadlines of its stages do; whoever shows them shows this one. */
export type ApprovalLimited = {
  readonly type: 'ApprovalLimited'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** When the hold ends at the latest, as the proxy says. */
  readonly endsAt: Instant
  /** Which limit that is, as in RequestHeld. */
  readonly limit: string
}

/** A held request waits for its reviewers. */
export type ApprovalRequested = {
  readonly type: 'ApprovalRequested'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** The digest of the request. */
  readonly digest: string
  /** Who asks. */
  readonly requester: Identity
  /** The connection profile. */
  readonly profile: string
  /** The environment of the target. */
  readonly environment: string
  /** The effect in one sentence. */
  readonly summary: string
  /** The statement without literals. */
  readonly rendering: string
  /** What the request does. */
  readonly effects: readonly Effect[]
  /** The chains; all must grant. */
  readonly chains: readonly Chain[]
  /** The roles that the request is lent. */
  readonly raise: readonly string[]
  /** The types of the target that values of the request are of, or hold: reviewers see the values by them. */
  readonly valueTypes: readonly ValueType[]
  /** The policy version of the decision. */
  readonly policyVersion: string
  /** The ReviewRequired event. */
  readonly decisionId: EventId
  /** Chosen anew for each approval, so that an old review cannot be repeated. */
  readonly nonce: string
  /** When the current stage runs out. */
  readonly deadline: Instant
}

/** The policy changed while the request was held. */
export type ApprovalSuperseded = {
  readonly type: 'ApprovalSuperseded'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** Why. */
  readonly reason: string
}

/** The requester gave up, or the session ended. */
export type ApprovalWithdrawn = {
  readonly type: 'ApprovalWithdrawn'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** Why. */
  readonly reason: string
}

/** Somebody tried to countersign or deny and may not. */
export type CountersignatureRefused = {
  readonly type: 'CountersignatureRefused'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** Who tried. */
  readonly by: string
  /** Why it does not count. */
  readonly reason: 'NotPending' | 'WrongEnvironment' | 'SelfApproval' | 'AlreadySigned' | 'NotAReviewer' | 'DigestMismatch' | 'TokenInvalid' | 'TooLate'
  /** The reason in a sentence. */
  readonly detail: string
}

/** A reviewer said yes. */
export type Countersigned = {
  readonly type: 'Countersigned'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The approval; one for each held request. */
  readonly approvalId: string
  /** The held request. */
  readonly requestId: RequestId
  /** The reviewer. */
  readonly by: string
  /** The chain. */
  readonly chain: string
  /** The stage. */
  readonly stage: string
  /** Whether the stage has all it needs. */
  readonly stageComplete: boolean
  /** When the stage that waits from now on runs out; null when none follows. */
  readonly deadline: Instant | null
  /** The groups of the stage that the reviewer is a member of. */
  readonly groups: readonly string[]
}

/** Everything that may stand in the topic `approvals`. */
export type ApprovalsMessage =
  | ApprovalDenied
  | ApprovalExpired
  | ApprovalGranted
  | ApprovalLimited
  | ApprovalRequested
  | ApprovalSuperseded
  | ApprovalWithdrawn
  | CountersignatureRefused
  | Countersigned
