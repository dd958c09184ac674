import type { AnyMessage, TargetDescribed } from '@countersign/contracts'
import { oneOf } from '@countersign/contracts'

/** What masking remembers of the sessions of one partition. */
export type Sessions = {
  readonly live: Map<string, Session>
  /** Sessions that are over; what another topic still says about them counts for nothing. */
  readonly over: Set<string>
}

export type Session = {
  /** The environment whose rules count; null until the session is admitted. */
  environment: string | null
  /** The descriptions by version, kept until the first plan is made: sessions are many and descriptions large. */
  readonly described: Map<string, TargetDescribed>
  /** The description that the plan in force was made from; null until there is one. */
  plannedFor: string | null
}

export const noSessions = (): Sessions => ({ live: new Map(), over: new Set() })

/** Folds one event about a session, its own or another service's. */
export function fold(sessions: Sessions, message: AnyMessage): void {
  if (!isAboutSession(message) || sessions.over.has(message.sessionId)) return
  if (isSessionEnd(message)) return forget(sessions, message.sessionId)
  const session = sessionOf(sessions, message.sessionId)
  switch (message.type) {
    case 'SessionAdmitted':
      session.environment = message.profile.environment
      break
    case 'TargetDescribed':
      if (session.plannedFor === null) session.described.set(message.targetVersion, message)
      break
    case 'MaskingPlanned':
      session.plannedFor = message.targetVersion
      session.described.clear()
  }
}

function sessionOf(sessions: Sessions, id: string): Session {
  const known = sessions.live.get(id)
  if (known !== undefined) return known
  const session: Session = { environment: null, described: new Map(), plannedFor: null }
  sessions.live.set(id, session)
  return session
}

function forget(sessions: Sessions, id: string): void {
  sessions.live.delete(id)
  const [oldest] = sessions.over
  if (sessions.over.size >= OVER_MAX && oldest !== undefined) sessions.over.delete(oldest)
  sessions.over.add(id)
}

const isSessionEnd = oneOf('SessionEnded', 'SessionRefused', 'SessionRejected', 'CredentialRevoked')
const isAboutSession = oneOf(
  'SessionEnded',
  'SessionRefused',
  'SessionRejected',
  'CredentialRevoked',
  'SessionAdmitted',
  'TargetDescribed',
  'MaskingPlanned',
)

const OVER_MAX = 100_000
