import type {
  AnyMessage,
  CredentialIssued,
  Effect,
  RequestPart,
  SessionAdmitted,
  SessionRejected,
  TargetDescribed,
} from '@countersign/contracts'
import { oneOf } from '@countersign/contracts'
import { keepNewest, type Sharing, sharing } from '@countersign/kernel'

/** The state that policy keeps of the sessions of one partition. */
export type Sessions = {
  readonly live: Map<string, Session>
  /** Sessions that are over; what another topic still says about them counts for nothing. */
  readonly over: Set<string>
  /** Descriptions by version, so that those of one target share one. */
  readonly targets: Sharing<TargetDescribed>
}

export type Session = {
  verdict: SessionAdmitted | SessionRejected | null
  /** The data key, sealed to policy. */
  sealedKey: string | null
  target: TargetDescribed | null
  /** The role that it logs in as, and the one that it acts as. */
  credential: Pick<CredentialIssued, 'role' | 'actsAs'> | null
  /** Pieces of large requests that are not decided yet, by request and index. */
  readonly parts: Map<string, Map<number, Buffer>>
  /** The number of bytes in `parts`. */
  partBytes: number
  /** True if a request that was decided on, and so may have run, may have made a temporary relation. */
  mayHaveTemporary: boolean
}

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
    case 'SessionRejected':
      session.verdict = message
      break
    case 'SessionKeySealed':
      // The first key counts, as with the verdict: a proxy seals one key for each of its sessions.
      session.sealedKey ??= message.recipients.find(({ reader }) => reader === READER)?.jwe ?? null
      break
    case 'TargetDescribed':
      session.target = alongPathOf(session.target, shared(sessions, message))
      break
    case 'CredentialIssued':
      session.credential = { role: message.role, actsAs: message.actsAs }
      break
    case 'RequestPart':
      if (!message.stream) keepPart(session, message)
      break
    case 'RequestRefused':
    case 'RequestWithdrawn':
    case 'RequestAllowed':
    case 'RequestBlocked':
    case 'ReviewRequired':
      if (message.type === 'RequestAllowed' || message.type === 'ReviewRequired')
        session.mayHaveTemporary ||= message.effects.some(mayMakeTemporary)
      forgetParts(session, message.requestId)
  }
}

/** A part above a bound is left out: its request never becomes complete, so policy never decides on it. */
function keepPart(session: Session, { requestId, index, ciphertext }: RequestPart): void {
  if (index >= PARTS_MAX || session.partBytes + ciphertext.length > PART_BYTES_MAX) return
  const parts = session.parts.get(requestId) ?? new Map<number, Buffer>()
  if (parts.has(index)) return
  session.parts.set(requestId, parts.set(index, ciphertext))
  session.partBytes += ciphertext.length
}

function forgetParts(session: Session, requestId: string): void {
  for (const part of session.parts.get(requestId)?.values() ?? []) session.partBytes -= part.length
  session.parts.delete(requestId)
}

/**
 * Opaque code can make a temporary relation unseen; otherwise making one is a session-change that names the relation.
 */
const mayMakeTemporary = ({ effect, table }: Effect): boolean =>
  effect === 'opaque' || (effect === 'session-change' && table !== null)

/** The ciphertexts of a request in parts; null while some are missing. */
export function completeParts(
  session: Session,
  requestId: string,
  count: number,
): readonly Buffer[] | null {
  const parts = session.parts.get(requestId)
  const ordered = Array.from({ length: count }, (_, index) => parts?.get(index))
  const found = ordered.filter((part) => part !== undefined)
  return found.length === count ? found : null
}

function sessionOf(sessions: Sessions, id: string): Session {
  const known = sessions.live.get(id)
  if (known !== undefined) return known
  const session: Session = {
    verdict: null,
    sealedKey: null,
    target: null,
    credential: null,
    // bound: PART_BYTES_MAX
    parts: new Map(),
    partBytes: 0,
    mayHaveTemporary: false,
  }
  sessions.live.set(id, session)
  return session
}

const shared = ({ targets }: Sessions, described: TargetDescribed): TargetDescribed =>
  targets.get(described.targetVersion, described.relations.length, () => described)

/** A session keeps the search path that it began with, even when the target has another one for new sessions. */
function alongPathOf(first: TargetDescribed | null, described: TargetDescribed): TargetDescribed {
  if (first === null || first.searchPath.join('\n') === described.searchPath.join('\n'))
    return described
  return { ...described, searchPath: first.searchPath }
}

function forget(sessions: Sessions, id: string): void {
  sessions.live.delete(id)
  sessions.over.add(id)
  keepNewest(sessions.over, OVER_MAX)
}

const isSessionEnd = oneOf('SessionEnded', 'SessionRefused', 'CredentialRevoked')
const isAboutSession = oneOf(
  'SessionEnded',
  'SessionRefused',
  'CredentialRevoked',
  'SessionAdmitted',
  'SessionRejected',
  'SessionKeySealed',
  'TargetDescribed',
  'CredentialIssued',
  'RequestPart',
  'RequestRefused',
  'RequestWithdrawn',
  'RequestAllowed',
  'RequestBlocked',
  'ReviewRequired',
)

const READER = 'policy'
/** The most relations of descriptions that no session holds. */
const RELATIONS_MAX = 20_000
const OVER_MAX = 100_000

/** The most parts of a request; one in more parts is refused. */
export const PARTS_MAX = 128
/** At most this many bytes of a session wait for their requests; a pipeline of an agent is smaller. */
const PART_BYTES_MAX = 64 * 1024 * 1024
