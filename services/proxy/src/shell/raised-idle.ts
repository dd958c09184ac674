import { endSession, type Session } from './session-state.ts'
import { whenSilent } from './silence.ts'

/**
 * Waits for the agent. A session in which a privilege is raised ends when its agent leaves it idle: the transaction that
 * keeps the privilege is rolled back with it, so a privilege that people granted for one statement does not stay.
 */
export async function agentInTime<T>(session: Session, wait: Promise<T>): Promise<T> {
  const { raised, profile, proxy } = session
  if (raised === null) return wait
  const { raisedIdleMaxMs } = profile
  const end = (): void =>
    endSession(session, {
      reason: 'LimitReached',
      code: 'CS_SESSION_LIMIT',
      words: `the agent left a raised privilege (${raised.roles.join(', ')}) idle for ${raisedIdleMaxMs} ms, which is raisedIdleMax of the profile; its transaction is rolled back`,
    })
  const sinceMs = proxy.clock.monotonicMs()
  const limit = { limitMs: raisedIdleMaxMs, sinceMs, where: 'idle with a raised privilege' }
  using _limit = whenSilent(session, limit, end)
  return await wait
}
