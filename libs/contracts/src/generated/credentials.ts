// Generated from schemas/credentials by libs/contracts/generate.ts; do not edit.
import type { InstanceId, Instant, RequestId, SessionId } from '@countersign/kernel'
import type { DescribedType, Relation, Routine, SystemColumn } from './common.ts'

/** The broker could not do what was needed. */
export type CredentialFailed = {
  readonly type: 'CredentialFailed'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The credential. */
  readonly credentialId: string | null
  /** The request that was to be raised; null when the session could not get a credential, or could not be lowered and ends. */
  readonly requestId: RequestId | null
  /** The public error code. */
  readonly code: string
  /** Why. */
  readonly reason: string
  /** Nothing was made at the target before it failed, so that there is nothing to revoke there. */
  readonly leftNothing: boolean
}

/** The broker is about to change a role at the target. Written first, so that a crash leaves a trace. */
export type CredentialIntended = {
  readonly type: 'CredentialIntended'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The credential. */
  readonly credentialId: string
  /** The connection profile. */
  readonly target: string
  /** The role. */
  readonly role: string
  /** The proxy process whose lease it depends on. */
  readonly instanceId: InstanceId
}

/** The credential works until it is revoked. */
export type CredentialIssued = {
  readonly type: 'CredentialIssued'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The credential. */
  readonly credentialId: string
  /** The connection profile. */
  readonly target: string
  /** The role. */
  readonly role: string
  /** The roles it has. */
  readonly baseRoles: readonly string[]
  /** The password, sealed to the session key (JWE). */
  readonly sealed: string
  /** The version of the description of the target. */
  readonly targetVersion: string
  /** After this instant the target refuses it. */
  readonly validUntil: Instant
  /** The role that it acts as from its login on, where base roles may create; null: as itself. */
  readonly actsAs: string | null
}

/** No login, no backend: the session is over for every reader. */
export type CredentialRevoked = {
  readonly type: 'CredentialRevoked'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The credential. */
  readonly credentialId: string
  /** The connection profile. */
  readonly target: string
  /** The role. */
  readonly role: string
  /** Why. */
  readonly reason: 'SessionOver' | 'LeaseExpired' | 'Reconciled' | 'Failed'
  /** How many connections were ended. */
  readonly backendsTerminated: number
}

/** The raised roles are taken back, and the catalog of the target confirms it. */
export type PrivilegeLowered = {
  readonly type: 'PrivilegeLowered'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The credential. */
  readonly credentialId: string
  /** The request. */
  readonly requestId: RequestId
  /** The raise. */
  readonly raiseId: string
  /** The roles taken back. */
  readonly roles: readonly string[]
  /** Objects that were handed to the owner role. */
  readonly transferred: readonly string[]
  /** Objects that the role left behind and that were handed to a powerless role. */
  readonly quarantined: readonly string[]
}

/** The role of the session has the raised roles now. */
export type PrivilegeRaised = {
  readonly type: 'PrivilegeRaised'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The credential. */
  readonly credentialId: string
  /** The approved request. */
  readonly requestId: RequestId
  /** This raise; one for each approval. */
  readonly raiseId: string
  /** The roles granted. */
  readonly roles: readonly string[]
}

/** What the target looks like, for policy and masking. */
export type TargetDescribed = {
  readonly type: 'TargetDescribed'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** The connection profile. */
  readonly target: string
  /** SHA-256 of the description. */
  readonly targetVersion: string
  /** The version of the server. */
  readonly serverVersion: string
  /** The schemas that names are looked up in. */
  readonly searchPath: readonly string[]
  /** Tables and views. */
  readonly relations: readonly Relation[]
  /** Functions outside pg_catalog. */
  readonly routines: readonly Routine[]
  /** Types outside pg_catalog. What is not among them may run anything. */
  readonly types: readonly DescribedType[]
  /** Columns of PostgreSQL's own catalogs that are masked unless a rule says otherwise. */
  readonly systemColumns: readonly SystemColumn[]
  /** The request that ran without people, may have changed the target, and was looked at for; null otherwise. */
  readonly requestId: RequestId | null
  /** A short hash of the event triggers, which run code behind statements that change the schema; empty where there are none, and in a description that did not look. */
  readonly eventTriggers: string
}

/** Everything that may stand in the topic `credentials`. */
export type CredentialsMessage =
  | CredentialFailed
  | CredentialIntended
  | CredentialIssued
  | CredentialRevoked
  | PrivilegeLowered
  | PrivilegeRaised
  | TargetDescribed
