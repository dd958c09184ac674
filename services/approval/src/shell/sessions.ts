import type { AnyMessage, ApprovalsMessage } from '@countersign/contracts'
import { keepNewest, type RequestId, type SessionId } from '@countersign/kernel'
import { approval } from '../core/approval.ts'
import { oneOf } from '@countersign/contracts'
import type { Approval } from '../core/state.ts'

/** The state that approval keeps of the sessions of one partition. */
export type Sessions = {
  /** The approvals of live sessions. */
  readonly approvals: Map<string, Map<RequestId, Approval>>
  /** Requests that were refused or withdrawn; reviewers are not asked about them any more. */
  readonly goneRequests: Map<string, Set<RequestId>>
  /** Sessions that are over; what comes later about them counts for nothing. */
  readonly over: Set<string>
}

export const noSessions = (): Sessions => ({
  // bound: one per live session, each with APPROVALS_MAX
  approvals: new Map(),
  // bound: one per live session, each with GONE_MAX
  goneRequests: new Map(),
  // bound: OVER_MAX
  over: new Set(),
})

/** Folds one event of a session, its own or another service's. */
export function fold(sessions: Sessions, message: AnyMessage): void {
  if (isOwn(message)) evolve(sessions, message)
  // All requests of a session that is over are gone, so none of them is noted.
  if (isRequestEnd(message) && !sessions.over.has(message.sessionId)) {
    const { sessionId, requestId } = message
    const gone = entry(sessions.goneRequests, sessionId, () => new Set<RequestId>())
    gone.add(requestId)
    keepNewest(gone, GONE_MAX)
  }
  if (isSessionEnd(message)) {
    sessions.over.add(message.sessionId)
    // No record about an older one is still expected.
    keepNewest(sessions.over, OVER_MAX)
    sessions.goneRequests.delete(message.sessionId)
    forgetWhenDone(sessions, message.sessionId)
  }
}

/** The approval of a request as it stands. */
export const approvalOf = (sessions: Sessions, session: string, request: RequestId): Approval =>
  sessions.approvals.get(session)?.get(request) ??
  (sessions.over.has(session) ? { status: 'over' } : approval.initialState)

/** The requests of a session that wait for people. */
export const pendingOf = (sessions: Sessions, session: string): readonly RequestId[] =>
  [...(sessions.approvals.get(session) ?? [])]
    .filter(([, { status }]) => status === 'pending')
    .map(([request]) => request)

/** True if nobody waits for the answer any more. */
export const isGone = (sessions: Sessions, session: string, request: RequestId): boolean =>
  sessions.over.has(session) || sessions.goneRequests.get(session)?.has(request) === true

function evolve(sessions: Sessions, event: ApprovalsMessage): void {
  const requests = entry(sessions.approvals, event.sessionId, () => new Map<RequestId, Approval>())
  requests.set(
    event.requestId,
    approval.evolve(approvalOf(sessions, event.sessionId, event.requestId), event),
  )
  forgetDecided(requests)
  forgetWhenDone(sessions, event.sessionId)
}

/** Above the bound the oldest approval that is not pending is dropped; policy asks about each request only once. */
function forgetDecided(requests: Map<RequestId, Approval>): void {
  if (requests.size <= APPROVALS_MAX) return
  for (const [request, { status }] of requests) {
    if (status === 'pending') continue
    requests.delete(request)
    return
  }
}

/** An ended session keeps its approvals only while one of them waits to be withdrawn. */
function forgetWhenDone(sessions: Sessions, session: SessionId): void {
  if (sessions.over.has(session) && pendingOf(sessions, session).length === 0) {
    sessions.approvals.delete(session)
  }
}

function entry<K, V>(map: Map<K, V>, key: K, fresh: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = fresh()
  map.set(key, made)
  return made
}

const isOwn = oneOf(
  'ApprovalRequested',
  'Countersigned',
  'CountersignatureRefused',
  'ApprovalGranted',
  'ApprovalDenied',
  'ApprovalExpired',
  'ApprovalWithdrawn',
  'ApprovalSuperseded',
  'ApprovalLimited',
)
const OVER_MAX = 100_000
/** The requests of one session that people were asked about. */
const APPROVALS_MAX = 10_000
/** The requests of one session that were refused or withdrawn. */
const GONE_MAX = 10_000
const isRequestEnd = oneOf('RequestWithdrawn', 'RequestRefused')
const isSessionEnd = oneOf('SessionEnded', 'SessionRefused', 'CredentialRevoked')
