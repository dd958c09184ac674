import { type ErrorCode, type Instant, isoOf, millisBetween, NEXT_STEPS } from '@countersign/kernel'
import type { ErrorFields } from '@countersign/postgres-wire'
import type { HoldLimit } from './hold-limit.ts'
import { NOTICES, sqlStateOf } from './sql-states.ts'

/** The refusal of a request or a session, before it is put into the words of the protocol. */
export type Refusal = {
  readonly code: ErrorCode
  /** The rule, or the words of the reviewer. */
  readonly reason: string
  /** The next step for the agent; null for the usual one of this code (`NEXT_STEPS`). */
  readonly hint: string | null
  readonly requestId: string | null
  /** The session; null before there is one. */
  readonly sessionId: string | null
}

const TITLES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CS_REQUEST_BLOCKED: 'blocked by policy',
  CS_REQUEST_UNKNOWN: 'the statement could not be understood and was not forwarded',
  CS_REQUEST_TOO_COMPLEX: 'the statement is too long or too complex and was not forwarded',
  CS_PATH_MOVED: 'the search_path changed, so the rest of the pipeline was not run',
  CS_COPY_DATA_NEEDED: 'people approve this COPY with its data, which could not be asked for',
  CS_COPY_DATA_TOO_LARGE: 'people approve this COPY with its data, which are too many',
  CS_REVIEW_DENIED: 'a reviewer denied this statement',
  CS_REVIEW_EXPIRED: 'nobody countersigned this statement in time',
  CS_REQUEST_CANCELLED: 'canceling statement due to user request',
  CS_REVIEW_WITHDRAWN: 'the request was withdrawn',
  CS_REVIEW_SUPERSEDED:
    'the policy, its chain, or what it does at the target, changed while the statement was held',
  CS_HOLD_IN_TRANSACTION: 'the statement cannot be held inside this transaction',
  CS_GRANT_MISMATCH: 'the grant does not name exactly this statement',
  CS_PRIVILEGE_MISMATCH: 'the target does not confirm the privilege of this session',
  CS_LOG_UNAVAILABLE: 'the log is not available, so nothing was forwarded',
  CS_POLICY_BUSY: 'policy is busy, so nothing was forwarded',
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

/** The refusal as an ErrorResponse: Message, Detail = why, Hint = what next, and the fields for machines. */
export function errorOf(refusal: Refusal, severity: 'ERROR' | 'FATAL'): ErrorFields {
  const { code, requestId, sessionId } = refusal
  const title = TITLES[code]
  const named = requestId === null ? code : `${code}, request ${requestId}`
  const words = AS_POSTGRESQL.has(code)
    ? { message: refusal.reason, detail: `countersign: ${named}` }
    : {
        message: `countersign: ${title ?? refusal.reason} (${named})`,
        ...(title === undefined ? {} : { detail: refusal.reason }),
      }
  return {
    severity,
    code: sqlStateOf(code),
    ...words,
    hint: refusal.hint ?? NEXT_STEPS[code].replaceAll('`', ''),
    ...machineFields({ code, requestId, sessionId, status: STATUS[code] ?? 'refused' }),
  }
}

/** The status of a refused request in one word, by its code; all others are just `refused`. */
const STATUS: Readonly<Partial<Record<ErrorCode, string>>> = {
  CS_REQUEST_BLOCKED: 'blocked',
  CS_REVIEW_DENIED: 'denied',
  CS_REVIEW_EXPIRED: 'expired',
  CS_REVIEW_WITHDRAWN: 'withdrawn',
  CS_REQUEST_CANCELLED: 'cancelled',
  CS_REVIEW_SUPERSEDED: 'superseded',
}

/** The facts that each notice about a hold tells. */
export type HoldNotice = {
  readonly status: 'held' | 'still held'
  readonly sessionId: string
  readonly requestId: string
  readonly summary: string
  readonly reviewers: readonly string[]
  /** The limit that ends the hold first. */
  readonly limit: HoldLimit
  readonly now: Instant
  readonly consoleUrl: string | null
}

/** The notice that an agent sees when its request is held, and as long as it is. */
export function holdNotice(hold: HoldNotice): ErrorFields {
  const { requestId, sessionId, limit } = hold
  const deadline = isoOf(limit.endsAt)
  const isFirst = hold.status === 'held'
  return {
    severity: 'NOTICE',
    code: isFirst ? NOTICES.held : NOTICES.stillHeld,
    message: `countersign: ${isFirst ? 'held for review' : 'still held'} (request ${requestId})`,
    detail: `${hold.summary}. Who may countersign: ${hold.reviewers.join(', ')}. Time left: ${durationOf(millisBetween(hold.now, limit.endsAt))}, until ${deadline} (${limit.name}).`,
    hint: `countersign approve ${requestId}${hold.consoleUrl === null ? '' : ` – or ${hold.consoleUrl}`}`,
    ...machineFields({ code: 'CS_HELD', requestId, sessionId, status: 'held', deadline }),
  }
}

/** The notice that somebody countersigned, while others are still waited for. */
export function countersignedNotice(vote: {
  readonly sessionId: string
  readonly requestId: string
  readonly by: string
  readonly chain: string
  readonly stage: string
}): ErrorFields {
  const { sessionId, requestId } = vote
  return {
    severity: 'NOTICE',
    code: NOTICES.countersigned,
    message: `countersign: ${vote.by} countersigned (${vote.chain}, ${vote.stage})`,
    ...machineFields({ code: 'CS_COUNTERSIGNED', requestId, sessionId, status: 'held' }),
  }
}

/** From two hours on in hours, from two minutes on in minutes, else in seconds; never more time than there is. */
function durationOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`
}

/**
 * The fields that drivers give to programs. PostgreSQL's own meaning of them is used by no message of ours, so a program
 * that sees the schema `countersign` knows whose message it is: docs/errors.md.
 */
export function machineFields(about: {
  readonly code: string
  readonly requestId: string | null
  readonly sessionId: string | null
  /** Of a request; a notice about something else has none. */
  readonly status?: string
  readonly deadline?: string
}): Partial<ErrorFields> {
  return {
    schema: 'countersign',
    table: about.requestId ?? undefined,
    column: about.status,
    dataType: about.deadline,
    constraint: about.code,
    routine: about.sessionId ?? undefined,
  }
}
