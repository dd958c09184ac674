import { isComplete, isCutShort, type Overview } from './overview.ts'

/** The summary of a session, as a list of sessions shows it. */
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

/** The head of a session, which comes before its timeline. */
export const headOf = (session: Overview, mayHaveRun: readonly string[]) => ({
  ...summaryOf(session),
  complete: isComplete(session),
  /** Its proxy was killed: the last moments of what the agent saw may be missing. */
  cutShort: isCutShort(session),
  /** The released requests of which it is not known whether they ran. */
  mayHaveRun,
})
