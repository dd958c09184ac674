import { isComplete, isCutShort, type Overview } from './overview.ts'

/** What a list of sessions shows of one. */
export function summaryOf(session: Overview) {
  const { sessionId, agent, behalfOf, profile, startedAt, endedAt, endReason, requests } = session
  const environment = session.environment ?? ''
  return {
    sessionId,
    agent,
    behalfOf,
    profile,
    environment,
    startedAt,
    endedAt,
    endReason,
    requests,
  }
}

/** What is said of a session before its timeline. */
export const headOf = (session: Overview, mayHaveRun: readonly string[]) => ({
  ...summaryOf(session),
  complete: isComplete(session),
  /** Its proxy was killed: the last moments of what the agent saw may be missing. */
  cutShort: isCutShort(session),
  /** Released requests of which nobody knows whether they ran. */
  mayHaveRun,
})
