import type { CredentialFailed } from '@countersign/contracts'
import {
  type Instant,
  messageOf,
  Problem,
  type RequestId,
  type SessionId,
} from '@countersign/kernel'

/** Says that something could not be done for a request; without one, for the session, which then ends. */
export const credentialFailed = (of: {
  sessionId: SessionId
  at: Instant
  credentialId: string
  requestId: RequestId | null
  cause: unknown
  /** Nothing was made at the target; false where that is not known. */
  leftNothing?: boolean
}): CredentialFailed => ({
  type: 'CredentialFailed',
  sessionId: of.sessionId,
  at: of.at,
  credentialId: of.credentialId,
  requestId: of.requestId,
  code: of.cause instanceof Problem ? of.cause.code : 'CS_CREDENTIAL_FAILED',
  reason: messageOf(of.cause),
  leftNothing: of.leftNothing ?? false,
})

/** A privilege that cannot be taken back must not stay: the session ends with it. */
export const notLowered = (cause: unknown): Problem =>
  new Problem(
    cause instanceof Problem ? cause.code : 'CS_CREDENTIAL_FAILED',
    `the raised privilege could not be taken back in time, so the session ends: ${messageOf(cause)}`,
    { cause },
  )
