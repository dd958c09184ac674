import { expiryOf, type SessionAdmitted } from '@countersign/contracts'
import { type Instant, isoOf, millisBetween } from '@countersign/kernel'
import { type ErrorFields, toClient } from '@countersign/postgres-wire'
import { machineFields } from '../core/refusal.ts'
import { NOTICES } from '../core/sql-states.ts'
import { tell } from './seen.ts'
import { type Ending, endSession, type Session } from './session-state.ts'

/** The latest end of a session: its time, and the words for the agent and the log. */
export type Expiry = { readonly at: Instant; readonly ending: Ending }

/** A session ends with the token that opened it, or with the limit of its profile. */
export function expiryIn(admitted: SessionAdmitted): Expiry {
  const at = expiryOf(admitted)
  const isToken = !admitted.profile.outlivesToken && at === admitted.identity.expiresAt
  return {
    at,
    ending: isToken
      ? {
          reason: 'LimitReached',
          code: 'CS_SESSION_EXPIRED',
          words: `the token was good until ${isoOf(at)}`,
        }
      : {
          reason: 'LimitReached',
          code: 'CS_SESSION_LIMIT',
          words: `the session lasted as long as sessionMax of the profile "${admitted.profile.name}" allows`,
        },
  }
}

/** Ends the session when its time is up, and tells the agent a minute before. */
export function endInTime(session: Session): Disposable {
  const { proxy, expiry } = session
  const leftMs = millisBetween(proxy.clock.now(), expiry.at)
  const timers = new DisposableStack()
  const end = (): void => endSession(session, expiry.ending)
  const warn = (): void => tell(session, toClient.noticeResponse(warningOf(session)), null)
  timers.use(proxy.net.after('warning of expiry', leftMs - WARNING_MS, warn, end))
  timers.use(proxy.net.after('expiry', leftMs, end))
  return timers
}

const warningOf = ({ id, expiry: { at, ending } }: Session): ErrorFields => ({
  severity: 'WARNING',
  code: NOTICES.sessionEnds,
  message: `countersign: this session ends at ${isoOf(at)} (${ending.code ?? ''})`,
  detail: `Then ${ending.words}.`,
  hint: 'Finish what is open; what runs then is cancelled. Connect again for more.',
  ...machineFields({
    code: 'CS_SESSION_ENDS',
    requestId: null,
    sessionId: id,
    deadline: isoOf(at),
  }),
})

const WARNING_MS = 60_000
