import type { RequestReleased } from '@countersign/contracts'
import { toServer } from '@countersign/postgres-wire'
import { answers } from './answers.ts'
import { forwardRecorded } from './forward.ts'
import { OWN_NAME } from './own-name.ts'
import { ownRequest } from './own-request.ts'
import { ownUnderWay, type Session } from './session-state.ts'

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
  const step = {
    ...{ request: null, portal: OWN_NAME, isOurs: true },
    ...(isForAgent ? { isForAgent } : {}),
  }
  let hasSucceeded = false
  session.exchange.steps.push(
    { ...step, tag: 'Parse' },
    { ...step, tag: 'Bind' },
    {
      ...step,
      tag: 'Execute',
      request: ownUnderWay(session, request.requestId),
      confirmed: () => (hasSucceeded = true),
    },
    { ...step, tag: 'Close' },
    { ...step, tag: 'Close' },
  )
  // Names of our own leave the agent's unnamed statement and portal as they are. A Sync would end its pipeline.
  if (!isOpen) session.exchange.steps.push({ ...step, tag: 'Sync' })
  session.ownRows.length = 0
  const end = isOpen ? toServer.flush() : toServer.sync()
  forwardRecorded(session, [
    { runs: released, bytes: toServer.parse(OWN_NAME, sql) },
    {
      runs: released,
      bytes: toServer.bind({ portal: OWN_NAME, statement: OWN_NAME, resultFormats }),
    },
    { runs: released, bytes: toServer.execute(OWN_NAME) },
    { runs: null, bytes: toServer.close('portal', OWN_NAME) },
    { runs: null, bytes: toServer.close('statement', OWN_NAME) },
    { runs: null, bytes: end },
  ])
  await answers(session)
  return hasSucceeded ? session.ownRows.slice() : null
}
