import type { ErrorCode, SessionId } from '@countersign/kernel'
import { toClient } from '@countersign/postgres-wire'
import { errorOf } from '../core/refusal.ts'
import { releaseLarge } from './large-rows.ts'
import { tellWithheld, transcribe } from './seen.ts'
import { type Ending, endSession, type Session } from './session-state.ts'

/** Says goodbye to both sides and writes the end; what was released and not completed is in doubt. */
export async function finish(session: Session, ending: Ending): Promise<void> {
  const { client, target, journal, proxy } = session
  endSession(session, ending)
  const inDoubt = [...session.underWay.values()].map(({ requestId }) => requestId)
  // On a connection of its own, which may be slow to open: the agent is told goodbye without waiting for it.
  const cancelling = inDoubt.length > 0 ? target.cancel().catch(() => undefined) : null
  target.close()
  // The agent gets the ends that were kept back: its statements ran, whatever becomes of the session.
  tellWithheld(session)
  const isTold = ending.code !== null && session.behindRow === null
  const goodbye = isTold ? fatal(session.id, ending.code, ending.words) : null
  if (goodbye !== null) transcribe(session, goodbye, null)
  client.end(goodbye ?? undefined)
  client.drop()
  releaseLarge(session)
  proxy.logger.info(
    { sessionId: session.id, reason: ending.reason, requests: session.requestCount },
    'session ended',
  )
  const written = journal.finish(() => ({
    type: 'SessionEnded',
    at: proxy.clock.now(),
    reason: ending.reason,
    code: ending.code,
    requestCount: session.requestCount,
    transcriptHead: journal.transcript.head,
    transcriptCount: journal.transcript.count,
    inDoubt,
  }))
  proxy.net.detached('end of a session', written)
  await cancelling
  if (!journalIsAway(ending)) await journal.settled()
}

const journalIsAway = (ending: Ending): boolean => ending.reason === 'LogUnavailable'

/** The last message to an agent. */
export const fatal = (
  sessionId: SessionId,
  code: ErrorCode,
  reason: string,
  hint: string | null = null,
): Buffer =>
  toClient.errorResponse(errorOf({ code, reason, hint, requestId: null, sessionId }, 'FATAL'))
