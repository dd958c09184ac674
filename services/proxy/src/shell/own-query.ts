import type { RequestReleased } from '@countersign/contracts'
import { toServer } from '@countersign/postgres-wire'
import { answers } from './answers.ts'
import { forwardReleased } from './forward.ts'
import { ownRequest } from './own-request.ts'
import { ownUnderWay, type Session } from './session-state.ts'

/** Asks the backend of the session something for Countersign itself; recorded, and the agent sees none of it. */
export async function ownQuery(
  session: Session,
  sql: string,
): Promise<readonly (readonly (Buffer | null)[])[]> {
  const request = ownRequest(session, sql, null)
  const released = await session.journal.record<RequestReleased>([request])
  const isOpen = session.isPipelineOpen
  const step = { request: null, portal: NAME, isOurs: true }
  session.exchange.steps.push(
    { ...step, tag: 'Parse' },
    { ...step, tag: 'Bind' },
    {
      ...step,
      tag: 'Execute',
      request: ownUnderWay(session, request.requestId),
    },
    { ...step, tag: 'Close' },
    { ...step, tag: 'Close' },
  )
  // Names of our own leave the agent's unnamed statement and portal as they are. A Sync would end its pipeline.
  if (!isOpen) session.exchange.steps.push({ ...step, tag: 'Sync' })
  session.ownRows.length = 0
  forwardReleased(session, released, [
    toServer.parse(NAME, sql),
    toServer.bind({ portal: NAME, statement: NAME }),
    toServer.execute(NAME),
    toServer.close('portal', NAME),
    toServer.close('statement', NAME),
    isOpen ? toServer.flush() : toServer.sync(),
  ])
  await answers(session)
  return session.ownRows
}

const NAME = '_countersign'
