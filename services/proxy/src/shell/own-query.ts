import type { RequestReleased } from '@countersign/contracts'
import { toServer } from '@countersign/postgres-wire'
import { OURS, ownPassage } from '../core/own-passage.ts'
import { answers } from './answers.ts'
import { forwardRecorded, withReleases } from './forward.ts'
import { ownRequest } from './own-request.ts'
import { cancelAtTarget, ownUnderWay, type Session } from './session-state.ts'

export type OwnRows = readonly (readonly (Buffer | null)[])[]

/**
 * Asks the backend of the session something for Countersign itself; recorded, and the agent sees none of it. Null when the
 * target failed: that fails the transaction, or the pipeline, of the agent too.
 */
export const ownQuery = (session: Session, sql: string): Promise<OwnRows | null> =>
  asked(session, { sql, resultFormats: [], isForAgent: false })

/** The same, where the agent goes on with what it sent: it is told of a failure, which is now its own. */
export const ownQueryAmidst = (
  session: Session,
  sql: string,
  resultFormats: readonly number[] = [],
): Promise<OwnRows | null> => asked(session, { sql, resultFormats, isForAgent: true })

type Question = {
  readonly sql: string
  readonly resultFormats: readonly number[]
  readonly isForAgent: boolean
}

async function asked(
  session: Session,
  { sql, resultFormats, isForAgent }: Question,
): Promise<OwnRows | null> {
  const request = ownRequest(session, sql, { decisionId: null, resultFormats })
  const [released] = await session.journal.record<RequestReleased>([request])
  if (released === undefined) return null
  const isOpen = session.isPipelineOpen
  const step = isForAgent ? { isForAgent } : {}
  let hasSucceeded = false
  const { outbound, steps } = ownPassage({
    ...{ name: session.ownName, sql, resultFormats, step },
    request: ownUnderWay(session, request.requestId),
    confirmed: () => (hasSucceeded = true),
  })
  session.exchange.steps.push(...steps)
  // A Sync would end the pipeline of the agent.
  if (!isOpen)
    session.exchange.steps.push({ ...OURS, ...step, tag: 'Sync', portal: session.ownName })
  session.ownRows.length = 0
  forwardRecorded(session, [
    ...withReleases(outbound, () => released),
    { runs: null, bytes: isOpen ? toServer.flush() : toServer.sync() },
  ])
  if (isForAgent) await answersOrCancel(session)
  else await answers(session)
  return hasSucceeded ? session.ownRows.splice(0) : null
}

/** Waits for the answer to a question that a lock can let wait for long, so the agent may cancel it. */
export async function answersOrCancel(session: Session): Promise<void> {
  session.onCancel = () => cancelAtTarget(session)
  // It may have come while the question was recorded.
  if (session.isCancelled) cancelAtTarget(session)
  try {
    await answers(session)
  } finally {
    session.onCancel = () => undefined
  }
}
