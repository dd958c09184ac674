import { ERROR_CODES, type ErrorCode, messageOf, Problem } from '@countersign/kernel'

/** The answer to an HTTP call; `type` is the content type of its body. */
export type Answer = { readonly status: number; readonly body: object; readonly type?: string }

/** An error as RFC 9457 problem details, with the public code that every protocol of Countersign uses. */
export function problemDetails(code: ErrorCode, detail: string, more: ProblemMembers = {}): Answer {
  const { status = STATUS[code] ?? 500, ...members } = more
  return {
    status,
    type: 'application/problem+json',
    body: {
      type: `urn:countersign:error:${code}`,
      title: ERROR_CODES[code],
      status,
      detail,
      code,
      ...members,
    },
  }
}

export type ProblemMembers = { status?: number; hint?: string | null; [member: string]: unknown }

/** The answer for a thrown value: only a `Problem` or an error of the body parser tells the caller its message. */
export function problemOf(thrown: unknown): Answer {
  if (thrown instanceof Problem) {
    const status = thrown.retriable ? { status: 503 } : {}
    return problemDetails(thrown.code, sentence(thrown.message), { hint: thrown.hint, ...status })
  }
  if (isHttpError(thrown)) {
    return problemDetails('CS_BAD_REQUEST', sentence(messageOf(thrown)), { status: thrown.status })
  }
  return problemDetails('CS_INTERNAL', 'The service made a mistake; its log says more.')
}

/** True if the body parser threw it: the body is too large, not JSON, or cut off. */
const isHttpError = (thrown: unknown): thrown is Error & { status: number } =>
  thrown instanceof Error &&
  'status' in thrown &&
  typeof thrown.status === 'number' &&
  thrown.status >= 400 &&
  thrown.status < 500

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  CS_AUTH_REQUIRED: 401,
  CS_AUTH_INVALID: 401,
  CS_AUTH_EXPIRED: 401,
  CS_AUTH_FORBIDDEN: 403,
  CS_REVIEW_REFUSED: 403,
  CS_NOT_FOUND: 404,
  CS_REVIEW_NOT_PENDING: 409,
  CS_CATALOG_INVALID: 422,
  CS_BAD_REQUEST: 400,
  CS_SESSION_LIMIT: 422,
  CS_LOG_UNAVAILABLE: 503,
  CS_REPLAY_BUSY: 503,
}
