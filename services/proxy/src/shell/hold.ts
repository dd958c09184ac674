import type { ApprovalGranted, ReviewRequired } from '@countersign/contracts'
import { millisBetween, Problem } from '@countersign/kernel'
import { toClient } from '@countersign/postgres-wire'
import { holdNotice } from '../core/refusal.ts'
import { privilegesConfirmed } from './privileges.ts'
import { CANCELLED_BY_AGENT, type RequestRefusal } from './refuse.ts'
import { forgetAnswers, type Pending } from './requests.ts'
import {
  CANCELLED,
  cancelled,
  during,
  endSession,
  type Raised,
  type Session,
  SESSION_ENDED,
} from './session-state.ts'

/** How a hold ended: with a grant for exactly this request, or not. */
export type HoldOutcome =
  | { readonly status: 'granted'; readonly grant: ApprovalGranted; readonly raise: Raised | null }
  | { readonly status: 'refused'; readonly refusal: RequestRefusal }

/** Holds a request until people decided, the deadline passed, or the agent gave up. */
export async function hold(
  session: Session,
  pending: Pending,
  review: ReviewRequired,
): Promise<HoldOutcome> {
  const { proxy, profile } = session
  // What ran in a pipeline keeps its locks until Sync, as in a transaction block.
  const inTransaction = session.status === 'T' || (session.isPipelineOpen && session.hasRun)
  if (inTransaction && (session.hasWritten || profile.holdInTransactionMaxMs === 0)) {
    forgetAnswers(session, pending)
    return withdrawn(session, pending, 'CS_HOLD_IN_TRANSACTION', IN_TRANSACTION)
  }
  proxy.metrics.held.add(1)
  try {
    const grant = await granted(
      session,
      pending,
      review,
      inTransaction ? profile.holdInTransactionMaxMs : null,
    )
    if ('refusal' in grant) return { status: 'refused', refusal: grant.refusal }
    if (review.raise.length === 0) return { status: 'granted', grant, raise: null }
    return await raised(session, pending, grant)
  } finally {
    proxy.metrics.held.add(-1)
    forgetAnswers(session, pending)
  }
}

type Refused = { readonly refusal: RequestRefusal }

async function granted(
  session: Session,
  pending: Pending,
  review: ReviewRequired,
  holdMsMax: number | null,
): Promise<ApprovalGranted | Refused> {
  const { proxy, mailbox, client } = session
  const cancellation = cancelled(session)
  const endsAtMs = holdMsMax === null ? Infinity : proxy.clock.monotonicMs() + holdMsMax
  let limitMs = proxy.config.CS_DECISION_LIMIT_MS
  for (;;) {
    const leftMs = Math.min(limitMs, endsAtMs - proxy.clock.monotonicMs())
    const wait = mailbox.next(
      `approval/${pending.requestId}`,
      Math.max(0, leftMs),
      'CS_APPROVAL_UNAVAILABLE',
    )
    const outcome = await during(
      session,
      Promise.race([wait, cancellation, client.closed.then(() => 'gone' as const)]),
    ).catch((cause: unknown) => {
      if (cause instanceof Problem && cause.code === 'CS_APPROVAL_UNAVAILABLE') return cause
      if (cause === SESSION_ENDED) note(session, pending, 'SessionEnded')
      throw cause
    })
    if (outcome === CANCELLED) {
      note(session, pending, 'Cancelled')
      return { refusal: CANCELLED_BY_AGENT }
    }
    if (outcome === 'gone') {
      note(session, pending, 'Disconnected')
      endSession(session, {
        reason: 'ClientDisconnected',
        code: null,
        words: 'the agent disconnected while held',
      })
      throw SESSION_ENDED
    }
    if (outcome instanceof Problem) {
      const timedOut = proxy.clock.monotonicMs() >= endsAtMs
      return {
        refusal: withdrawn(
          session,
          pending,
          timedOut ? 'CS_HOLD_IN_TRANSACTION' : outcome.code,
          timedOut ? IN_TRANSACTION : outcome.message,
        ).refusal,
      }
    }
    const event = outcome.message
    const refuse = (code: string, reason: string, hint: string | null): Refused => ({
      refusal: { code, reason, hint, decisionId: outcome.id },
    })
    switch (event.type) {
      case 'ApprovalRequested':
        limitMs = millisBetween(proxy.clock.now(), event.deadline) + DEADLINE_GRACE_MS
        client.write(
          toClient.noticeResponse(
            holdNotice({
              requestId: pending.requestId,
              summary: review.summary,
              reviewers: [
                ...new Set(
                  review.chains.flatMap((chain) => chain.stages.flatMap((stage) => stage.groups)),
                ),
              ],
              timeLeftMs: millisBetween(proxy.clock.now(), event.deadline),
              consoleUrl: proxy.config.CS_CONSOLE_URL ?? null,
            }),
          ),
        )
        break
      case 'Countersigned':
        if (event.deadline !== null)
          limitMs = millisBetween(proxy.clock.now(), event.deadline) + DEADLINE_GRACE_MS
        client.write(
          toClient.noticeResponse({
            severity: 'NOTICE',
            code: '00000',
            message: `countersign: ${event.by} countersigned (${event.chain}, ${event.stage})`,
          }),
        )
        break
      case 'ApprovalDenied':
        return refuse(
          'CS_REVIEW_DENIED',
          `${event.by} denied it: ${event.words}`,
          'Change the statement as the reviewer says, or ask another way.',
        )
      case 'ApprovalExpired':
        return refuse(
          'CS_REVIEW_EXPIRED',
          `Nobody countersigned in stage ${event.stage} before the deadline.`,
          'Ask a reviewer first, then try again.',
        )
      case 'ApprovalWithdrawn':
        return refuse('CS_REVIEW_WITHDRAWN', `It was withdrawn: ${event.reason}`, null)
      case 'ApprovalSuperseded':
        return refuse(
          'CS_REVIEW_SUPERSEDED',
          event.reason,
          'Send the statement again; it is decided by the new policy.',
        )
      case 'ApprovalGranted': {
        const isExact = event.digest === pending.digest && event.requestId === pending.requestId
        const isInTime = proxy.clock.now() <= event.expiresAt
        const isWithin = event.raise.every((role) => review.raise.includes(role))
        if (isExact && isInTime && isWithin && event.sessionId === session.id) return event
        return refuse(
          'CS_GRANT_MISMATCH',
          'The grant does not name exactly this request.',
          'Send the statement again.',
        )
      }
      default:
        break
    }
  }
}

