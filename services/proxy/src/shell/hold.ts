import type { ApprovalGranted, ReviewRequired } from '@countersign/contracts'
import { afterMs, type Instant, millisBetween, Problem } from '@countersign/kernel'
import { toClient } from '@countersign/postgres-wire'
import {
  firstLimit,
  type HoldLimit,
  ENDS_IDLE,
  targetLimitWords,
  timeoutLimits,
  transactionLimits,
  WORDS,
} from '../core/hold-limit.ts'
import { countersignedNotice, holdNotice } from '../core/refusal.ts'
import { before, OVER } from './before.ts'
import { idleTimeouts, openTransaction } from './open-transaction.ts'
import { actAsItself, hearsOfMemberships, privilegesConfirmed } from './privileges.ts'
import { CANCELLED_BY_AGENT, type RequestRefusal } from './refuse.ts'
import { forgetAnswers, type Pending } from './requests.ts'
import { pathConfirmed } from './search-path.ts'
import { tell } from './seen.ts'
import {
  CANCELLED,
  cancelled,
  during,
  over,
  type Raised,
  type Session,
  SESSION_ENDED,
} from './session-state.ts'

/** The outcome of a hold: a grant for exactly this request, or a refusal. */
export type HoldOutcome =
  | { readonly status: 'granted'; readonly grant: ApprovalGranted; readonly raise: Raised | null }
  | { readonly status: 'refused'; readonly refusal: RequestRefusal }

/** Holds a request until people decided, a limit passed, or the agent gave up. */
export async function hold(
  session: Session,
  pending: Pending,
  review: ReviewRequired,
): Promise<HoldOutcome> {
  const { proxy } = session
  if (needsAnother(session, review)) {
    forgetAnswers(session, pending)
    return withdrawn(session, pending, ANOTHER_PRIVILEGE)
  }
  const limits = await limitsOf(session)
  const passed = limits.find(({ endsAt }) => endsAt <= proxy.clock.now())
  if (passed !== undefined) {
    forgetAnswers(session, pending)
    return withdrawn(session, pending, inTransaction(passed))
  }
  if (!session.client.waits()) {
    forgetAnswers(session, pending)
    return withdrawn(session, pending, TOO_LARGE)
  }
  proxy.metrics.held.add(1)
  try {
    const grant = await granted(session, pending, { review, limits })
    if ('refusal' in grant) return { status: 'refused', refusal: grant.refusal }
    if (review.raise.length === 0) return { status: 'granted', grant, raise: null }
    // A privilege that is raised already lasts until the transaction ends, and has all roles of this grant.
    if (session.raised !== null) return { status: 'granted', grant, raise: session.raised }
    return await raised(session, pending, grant)
  } finally {
    proxy.metrics.held.add(-1)
    forgetAnswers(session, pending)
  }
}

/** True if roles are missing from those that are raised: one transaction is lent one set, and grants do not add up. */
const needsAnother = ({ raised }: Session, { raise }: ReviewRequired): boolean =>
  raised !== null && !raise.every((role) => raised.roles.includes(role))

/** The limits of a hold that begins now. Statements of a pipeline keep their locks until Sync, as in a transaction. */
async function limitsOf(session: Session): Promise<readonly HoldLimit[]> {
  const { proxy, profile } = session
  const isOpen = session.status === 'T' || (session.isPipelineOpen && session.hasRun)
  if (!isOpen) {
    // A backend that waits for more of a pipeline is not idle.
    const timeouts = session.isPipelineOpen ? [] : await idleTimeouts(session)
    return timeoutLimits(timeouts, proxy.clock.now())
  }
  const open = await openTransaction(session)
  return transactionLimits(open, { limits: profile, now: proxy.clock.now() })
}

type Refused = { readonly refusal: RequestRefusal }

