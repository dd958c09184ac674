import { over, type Session } from './session-state.ts'

/** Ends a session that keeps more prepared statements and portals than it may: each is kept here, too, until it is closed. */
export function namesWithinLimits(session: Session): void {
  const { statements, portals } = session.names
  if (statements.size > NAMES_MAX)
    exceeded(session, `more than ${NAMES_MAX} prepared statements are open`)
  if (portals.size > NAMES_MAX) exceeded(session, `more than ${NAMES_MAX} portals are open`)
  let bytes = 0
  for (const { raw } of statements.values()) bytes += raw.length
  for (const { bind } of portals.values()) bytes += bind.raw.length
  if (bytes > NAMES_BYTES_MAX)
    exceeded(
      session,
      `prepared statements and portals of more than ${NAMES_BYTES_MAX} bytes are open`,
    )
}

const exceeded = (session: Session, what: string): never =>
  over(session, {
    reason: 'LimitReached',
    code: 'CS_SESSION_LIMIT',
    words: `${what} in this session; close those that are not needed (DEALLOCATE, or Close)`,
  })

const NAMES_MAX = 5_000
const NAMES_BYTES_MAX = 64 * 1024 * 1024
