import type { RequestReleased } from '@countersign/contracts'
import { type ErrorCode, type EventId, isErrorCode, RequestId, uuidv7 } from '@countersign/kernel'
import { type Request, toClient, toServer } from '@countersign/postgres-wire'
import { OURS, ownParse } from '../core/own-passage.ts'
import type { Passage } from '../core/passage.ts'
import { errorOf } from '../core/refusal.ts'
import { sqlStateOf } from '../core/sql-states.ts'
import { simpleQueried } from '../core/statement-names.ts'
import { answers } from './answers.ts'
import { forwardRecorded, withReleases } from './forward.ts'
import { ownRequest } from './own-request.ts'
import { type Pending, withdraw } from './requests.ts'
import { tell } from './seen.ts'
import { ownUnderWay, type Session } from './session-state.ts'

/** The refusal of a request: the code as the deciding service wrote it, and the words for the agent. */
export type RequestRefusal = {
  readonly code: string
  readonly reason: string
  readonly hint: string | null
  readonly decisionId: EventId | null
  /** PostgreSQL's own answer to the statement, where it is known; the agent is told this instead. */
  readonly byTarget?: ReadonlyMap<string, string>
}

/** The agent cancelled the request before it ran. */
export const CANCELLED_BY_AGENT: RequestRefusal = {
  code: 'CS_REQUEST_CANCELLED',
  reason: 'The agent cancelled it before it ran.',
  hint: null,
  decisionId: null,
}

export type RefusalScope = {
  /** The refused request; null where none could be made of the message. */
  readonly pending: Pending | null
  /** Requests behind it in the same pipeline; they are skipped, as the target would. */
  readonly others: readonly Pending[]
  readonly message: Request | undefined
}

/**
 * Refuses a request in the client's own protocol. What the target has of this transaction must not survive it, so the
 * target is made to fail too: inside a transaction block the client sees a failed transaction, and COMMIT rolls back.
 */
export async function refuse(
  session: Session,
  refusal: RequestRefusal,
  scope: RefusalScope,
): Promise<void> {
  const { journal, proxy } = session
  const code: ErrorCode = isErrorCode(refusal.code) ? refusal.code : 'CS_REQUEST_BLOCKED'
  const at = proxy.clock.now()
  // A message that no request could be made of is refused under an id of its own: probing leaves a trace.
  const requestId = scope.pending?.requestId ?? RequestId(uuidv7(Date.now()))
  journal.note({
    type: 'RequestRefused',
    at,
    requestId,
    code,
    sqlState: refusal.byTarget?.get('C') ?? sqlStateOf(code),
    reason: refusal.reason,
    decisionId: refusal.decisionId,
  })
  withdraw(session, scope.others)
  proxy.metrics.refused.add(1, { code })
  const isSimple = scope.message !== undefined && isOfSimple(scope.message)
  const mustFail = session.status === 'T' || session.isPipelineOpen
  // The target is made to fail by a simple query too. PostgreSQL itself reads a malformed one no further.
  if (scope.message?.tag === 'Query' || (isSimple && mustFail)) simpleQueried(session.names)
  const { reason, hint } = refusal
  const told = { code, reason, hint, requestId, sessionId: session.id }
  const error =
    refusal.byTarget === undefined
      ? toClient.errorResponse(errorOf(told, 'ERROR'))
      : toClient.errorFrame('E', refusal.byTarget)
  const answered = { requestId, recording: scope.pending?.recording ?? session.profile.recording }
  tell(session, error, answered)
  if (!isSimple) session.isSkipping = true
  if (mustFail) return failAtTarget(session, isSimple, refusal.decisionId)
  if (isSimple) tell(session, toClient.readyForQuery(session.status), answered)
}

/** True if a message is answered with ReadyForQuery, whatever becomes of it, rather than at the next Sync. */
const isOfSimple = (message: Request): boolean =>
  SIMPLE.has(message.tag === 'Malformed' ? message.of : message.tag)

const SIMPLE: ReadonlySet<Request['tag']> = new Set(['Query', 'FunctionCall'])

/** An error in the words of PostgreSQL. */
export const postgresError = (code: string, message: string): ReadonlyMap<string, string> =>
  new Map([
    ['S', 'ERROR'],
    ['V', 'ERROR'],
    ['C', code],
    ['M', message],
  ])

/** Sends a text that the target cannot parse, so that its transaction fails. Recorded, as everything that is sent. */
async function failAtTarget(
  session: Session,
  isSimple: boolean,
  decisionId: EventId | null,
): Promise<void> {
  const text = 'countersign refused the request'
  const request = ownRequest(session, text, { decisionId })
  const [released] = await session.journal.record<RequestReleased>([request])
  const number = ownUnderWay(session, request.requestId)
  const { outbound, steps } = isSimple
    ? queried(text, number)
    : // Under a name: a Parse without one takes the agent's unnamed statement away, also when it fails.
      ownParse({ name: session.ownName, sql: text, request: number, step: { request: number } })
  session.exchange.steps.push(...steps)
  session.isPipelineOpen = true
  if (released === undefined) return
  const flush = isSimple ? [] : [{ runs: null, bytes: toServer.flush() }]
  forwardRecorded(session, [...withReleases(outbound, () => released), ...flush])
  await answers(session)
}

const queried = (text: string, request: number): Passage => ({
  outbound: [{ request, bytes: toServer.query(text) }],
  steps: [{ ...OURS, tag: 'Query', request }],
})
