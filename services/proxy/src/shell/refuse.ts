import type { RequestReleased } from '@countersign/contracts'
import type { ErrorCode, EventId } from '@countersign/kernel'
import { isErrorCode } from '@countersign/kernel'
import { type Request, toClient, toServer } from '@countersign/postgres-wire'
import { errorOf, sqlStateOf } from '../core/refusal.ts'
import { answers } from './answers.ts'
import { forwardReleased } from './forward.ts'
import { ownRequest } from './own-request.ts'
import { type Pending, withdraw } from './requests.ts'
import { type Session, underWay } from './session-state.ts'

/** Why a request is refused: the code as the deciding service wrote it, and what the agent is told. */
export type RequestRefusal = {
  readonly code: string
  readonly reason: string
  readonly hint: string | null
  readonly decisionId: EventId | null
}

/** The agent cancelled the request before it ran. */
export const CANCELLED_BY_AGENT: RequestRefusal = {
  code: 'CS_REVIEW_WITHDRAWN',
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
  const { client, journal, proxy } = session
  const code: ErrorCode = isErrorCode(refusal.code) ? refusal.code : 'CS_REQUEST_BLOCKED'
  const at = proxy.clock.now()
  const { pending } = scope
  if (pending !== null) {
    journal.note({
      type: 'RequestRefused',
      at,
      requestId: pending.requestId,
      code,
      sqlState: sqlStateOf(code),
      reason: refusal.reason,
      decisionId: refusal.decisionId,
    })
  }
  withdraw(session, scope.others)
  proxy.metrics.refused.add(1, { code })
  const isSimple = scope.message?.tag === 'Query' || scope.message?.tag === 'FunctionCall'
  const mustFail = session.status === 'T' || session.isPipelineOpen
  client.write(
    toClient.errorResponse(
      errorOf(
        { code, reason: refusal.reason, hint: refusal.hint, requestId: pending?.requestId ?? null },
        'ERROR',
      ),
    ),
  )
  if (!isSimple) session.isSkipping = true
  if (mustFail) return failAtTarget(session, isSimple, refusal.decisionId)
  if (isSimple) client.write(toClient.readyForQuery(session.status))
}

/** Sends what the target cannot parse, so that its transaction fails. Recorded, as everything that is sent. */
async function failAtTarget(
  session: Session,
  isSimple: boolean,
  decisionId: EventId | null,
): Promise<void> {
  const text = 'countersign refused the request'
  const request = ownRequest(session, text, decisionId)
  const released = await session.journal.record<RequestReleased>([request])
  session.exchange.steps.push({
    tag: isSimple ? 'Query' : 'Parse',
    request: underWay(session, { requestId: request.requestId, isTainted: false }),
    portal: null,
    isOurs: true,
  })
  session.isPipelineOpen = true
  forwardReleased(
    session,
    released,
    isSimple ? [toServer.query(text)] : [toServer.parse('', text), toServer.flush()],
  )
  await answers(session)
}
