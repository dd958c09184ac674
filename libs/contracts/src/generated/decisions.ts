// Generated from schemas/decisions by libs/contracts/generate.ts; do not edit.
import type { InstanceId, Instant, RequestId, SessionId } from '@countersign/kernel'
import type { Chain, CopyOut, Coverage, Effect, Identity, LongText, Profile, Recording, Redefinitions, SyntaxError, ValueType } from './common.ts'

/** Policy is alive, and has read the catalog this far. Covered releases need a fresh one. */
export type CoverageAlive = {
  readonly type: 'CoverageAlive'
  /** When. */
  readonly at: Instant
  /** The partition it speaks for. */
  readonly partition: number
  /** The policy version in force. */
  readonly policyVersion: string
  /** The next catalog offset that policy will read. */
  readonly catalogOffset: number
  /** The next identities offset that policy will read; 0 before the directory exists. */
  readonly identitiesOffset: number
}

/** The request may be released. */
export type RequestAllowed = {
  readonly type: 'RequestAllowed'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** The digest of the request that was decided on. */
  readonly digest: string
  /** The policy version. */
  readonly policyVersion: string
  /** The catalog offset behind the last rule that it was decided by: the policies, chains and masking rules in front of it were in force. (The profile is that of the admission.) Null from a policy that does not say. */
  readonly catalogOffset: number | null
  /** The version of the description of the target that it was decided on; empty from a policy that does not say. */
  readonly targetVersion: string
  /** The rules that decided. */
  readonly rules: readonly string[]
  /** What the request does. */
  readonly effects: readonly Effect[]
  /** The effect in one sentence. */
  readonly summary: string
  /** Whether the statement touches a tagged column, so that computed columns are masked. */
  readonly tainted: boolean
  /** Relations, or new columns, that the description lacks, where nothing else taints the statement: a reader that knows that they hold nothing tagged may ignore tainted. */
  readonly undescribed: readonly Effect[]
  /** Whether it writes to a relation that has a tagged column, so that what the target says of it may quote values. */
  readonly writesTagged: boolean
  /** The columns of the result, from 1, that are computed from no tagged column although the statement touches one. */
  readonly plainColumns: readonly number[]
  /** The cursor that it declares or fetches from, where it is one statement that does so; null when it is another. */
  readonly cursor: string | null
  /** What it does with the cursor: declare, hold (declared beyond its transaction), fetch, close; commit ends those not held, clear may end any. */
  readonly cursorUse: string | null
  /** Its rows, where it is one COPY TO STDOUT that touches no tagged column and whose columns are known: then each is searched by its type. */
  readonly copyOut: CopyOut | null
  /** The names that its text redefines, where that is too long for the proxy to parse; null for a shorter one, and from a policy that does not say. */
  readonly redefines: Redefinitions | null
  /** Further facts about its text, where that is too long for the proxy to parse; null for a shorter one, and from a policy that does not say. */
  readonly longText: LongText | null
  /** It is a COPY FROM STDIN as far as policy sees, so that data of the agent may be let in. A policy that does not know the field lets none in. */
  readonly takesCopyData: boolean
  /** Whether it can change what later texts mean; coverage ends with it. */
  readonly changesState: boolean
  /** The state version that the decision is good for. */
  readonly stateVersion: number
  /** How much is recorded. */
  readonly recording: Recording
  /** Which later requests are covered. */
  readonly coverage: Coverage
  /** The key of what is covered; null when nothing is. */
  readonly coverageKey: string | null
}

/** The request is refused by policy. */
export type RequestBlocked = {
  readonly type: 'RequestBlocked'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** The digest of the request that was decided on. */
  readonly digest: string
  /** The policy version. */
  readonly policyVersion: string
  /** The catalog offset behind the last rule that it was decided by: the policies, chains and masking rules in front of it were in force. (The profile is that of the admission.) Null from a policy that does not say. */
  readonly catalogOffset: number | null
  /** The version of the description of the target that it was decided on; empty where policy did not look at one. */
  readonly targetVersion: string
  /** The rules that decided. */
  readonly rules: readonly string[]
  /** What the request does. */
  readonly effects: readonly Effect[]
  /** The effect in one sentence. */
  readonly summary: string
  /** The public error code. */
  readonly code: string
  /** Why, for the agent. */
  readonly reason: string
  /** What the agent can do next. */
  readonly hint: string | null
  /** The error of PostgreSQL, where the text is no SQL; null for any other, and from a policy that does not say. */
  readonly syntaxError: SyntaxError | null
}

