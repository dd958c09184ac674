import { type ErrorCode, NEXT_STEPS } from '@countersign/kernel'
import type { ErrorFields } from '@countersign/postgres-wire'

/** Why a request or a session is refused, before it is said in the words of the protocol. */
export type Refusal = {
  readonly code: ErrorCode
  /** The rule, or the words of the reviewer. */
  readonly reason: string
  /** What the agent can do next; null for what can always be done about this code. */
  readonly hint: string | null
  readonly requestId: string | null
}

/** The SQLSTATE of each public error code that a PostgreSQL client can meet. */
const SQLSTATES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CS_AUTH_REQUIRED: '28P01',
  CS_AUTH_INVALID: '28P01',
  CS_AUTH_EXPIRED: '28P01',
  CS_AUTH_AGENT_MISMATCH: '28000',
  CS_AUTH_FORBIDDEN: '28000',
  CS_TLS_REQUIRED: '28000',
  CS_PROFILE_UNKNOWN: '3D000',
  CS_SESSION_REJECTED: '28000',
  CS_SESSION_REVOKED: '57P01',
  CS_SESSION_EXPIRED: '57P01',
  CS_SESSION_LIMIT: '54000',
  CS_STARTUP_PARAMETER_REFUSED: '0A000',
  CS_PROTOCOL_VIOLATION: '08P01',
  CS_FRAME_TOO_LARGE: '54000',
  CS_STATEMENT_UNKNOWN: '26000',
  CS_PORTAL_UNKNOWN: '34000',
  CS_TRANSACTION_FAILED: '25P02',
  CS_REQUEST_TOO_COMPLEX: '54001',
  CS_REVIEW_EXPIRED: '57014',
  CS_REVIEW_WITHDRAWN: '57014',
  CS_HOLD_IN_TRANSACTION: '57014',
  CS_TARGET_UNREACHABLE: '08001',
  CS_TARGET_TLS_UNAVAILABLE: '08001',
  CS_TARGET_FAILED: '08006',
  CS_CREDENTIAL_FAILED: '08004',
  CS_MASKING_UNAVAILABLE: '08004',
  CS_LOG_UNAVAILABLE: '08006',
  CS_POLICY_UNAVAILABLE: '08006',
  CS_APPROVAL_UNAVAILABLE: '08006',
  CS_BROKER_UNAVAILABLE: '08006',
  CS_LEASE_LOST: '57P01',
  CS_SHUTTING_DOWN: '57P03',
  CS_INTERNAL: 'XX000',
}

const INSUFFICIENT_PRIVILEGE = '42501'

/** The SQLSTATE that a PostgreSQL client is told. */
export const sqlStateOf = (code: ErrorCode): string => SQLSTATES[code] ?? INSUFFICIENT_PRIVILEGE

const TITLES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CS_REQUEST_BLOCKED: 'blocked by policy',
  CS_REQUEST_UNKNOWN: 'the statement could not be understood and was not forwarded',
  CS_REQUEST_TOO_COMPLEX: 'the statement is too long or too complex and was not forwarded',
  CS_REVIEW_DENIED: 'a reviewer denied this statement',
  CS_REVIEW_EXPIRED: 'nobody countersigned this statement in time',
  CS_REVIEW_WITHDRAWN: 'canceling statement due to user request',
  CS_REVIEW_SUPERSEDED: 'the policy changed while the statement was held',
  CS_HOLD_IN_TRANSACTION: 'the statement cannot be held inside this transaction',
  CS_GRANT_MISMATCH: 'the grant does not name exactly this statement',
  CS_PRIVILEGE_MISMATCH: 'the target does not confirm the privilege of this session',
  CS_LOG_UNAVAILABLE: 'the log is not available, so nothing was forwarded',
  CS_POLICY_UNAVAILABLE: 'policy did not answer, so nothing was forwarded',
  CS_APPROVAL_UNAVAILABLE: 'approval did not answer, so nothing was forwarded',
  CS_BROKER_UNAVAILABLE: 'the credential broker did not answer, so nothing was forwarded',
  CS_SESSION_REVOKED: 'the credential of this session was revoked',
  CS_SESSION_EXPIRED: 'the token of this session expired',
  CS_LEASE_LOST: 'the proxy lost its lease',
  CS_SHUTTING_DOWN: 'the proxy is shutting down',
}

/** Situations of PostgreSQL itself: drivers know them by its SQLSTATE and words. */
const AS_POSTGRESQL: ReadonlySet<ErrorCode> = new Set([
  'CS_STATEMENT_UNKNOWN',
  'CS_PORTAL_UNKNOWN',
  'CS_TRANSACTION_FAILED',
])

/** The refusal as an ErrorResponse: Message, Detail = why, Hint = what next, with code and request id. */
export function errorOf(refusal: Refusal, severity: 'ERROR' | 'FATAL'): ErrorFields {
  if (AS_POSTGRESQL.has(refusal.code)) {
    const { code, reason, hint, requestId } = refusal
    const detail = `countersign: ${requestId === null ? code : `${code}, request ${requestId}`}`
    return {
      severity,
      code: sqlStateOf(code),
      message: reason,
      detail,
      hint: hint ?? NEXT_STEPS[code],
    }
  }
  const title = TITLES[refusal.code]
  const named =
    refusal.requestId === null ? refusal.code : `${refusal.code}, request ${refusal.requestId}`
  return {
    severity,
    code: sqlStateOf(refusal.code),
    message: `countersign: ${title ?? refusal.reason} (${named})`,
    ...(title === undefined ? {} : { detail: refusal.reason }),
    hint: refusal.hint ?? NEXT_STEPS[refusal.code].replaceAll('`', ''),
  }
}

/** The notice that an agent sees when its request is held. */
export function holdNotice(hold: HoldNotice): ErrorFields {
  const minutes = Math.max(1, Math.round(hold.timeLeftMs / 60_000))
  return {
    severity: 'NOTICE',
    code: '00000',
    message: `countersign: held for review (request ${hold.requestId})`,
    detail: `${hold.summary}. Who may countersign: ${hold.reviewers.join(', ')}. Time left: ${minutes} min.`,
    hint: `countersign approve ${hold.requestId}${hold.consoleUrl === null ? '' : ` – or ${hold.consoleUrl}`}`,
  }
}

export type HoldNotice = {
  readonly requestId: string
  readonly summary: string
  readonly reviewers: readonly string[]
  readonly timeLeftMs: number
  readonly consoleUrl: string | null
}
