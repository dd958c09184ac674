import type { AnyMessage, TargetDescribed } from '@countersign/contracts'
import { oneOf } from '@countersign/contracts'
import { keepNewest, type Sharing, sharing } from '@countersign/kernel'

/** The state that masking keeps of the sessions of one partition. */
export type Sessions = {
  readonly live: Map<string, Session>
  /** Sessions that are over; what another topic still says about them counts for nothing. */
  readonly over: Set<string>
  /** Descriptions by version: sessions are many and descriptions large, but those of one target are the same. */
  readonly targets: Sharing<TargetDescribed>
}

export type Session = {
  /** The environment whose rules count; null until the session is admitted. */
  environment: string | null
  /** The descriptions by version, until the first plan is made; then the last one. */
  readonly described: Map<string, TargetDescribed>
  /** The versions that the plan in force was made from; null until there is one. */
  planned: PlannedFor | null
}

/** The versions that a plan was made from. */
export type PlannedFor = { readonly targetVersion: string; readonly rulesVersion: string }

export const noSessions = (): Sessions => ({
  // bound: one per session that is not over
  live: new Map(),
  // bound: OVER_MAX
  over: new Set(),
  targets: sharing(RELATIONS_MAX),
})

/** Folds one event about a session, its own or another service's. */
export function fold(sessions: Sessions, message: AnyMessage): void {
  if (!isAboutSession(message) || sessions.over.has(message.sessionId)) return
  if (isSessionEnd(message)) return forget(sessions, message.sessionId)
  const session = sessionOf(sessions, message.sessionId)
  switch (message.type) {
    case 'SessionAdmitted':
      session.environment ??= message.profile.environment
      break
    case 'TargetDescribed':
      if (session.planned !== null) session.described.clear()
      session.described.set(message.targetVersion, shared(sessions, message))
      keepNewest(session.described, DESCRIBED_MAX)
      break
    case 'MaskingPlanned': {
      const { targetVersion, rulesVersion } = message
      session.planned = { targetVersion, rulesVersion }
      for (const version of session.described.keys())
        if (version !== targetVersion) session.described.delete(version)
    }
  }
}

/**
 * The target that a session is planned for again when other rules are in force; null where it has no plan yet, or where
 * a newer description asks for one anyway.
 */
export function outdatedBy(session: Session, rulesVersion: string): TargetDescribed | null {
  const { planned, described } = session
  if (planned === null || planned.rulesVersion === rulesVersion) return null
  return described.get(planned.targetVersion) ?? null
}

function sessionOf(sessions: Sessions, id: string): Session {
  const known = sessions.live.get(id)
  if (known !== undefined) return known
  // bound: DESCRIBED_MAX
  const session: Session = { environment: null, described: new Map(), planned: null }
  sessions.live.set(id, session)
  return session
}

const shared = ({ targets }: Sessions, described: TargetDescribed): TargetDescribed =>
  targets.get(described.targetVersion, described.relations.length, () => described)

function forget(sessions: Sessions, id: string): void {
  sessions.live.delete(id)
  sessions.over.add(id)
  keepNewest(sessions.over, OVER_MAX)
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

/** The most relations of descriptions that no session holds. */
const RELATIONS_MAX = 20_000
/** Each description is planned for when it comes, so only the newest ones can still get a plan. */
const DESCRIBED_MAX = 16
const OVER_MAX = 100_000
