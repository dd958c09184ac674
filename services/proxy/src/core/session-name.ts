import type { SessionId } from '@countersign/kernel'
import { namesASession } from '@countersign/statements'

/** The name of a session at its target. No name that an agent gives itself can hold that of another session. */
export const sessionName = (id: SessionId): string => `countersign/${id}`

/** The `application_name` at the target: the session, then what the agent calls itself. */
export function applicationName(id: SessionId, ofAgent: string): string {
  // 63 bytes are what PostgreSQL keeps; it writes everything but printable ASCII as a question mark.
  const printable = ofAgent.replace(/[^\x20-\x7e]/g, '?')
  const own = namesASession(printable) ? printable.replaceAll('/', '?') : printable
  return `${sessionName(id)} ${own}`.trim().slice(0, 63)
}

/** True if an `application_name` at the target names another session than this one, or hides this one behind another. */
export const namesAnother = (id: SessionId, name: string): boolean =>
  namesASession(name.startsWith(sessionName(id)) ? name.slice(sessionName(id).length) : name)