/** Waits for the broker, and asks the target itself whether the privilege is there. */
async function raised(
  session: Session,
  pending: Pending,
  grant: ApprovalGranted,
): Promise<HoldOutcome> {
  const { config } = session.proxy
  const answer = await during(
    session,
    session.mailbox.next(
      `raise/${pending.requestId}`,
      config.CS_CREDENTIAL_LIMIT_MS,
      'CS_BROKER_UNAVAILABLE',
    ),
  ).catch((cause: unknown) => {
    if (cause instanceof Problem) return cause
    throw cause
  })
  if (answer instanceof Problem) {
    // It may be raised any moment now, and nobody would take it back before the next statement.
    withdrawn(session, pending, answer.code, answer.message)
    throw answer
  }
  const event = answer.message
  if (event.type !== 'PrivilegeRaised') {
    const reason =
      event.type === 'CredentialFailed' ? event.reason : 'the broker gave no answer that is known'
    return {
      status: 'refused',
      refusal: {
        code: 'CS_CREDENTIAL_FAILED',
        reason,
        hint: 'Tell the operators of the target.',
        decisionId: answer.id,
      },
    }
  }
  const raise = { requestId: pending.requestId, raiseId: event.raiseId, roles: event.roles }
  session.raised = raise
  session.mailbox.expect(`lower/${raise.raiseId}`)
  const confirmed = await privilegesConfirmed(session, raise.roles)
  // The broker was waited for nevertheless: what is not known to be raised is not known to be lowered.
  if (session.isCancelled) {
    note(session, pending, 'Cancelled')
    return { status: 'refused', refusal: CANCELLED_BY_AGENT }
  }
  if (confirmed === 'all') return { status: 'granted', grant, raise }
  return {
    status: 'refused',
    refusal: {
      code: 'CS_PRIVILEGE_MISMATCH',
      reason: 'The privilege could not be raised inside this transaction.',
      hint: 'Run the statement first, outside of the transaction.',
      decisionId: answer.id,
    },
  }
}

function withdrawn(
  session: Session,
  pending: Pending,
  code: string,
  reason: string,
): HoldOutcome & { status: 'refused' } {
  note(session, pending, 'Cancelled')
  return {
    status: 'refused',
    refusal: {
      code,
      reason,
      hint: code === 'CS_HOLD_IN_TRANSACTION' ? ASK_AHEAD : null,
      decisionId: null,
    },
  }
}

function note(
  session: Session,
  pending: Pending,
  reason: 'Cancelled' | 'Disconnected' | 'SessionEnded',
): void {
  session.journal.note({
    type: 'RequestWithdrawn',
    at: session.proxy.clock.now(),
    requestId: pending.requestId,
    reason,
  })
}

const DEADLINE_GRACE_MS = 10_000
const IN_TRANSACTION = 'An open transaction would keep its locks while people think.'
const ASK_AHEAD = 'Run the statement outside of a transaction, or as the first one in it.'