async function granted(
  session: Session,
  pending: Pending,
  { review, limits }: { review: ReviewRequired; limits: readonly HoldLimit[] },
): Promise<ApprovalGranted | Refused> {
  const { proxy, mailbox, client } = session
  const cancellation = cancelled(session)
  const limit = firstLimit(limits)
  let answerBy = afterMs(proxy.clock.now(), proxy.config.CS_DECISION_LIMIT_MS)
  using reminder = reminderOf(session, pending, review)
  for (;;) {
    const waitsUntil = limit === null || answerBy < limit.endsAt ? answerBy : limit.endsAt
    const wait = mailbox.next(
      `approval/${pending.requestId}`,
      Math.max(0, millisBetween(proxy.clock.now(), waitsUntil)),
      'CS_APPROVAL_UNAVAILABLE',
    )
    const outcome = await during(
      session,
      before(client.closed, Promise.race([wait, cancellation])),
    ).catch((cause: unknown) => {
      if (cause instanceof Problem && cause.code === 'CS_APPROVAL_UNAVAILABLE') return cause
      if (cause === SESSION_ENDED) note(session, pending, 'SessionEnded')
      throw cause
    })
    if (outcome === CANCELLED) {
      note(session, pending, 'Cancelled')
      return { refusal: CANCELLED_BY_AGENT }
    }
    if (outcome === OVER) return left(session, pending)
    if (outcome instanceof Problem) {
      const isLimit = limit !== null && waitsUntil === limit.endsAt
      // The agent gets the time again that it has between two statements.
      if (isLimit && ENDS_IDLE.has(limit.name)) await idleTimeouts(session)
      const { code, message: reason } = outcome
      return withdrawn(
        session,
        pending,
        isLimit ? inTransaction(limit) : { code, reason, hint: null },
      )
    }
    const event = outcome.message
    const refuse = (code: string, reason: string, hint: string | null): Refused => ({
      refusal: { code, reason, hint, decisionId: outcome.id },
    })
    switch (event.type) {
      case 'ApprovalRequested':
        answerBy = afterMs(event.deadline, DEADLINE_GRACE_MS)
        bounded(session, pending, { limits, deadline: event.deadline })
        reminder.remind(leastOf(session, { limits, deadline: event.deadline }), 'held')
        break
      case 'Countersigned':
        if (event.deadline !== null) answerBy = afterMs(event.deadline, DEADLINE_GRACE_MS)
        tell(
          session,
          toClient.noticeResponse(
            countersignedNotice({
              sessionId: session.id,
              requestId: pending.requestId,
              by: event.by,
              chain: event.chain,
              stage: event.stage,
            }),
          ),
          pending,
        )
        if (event.deadline !== null)
          reminder.until(leastOf(session, { limits, deadline: event.deadline }))
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
          'Send the statement again; it is decided by the new rules.',
        )
      case 'ApprovalGranted': {
        const refused = await refusedUnheard(session, pending, cancellation)
        if (refused !== null) return refused
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

function left(session: Session, pending: Pending): never {
  note(session, pending, 'Disconnected')
  return over(session, {
    reason: 'ClientDisconnected',
    code: null,
    words: 'the agent disconnected while held',
  })
}

/** Refuses a granted request whose agent cancelled, or may be gone behind all that it sent; null where it is there. */
async function refusedUnheard(
  session: Session,
  pending: Pending,
  cancellation: Promise<typeof CANCELLED>,
): Promise<Refused | null> {
  const { client } = session
  const heard = Promise.race([client.heard(), cancellation])
  const outcome = await during(session, before(client.closed, heard))
  if (outcome === OVER) return left(session, pending)
  if (outcome === true) return null
  note(session, pending, 'Cancelled')
  const refusal = outcome === CANCELLED ? CANCELLED_BY_AGENT : { ...TOO_MUCH, decisionId: null }
  return { refusal }
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
    // It may be raised any moment now, and would not be taken back before the next statement: the session ends.
    note(session, pending, 'Cancelled')
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
  const raise: Raised = {
    requestId: pending.requestId,
    raiseId: event.raiseId,
    roles: event.roles,
    earlier: session.raised,
  }
  session.raised = raise
  session.mailbox.expect(`lower/${raise.raiseId}`)
  await actAsItself(session, true)
  await hearsOfMemberships(session)
  const confirmed = await privilegesConfirmed(session, raise.roles)
  // Looked at only behind the wait for the broker: a raise that is not known of is not known to be lowered.
  if (session.isCancelled) {
    note(session, pending, 'Cancelled')
    return { status: 'refused', refusal: CANCELLED_BY_AGENT }
  }
  if (confirmed === 'all') {
    // Its roles may let the session use schemas that were passed over.
    session.isPathInDoubt = true
    if ((await pathConfirmed(session)) === 'same') return { status: 'granted', grant, raise }
    return { status: 'refused', refusal: { ...MOVED, decisionId: answer.id } }
  }
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

/** Tells the agent at once who may countersign and how long that is waited for, and again each CS_HOLD_NOTICE_MS. */
function reminderOf(session: Session, pending: Pending, review: ReviewRequired) {
  const { proxy } = session
  const reviewers = [
    ...new Set(review.chains.flatMap((chain) => chain.stages.flatMap((stage) => stage.groups))),
  ]
  let limit: HoldLimit | null = null
  const say = (status: 'held' | 'still held'): void => {
    if (limit === null) return
    const notice = holdNotice({
      status,
      sessionId: session.id,
      requestId: pending.requestId,
      summary: review.summary,
      reviewers,
      limit,
      now: proxy.clock.now(),
      consoleUrl: proxy.config.CS_CONSOLE_URL ?? null,
    })
    tell(session, toClient.noticeResponse(notice), pending)
  }
  const timer = proxy.net.every('notice of a hold', proxy.config.CS_HOLD_NOTICE_MS, () =>
    say('still held'),
  )
  return {
    remind(next: HoldLimit, status: 'held' | 'still held'): void {
      limit = next
      say(status)
    },
    until(next: HoldLimit): void {
      limit = next
    },
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  }
}

/** The deadline of a stage, and all other limits that end the hold. */
type Ends = { readonly limits: readonly HoldLimit[]; readonly deadline: Instant }

/** The limit that ends the hold first: of a stage of the chain, the transaction, the token, or the session. */
function leastOf({ expiry }: Session, { limits, deadline }: Ends): HoldLimit {
  const chain = { name: 'deadline', endsAt: deadline }
  const name = expiry.ending.code === 'CS_SESSION_EXPIRED' ? 'token' : 'sessionMax'
  return firstLimit([chain, ...limits, { name, endsAt: expiry.at }]) ?? chain
}

/** Records where a hold ends before its stage does, so that whoever shows the request shows its real end. */
function bounded(session: Session, pending: Pending, ends: Ends): void {
  const { name, endsAt } = leastOf(session, ends)
  if (endsAt === ends.deadline) return
  session.journal.note({
    type: 'RequestHeld',
    at: session.proxy.clock.now(),
    requestId: pending.requestId,
    endsAt,
    limit: name,
  })
}

/** The refusal where a limit of the transaction, or of the idle session, ended the hold. */
function inTransaction({ name }: HoldLimit): Why {
  return { code: 'CS_HOLD_IN_TRANSACTION', ...(WORDS[name] ?? targetLimitWords(name)) }
}

type Why = { readonly code: string; readonly reason: string; readonly hint: string | null }

function withdrawn(
  session: Session,
  pending: Pending,
  why: Why,
): HoldOutcome & { status: 'refused' } {
  note(session, pending, 'Cancelled')
  return { status: 'refused', refusal: { ...why, decisionId: null } }
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

const ANOTHER_PRIVILEGE: Why = {
  code: 'CS_PRIVILEGE_MISMATCH',
  reason: 'This transaction was lent other roles for an earlier statement, and is lent no more.',
  hint: 'Commit first, then run this statement.',
}
const TOO_LARGE: Why = {
  code: 'CS_HOLD_TOO_LARGE',
  reason:
    'The requests of this agent, or of all, that wait for people or run now take all the memory that there is for such (CS_MEMORY_BYTES_MAX of the proxy).',
  hint: 'Send it again when some of them are over, or in smaller pieces.',
}
const TOO_MUCH: Why = {
  code: 'CS_HOLD_TOO_LARGE',
  reason:
    'So much was sent behind the request that it is not known whether its agent is still there, and there is no memory to read it (CS_MEMORY_BYTES_MAX of the proxy).',
  hint: 'Send less behind a request that waits for people.',
}
const MOVED: Why = {
  code: 'CS_PRIVILEGE_MISMATCH',
  reason: 'The search_path is another one since the privilege was raised.',
  hint: 'Send the statement again.',
}
const DEADLINE_GRACE_MS = 10_000
