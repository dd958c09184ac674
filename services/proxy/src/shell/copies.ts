import { before, OVER } from './before.ts'
import { gone } from './inbox.ts'
import { CANCELLED, cancelled, during, type Session } from './session-state.ts'

/** Waits until there is memory for the copies of what was taken. Says `CANCELLED` where the agent cancelled it meanwhile. */
export async function memoryForCopies(session: Session): Promise<typeof CANCELLED | 'given'> {
  const { client } = session
  using copies = client.copied()
  if (copies === null) return 'given'
  const given = Promise.race([copies.given, cancelled(session)])
  const first = await during(session, before(client.closed, given))
  if (first === OVER) return gone(session)
  return first === CANCELLED ? CANCELLED : 'given'
}