/** The request waits for people. */
export type ReviewRequired = {
  readonly type: 'ReviewRequired'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** The digest of the request that was decided on. */
  readonly digest: string
  /** The policy version. */
  readonly policyVersion: string
  /** The catalog offset behind the last rule that it was decided by: the policies, chains and masking rules in front of it were in force. (The profile is that of the admission.) Null from a policy that does not say. */
  readonly catalogOffset: number | null
  /** The version of the description of the target that it was decided on; empty from a policy that does not say. */
  readonly targetVersion: string
  /** The rules that decided. */
  readonly rules: readonly string[]
  /** What the request does. */
  readonly effects: readonly Effect[]
  /** The effect in one sentence. */
  readonly summary: string
  /** Whether the statement touches a tagged column, so that computed columns are masked. */
  readonly tainted: boolean
  /** Relations, or new columns, that the description lacks, where nothing else taints the statement: a reader that knows that they hold nothing tagged may ignore tainted. */
  readonly undescribed: readonly Effect[]
  /** Whether it writes to a relation that has a tagged column, so that what the target says of it may quote values. */
  readonly writesTagged: boolean
  /** The columns of the result, from 1, that are computed from no tagged column although the statement touches one. */
  readonly plainColumns: readonly number[]
  /** The cursor that it declares or fetches from, where it is one statement that does so; null when it is another. */
  readonly cursor: string | null
  /** What it does with the cursor: declare, hold (declared beyond its transaction), fetch, close; commit ends those not held, clear may end any. */
  readonly cursorUse: string | null
  /** Its rows, where it is one COPY TO STDOUT that touches no tagged column and whose columns are known: then each is searched by its type. */
  readonly copyOut: CopyOut | null
  /** The names that its text redefines, where that is too long for the proxy to parse; null for a shorter one, and from a policy that does not say. */
  readonly redefines: Redefinitions | null
  /** Further facts about its text, where that is too long for the proxy to parse; null for a shorter one, and from a policy that does not say. */
  readonly longText: LongText | null
  /** It is a COPY FROM STDIN as far as policy sees, so that data of the agent may be let in. A policy that does not know the field lets none in. */
  readonly takesCopyData: boolean
  /** Whether it can change what later texts mean; coverage ends with it. */
  readonly changesState: boolean
  /** The state version that the decision is good for. */
  readonly stateVersion: number
  /** How much is recorded. */
  readonly recording: Recording
  /** Who asks. */
  readonly identity: Identity
  /** The connection profile. */
  readonly profile: string
  /** The environment of the target. */
  readonly environment: string
  /** The statement without literals. */
  readonly rendering: string
  /** The chains; all of them must grant. */
  readonly chains: readonly Chain[]
  /** The roles that the request is lent. */
  readonly raise: readonly string[]
  /** The types of the target that values of the request are of, or hold: reviewers see the values by them. */
  readonly valueTypes: readonly ValueType[]
  /** Whether it leaves code behind that runs later. */
  readonly createsCode: boolean
  /** When the request arrived. */
  readonly interceptedAt: Instant
  /** Whether the target may run code already when it parses the statement; then it must not be asked whether it could. */
  readonly runsWhenPrepared: boolean
  /** Whether a policy looks at the clock; then what people granted for a portal says nothing about when it goes on. */
  readonly readsTime: boolean
}

/** Policy lets the session open. */
export type SessionAdmitted = {
  readonly type: 'SessionAdmitted'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** Who asks, read by policy from the sealed token. */
  readonly identity: Identity
  /** The connection profile as it stands. */
  readonly profile: Profile
  /** The policy version. */
  readonly policyVersion: string
  /** The proxy process. */
  readonly instanceId: InstanceId
  /** The public key (JWK, JSON) to which the credential is sealed. */
  readonly sessionKey: string
  /** The thumbprint (RFC 7638) of the public key that the token was sealed together with, as policy verified it; null in old records, to which no credential is issued. */
  readonly sessionKeyThumbprint: string | null
  /** How far policy had read the catalog. */
  readonly catalogOffset: number
  /** When the session ends at the latest; null in old records, where the limit of the profile counts. */
  readonly expiresAt: Instant | null
  /** The settings that the agent gave for the start of the session, by name: policy permits each. */
  readonly settings: readonly string[]
}

/** Policy does not let the session open. */
export type SessionRejected = {
  readonly type: 'SessionRejected'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The public error code. */
  readonly code: string
  /** Why. */
  readonly reason: string
}

/** Everything that may stand in the topic `decisions`. */
export type DecisionsMessage =
  | CoverageAlive
  | RequestAllowed
  | RequestBlocked
  | ReviewRequired
  | SessionAdmitted
  | SessionRejected
