import type { RequestReleased } from '@countersign/contracts'
import { toServer } from '@countersign/postgres-wire'
import { answers } from './answers.ts'
import { forwardReleased } from './forward.ts'
import { ownRequest } from './own-request.ts'
import { type Session, underWay } from './session-state.ts'

/**
 * Asks the backend of the session itself which of these roles it may use: a catalog says what should be, a backend with
 * warm caches may still think otherwise. `changed`: the session does not act as its own role any more.
 */
export async function privilegesConfirmed(
  session: Session,
  roles: readonly string[],
): Promise<'all' | 'some' | 'none' | 'changed'> {
  const sql =
    'select current_user = session_user, bool_and(pg_has_role(session_user, r, $$usage$$)), ' +
    `bool_or(pg_has_role(session_user, r, $$usage$$)) from unnest(array[${roles.map(literal).join(', ')}]::text[]) r`
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
      request: underWay(session, { requestId: request.requestId, isTainted: false }),
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
  const [isSelf, all, any] = (session.ownRows[0] ?? []).map((cell) => cell?.toString() === 't')
  if (isSelf !== true) return 'changed'
  return all === true ? 'all' : any === true ? 'some' : 'none'
}

/** A string literal that no setting of the session can change the meaning of. */
const literal = (text: string): string =>
  `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const NAME = '_countersign'
