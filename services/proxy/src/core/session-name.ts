import type { SessionId } from '@countersign/kernel'
import { namesASession } from '@countersign/statements'

/** How a session is called at its target. Nothing that an agent says can begin with the name of another one. */
export const sessionName = (id: SessionId): string => `countersign/${id}`

/** The `application_name` at the target: the session, then what the agent calls itself. */
export function applicationName(id: SessionId, ofAgent: string): string {
  // 63 bytes are what PostgreSQL keeps; it writes everything but printable ASCII as a question mark.
  const printable = ofAgent.replace(/[^\x20-\x7e]/g, '?')
  const own = namesASession(printable) ? printable.replace('/', '?') : printable
  return `${sessionName(id)} ${own}`.trim().slice(0, 63)
}
