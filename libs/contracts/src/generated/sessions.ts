// Generated from schemas/sessions by libs/contracts/generate.ts; do not edit.
import type { EventId, InstanceId, Instant, RequestId, SessionId } from '@countersign/kernel'
import type { Coverage, RequestContent, RequestOrigin, TransactionStatus } from './common.ts'

/** The target answered the request. */
export type RequestCompleted = {
  readonly type: 'RequestCompleted'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** How it ended; Aborted: the target skipped it after an earlier error. */
  readonly outcome: 'Succeeded' | 'Failed' | 'Aborted'
  /** What the target says it did. */
  readonly commandTag: string | null
  /** The SQLSTATE of the error. */
  readonly sqlState: string | null
  /** How many rows came back. */
  readonly rows: number
  /** How many bytes came back. */
  readonly resultBytes: number
  /** From the release to the end, in microseconds. */
  readonly durationMicros: number
  /** Where the session stands now. */
  readonly transactionStatus: TransactionStatus
  /** The hash of the last transcript event up to here. */
  readonly transcriptHead: string
  /** How many transcript events there are up to here. */
  readonly transcriptCount: number
}

/** People were asked about a request, and something ends its hold before their deadline does: the transaction that it stands in, the token, or the session. A hold that only its chain limits has no such event. */
export type RequestHeld = {
  readonly type: 'RequestHeld'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** When the hold ends at the latest, by the clock of the proxy. */
  readonly endsAt: Instant
  /** Which limit that is: holdAfterWriteMax, holdInTransactionMax, a timeout of the target by its name, token or sessionMax. */
  readonly limit: string
}

/** A request arrived and waits for a decision; nothing of it reached the target. */
export type RequestIntercepted = {
  readonly type: 'RequestIntercepted'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** What it asks. */
  readonly content: RequestContent
  /** Who asked. */
  readonly origin: RequestOrigin
  /** Where the session stood. */
  readonly transactionStatus: TransactionStatus
  /** The state version of the session. */
  readonly stateVersion: number
  /** The roles that an approval lent to the session and that it still has, until its transaction ends. */
  readonly raisedRoles: readonly string[]
  /** True if, after what its open transaction did, a name may mean another relation than it is described, or a relation may hold masked values that were copied into it. */
  readonly namesInDoubt: boolean
}

/** A piece of a request that is too large for one record, or that streams in (COPY). It is recorded before it is forwarded. */
export type RequestPart = {
  readonly type: 'RequestPart'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** The place of the piece, from 0. */
  readonly index: number
  /** Whether it is streamed data that follows the release; otherwise it is a piece of the content and comes before it. */
  readonly stream: boolean
  /** The piece, encrypted like the content. */
  readonly ciphertext: Buffer
  /** The length of the plain piece in bytes. */
  readonly sizeBytes: number
}

/** The request was refused; nothing of it reached the target. */
export type RequestRefused = {
  readonly type: 'RequestRefused'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** The public error code. */
  readonly code: string
  /** The SQLSTATE that the agent was told. */
  readonly sqlState: string
  /** The detail that the agent was told. */
  readonly reason: string
  /** The decision or approval event that it follows. */
  readonly decisionId: EventId | null
}

/** The request may have reached the target from here on; RequestCompleted or the log of the target says whether it did. */
export type RequestReleased = {
  readonly type: 'RequestReleased'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** The digest of what was sent. */
  readonly digest: string
  /** What was sent, where no RequestIntercepted carries it (a covered request). */
  readonly content: RequestContent | null
  /** Who asked. */
  readonly origin: RequestOrigin
  /** None: decided for itself; otherwise how an earlier decision covers it. */
  readonly coverage: Coverage
  /** The decision that allows it. */
  readonly decisionId: EventId
  /** The hash of that decision. */
  readonly decisionHash: string
  /** The approval whose grant it uses up, or of whose portal it fetches more (then coverage is Exact). */
  readonly approvalId: string | null
  /** The raised privilege that it runs with. */
  readonly raiseId: string | null
  /** The policy version of the decision. */
  readonly policyVersion: string
  /** The state version of the session. */
  readonly stateVersion: number
  /** The masking plan in force. */
  readonly maskingPlanVersion: string
  /** The version of the description of the target. */
  readonly targetVersion: string
}

/** The agent gave up a held request, or its connection ended. */
export type RequestWithdrawn = {
  readonly type: 'RequestWithdrawn'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request. */
  readonly requestId: RequestId
  /** Why. */
  readonly reason: 'Cancelled' | 'Disconnected' | 'SessionEnded'
}

/** The session is over. */
export type SessionEnded = {
  readonly type: 'SessionEnded'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** Why it ended. */
  readonly reason: 'ClientTerminated' | 'ClientDisconnected' | 'Drained' | 'TargetClosed' | 'CredentialRevoked' | 'LogUnavailable' | 'LeaseLost' | 'ProtocolViolation' | 'LimitReached' | 'PrivilegeMismatch' | 'Failed'
  /** The public error code, where there is one. */
  readonly code: string | null
  /** How many requests it made. */
  readonly requestCount: number
  /** The hash of the last transcript event; empty when there is none. */
  readonly transcriptHead: string
  /** How many transcript events it has. */
  readonly transcriptCount: number
  /** Requests that were released and whose outcome is not known. */
  readonly inDoubt: readonly RequestId[]
}

/** The agent is connected to the target; requests may come. */
export type SessionOpened = {
  readonly type: 'SessionOpened'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The credential in use. */
  readonly credentialId: string
  /** The role at the target. */
  readonly role: string
  /** The version of the description of the target. */
  readonly targetVersion: string
  /** The masking plan in force. */
  readonly maskingPlanVersion: string
  /** The policy version that admitted it. */
  readonly policyVersion: string
  /** The process that serves the session at the target: its lines in the log of the target are those of this session until SessionEnded. */
  readonly targetProcessId: number | null
}

/** The session never opened; or several logins of nobody who is known never became one. */
export type SessionRefused = {
  readonly type: 'SessionRefused'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The public error code. */
  readonly code: string
  /** Why, as the agent was told. */
  readonly reason: string
  /** Where it came from: address and port, or the address alone where it stands for several. */
  readonly clientAddress: string | null
  /** How many refused logins it stands for: 1, or as many as were summed up in a minute after the first ones of an address. */
  readonly logins: number
}

/** An agent connected and gave a token; the session waits to be admitted. */
export type SessionRequested = {
  readonly type: 'SessionRequested'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the control chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The proxy process that holds the connection. */
  readonly instanceId: InstanceId
  /** The connection profile that it asked for. */
  readonly profile: string
  /** The agent, as the proxy read it; policy reads the token itself. */
  readonly agent: string
  /** The address and port of the client. */
  readonly clientAddress: string
  /** What the client calls itself. */
  readonly applicationName: string | null
  /** The token of the agent, sealed to policy (JWE). */
  readonly proof: string
  /** The public key (JWK, JSON) to which the credential is sealed. */
  readonly sessionKey: string
  /** The signature of the enrolled proxy instance; comes with the identity issue. */
  readonly signature: string | null
}

/** Everything that may stand in the topic `sessions`. */
export type SessionsMessage =
  | RequestCompleted
  | RequestHeld
  | RequestIntercepted
  | RequestPart
  | RequestRefused
  | RequestReleased
  | RequestWithdrawn
  | SessionEnded
  | SessionOpened
  | SessionRefused
  | SessionRequested
