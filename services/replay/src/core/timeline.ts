import type { Decrypt } from './contents.ts'
import type { Entry } from './entry.ts'
import { isComplete, isCutShort, type Overview } from './overview.ts'
import type { SessionRecord } from './session-record.ts'
import { newStory } from './story.ts'

/** A session as the API gives it. */
export type Timeline = ReturnType<typeof summaryOf> & {
  readonly complete: boolean
  /** Its proxy was killed: the last moments of what the agent saw may be missing. */
  readonly cutShort: boolean
  /** Released requests of which nobody knows whether they ran. */
  readonly mayHaveRun: readonly string[]
  readonly timeline: readonly Entry[]
}

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

/** Tells what happened in a session; without its key (erased) only renderings are left. */
export function timelineOf(
  session: Overview,
  records: readonly SessionRecord[],
  decrypt: Decrypt | null,
): Timeline {
  const story = newStory()
  const timeline = story.told(session, records, decrypt)
  const mayHaveRun = story.mayHaveRun(session)
  return {
    ...summaryOf(session),
    complete: isComplete(session),
    cutShort: isCutShort(session),
    mayHaveRun,
    timeline,
  }
}
