import type { ErrorCode } from '@countersign/kernel'

/**
 * The SQLSTATE of each public error code. Each has one of its own: its class (the first two characters) is that of
 * PostgreSQL's errors of the same kind, which is what drivers and pools look at, and behind it stands a C, which no
 * error of PostgreSQL has. The situations of PostgreSQL itself have PostgreSQL's own.
 */
const SQLSTATES: Readonly<Record<ErrorCode, string>> = {
  CS_AUTH_REQUIRED: '28C01',
  CS_AUTH_INVALID: '28C02',
  CS_AUTH_EXPIRED: '28C03',
  CS_AUTH_AGENT_MISMATCH: '28C04',
  CS_AUTH_FORBIDDEN: '28C05',
  CS_TLS_REQUIRED: '28C06',
  CS_PROFILE_UNKNOWN: '3DC01',
  CS_SESSION_REJECTED: '28C07',
  CS_SESSION_REVOKED: '57C01',
  CS_SESSION_EXPIRED: '57C02',
  CS_SESSION_LIMIT: '54C01',
  CS_STARTUP_PARAMETER_REFUSED: '0AC01',
  CS_PROTOCOL_VIOLATION: '08C01',
  CS_FRAME_TOO_LARGE: '54C02',
  CS_REQUEST_BLOCKED: '42C01',
  CS_REQUEST_UNKNOWN: '42C02',
  CS_REQUEST_TOO_COMPLEX: '54C03',
  CS_STATEMENT_UNKNOWN: '26000',
  CS_PORTAL_UNKNOWN: '34000',
  CS_TRANSACTION_FAILED: '25P02',
  CS_PATH_MOVED: '40C01',
  // Only in events: the agent gets the SQLSTATE with which the target refused it.
  CS_REQUEST_IMPOSSIBLE: '42C20',
  CS_COPY_DATA_NEEDED: '42C21',
  CS_COPY_DATA_TOO_LARGE: '54C04',
  CS_HOLD_TOO_LARGE: '54C05',
  CS_REQUEST_CANCELLED: '57014',
  CS_REVIEW_DENIED: '42C03',
  CS_REVIEW_EXPIRED: '57C03',
  CS_REVIEW_WITHDRAWN: '57C04',
  CS_REVIEW_SUPERSEDED: '42C04',
  CS_REVIEW_NOT_PENDING: '42C05',
  CS_REVIEW_REFUSED: '42C06',
  CS_HOLD_IN_TRANSACTION: '57C05',
  CS_GRANT_MISMATCH: '42C07',
  CS_PRIVILEGE_MISMATCH: '42C08',
  CS_CREDENTIAL_FAILED: '08C02',
  CS_MASKING_UNAVAILABLE: '08C03',
  CS_TARGET_UNREACHABLE: '08C04',
  CS_TARGET_TLS_UNAVAILABLE: '08C05',
  CS_TARGET_FAILED: '08C06',
  CS_LOG_UNAVAILABLE: '08C07',
  CS_POLICY_UNAVAILABLE: '08C08',
  CS_POLICY_BUSY: '53C01',
  // Only over HTTP.
  CS_REPLAY_BUSY: '53C02',
  CS_APPROVAL_UNAVAILABLE: '08C09',
  CS_BROKER_UNAVAILABLE: '08C10',
  CS_LEASE_LOST: '57C06',
  CS_SHUTTING_DOWN: '57C07',
  CS_CATALOG_INVALID: '58C01',
  CS_CONFIG_INVALID: '58C02',
  CS_MESSAGE_UNREADABLE: '58C03',
  CS_CHAIN_BROKEN: '58C04',
  CS_NOT_FOUND: '58C05',
  // Only at the command line.
  CS_SERVICE_UNAVAILABLE: '08C11',
  CS_BAD_REQUEST: '58C06',
  CS_INTERNAL: 'XXC01',
}

/** The SQLSTATEs of the notices: PostgreSQL has a single one for those that mean no harm. */
export const NOTICES = {
  held: '00C01',
  stillHeld: '00C02',
  countersigned: '00C03',
  masked: '00C04',
  rowTooLong: '00C05',
  tableNotPlanned: '00C06',
  sessionEnds: '01C01',
  otherEncoding: '01C02',
} as const

/** The SQLSTATE that a PostgreSQL client is told. */
export const sqlStateOf = (code: ErrorCode): string => SQLSTATES[code]
