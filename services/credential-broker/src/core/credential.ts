import {
  type AnyMessage,
  type CredentialIntended,
  expiryOf,
  mayChangeSchema,
  type Profile,
  type RequestAllowed,
  type ReviewRequired,
  type SessionAdmitted,
  type TransactionStatus,
} from '@countersign/contracts'
import {
  afterMs,
  type Instant,
  type InstanceId,
  isFromTheFuture,
  type RequestId,
  type SessionId,
} from '@countersign/kernel'
import { type EndedRequests, endedRequests } from './ended-requests.ts'
import { type Finished, finishedSessions } from './finished.ts'
import type { Retries } from './retries.ts'
import { roleName } from './role-name.ts'

/** The credentials of one partition: the fold of what the broker reads and of what it wrote. */
export type Credentials = {
  readonly partition: number
  readonly live: Map<SessionId, Credential>
  /** Sessions whose credential is revoked. They are remembered, so that an old admission makes no new credential. */
  readonly finished: Finished
  /** The roles that sessions hold, by profile, each with its session. */
  readonly held: Map<string, Map<string, SessionId>>
  /** The live sessions by the proxy process on whose lease they depend. */
  readonly tenants: Map<InstanceId, Set<SessionId>>
  /** Not from the log: the steps that failed in this process, each with the time of its next attempt. */
  readonly retries: Retries
}

/**
 * The known facts about the credential of a session. After a restart our own events come first and the others later, in
 * no order between topics: so facts are only added up, and `nextStep` says what they ask for.
 */
export type Credential = {
  readonly sessionId: SessionId
  admitted: SessionAdmitted | null
  intent: CredentialIntended | null
  issued: boolean
  /** The version of the target that the session was told last. */
  targetVersion: string | null
  failed: boolean
  /** The credential failed before anything was made at the target. */
  leftNothing: boolean
  over: boolean
  transaction: TransactionStatus
  /** The requests that wait, run, or were lent a role that is not taken back yet. */
  readonly requests: Map<RequestId, HeldRequest>
  readonly ended: EndedRequests
  /** Requests that policy allowed by itself and that may change the target, with the place of their end once they ran. */
  readonly changes: Map<RequestId, number | null>
  /** The request that the last description followed, and the place of its end; -1 while that is not known. */
  described: { requestId: RequestId | null; place: number }
  /** Not from the log: an earlier process may have made the role and ended before it could record that. */
  mayBeMade: boolean
}

/** The known facts about a request that people decide on. */
export type HeldRequest = {
  review: Review | null
  grant: Grant | null
  raise:
    | { status: 'none' | 'lowered' | 'failed' }
    | { status: 'raised'; raiseId: string; roles: readonly string[] }
  /** It was completed, refused or withdrawn. */
  closed: boolean
}

type Review = { digest: string; raise: readonly string[]; mayChangeSchema: boolean }
type Grant = { approvalId: string; digest: string; raise: readonly string[]; expiresAt: number }

export const newCredentials = (partition: number, at: Instant): Credentials => ({
  partition,
  // bound: one per session that is not revoked
  live: new Map(),
  finished: finishedSessions(at),
  // bound: one per profile, each with one per session that is not revoked
  held: new Map(),
  // bound: one per proxy with sessions
  tenants: new Map(),
  // bound: one per session that is not revoked
  retries: new Map(),
})

/** Adds the fact that a message tells, if it is of a session that is not finished. */
export function noted(state: Credentials, message: AnyMessage): void {
  if (!('sessionId' in message) || isFinished(state, message.sessionId)) return
  switch (message.type) {
    case 'SessionAdmitted':
      state.finished.heard(message.at)
      if (isFromTheFuture(message.sessionId, message.at)) return
      // Only the first admission of a session counts, with the key that it names.
      if (entry(state, message.sessionId).admitted !== null) return
      entry(state, message.sessionId).admitted = message
      tenantsOf(state, message.instanceId).add(message.sessionId)
      return
    case 'SessionEnded':
    case 'SessionRefused':
    // Policy rejects a session before it opens, or gives up an open one.
    case 'SessionRejected':
      return ended(state, message.sessionId)
    case 'ReviewRequired':
      held(state, message).review = reviewOf(message)
      return tidied(state, message.sessionId)
    case 'RequestAllowed':
      if (mayChangeByItself(state, message))
        changeAllowed(entry(state, message.sessionId), message.requestId)
      return
    case 'ApprovalGranted':
      held(state, message).grant = message
      return tidied(state, message.sessionId)
    case 'RequestRefused':
    case 'RequestWithdrawn':
      requestEnded(entry(state, message.sessionId), message.requestId, false)
      return tidied(state, message.sessionId)
    case 'RequestCompleted':
      entry(state, message.sessionId).transaction = message.transactionStatus
      requestEnded(entry(state, message.sessionId), message.requestId, true)
      return tidied(state, message.sessionId)
    case 'CredentialIntended':
      entry(state, message.sessionId).intent = message
      tenantsOf(state, message.instanceId).add(message.sessionId)
      rolesOf(state, message.target).set(message.role, message.sessionId)
      return
    case 'CredentialIssued':
      entry(state, message.sessionId).issued = true
      return
    case 'TargetDescribed':
      entry(state, message.sessionId).targetVersion = message.targetVersion
      if (message.requestId !== null) described(entry(state, message.sessionId), message.requestId)
      return
    case 'CredentialFailed':
      if (message.requestId === null) {
        const one = entry(state, message.sessionId)
        one.failed = true
        one.leftNothing = message.leftNothing && !one.issued
      } else held(state, { ...message, requestId: message.requestId }).raise = { status: 'failed' }
      return tidied(state, message.sessionId)
    case 'PrivilegeRaised':
      held(state, message).raise = {
        status: 'raised',
        raiseId: message.raiseId,
        roles: message.roles,
      }
      return
    case 'PrivilegeLowered':
      held(state, message).raise = { status: 'lowered' }
      return tidied(state, message.sessionId)
    case 'CredentialRevoked':
      state.finished.heard(message.at)
      return finish(state, message.sessionId)
    default:
      return
  }
}

/** True if a message may ask the broker to do something. Most requests end without any work for the broker. */
export function isOfConcern({ live }: Credentials, message: AnyMessage): boolean {
  if (!('sessionId' in message)) return false
  // A request that policy allowed is of concern only once it has run.
  if (message.type === 'RequestAllowed') return false
  if (message.type !== 'RequestCompleted') return true
  const one = live.get(message.sessionId)
  return one !== undefined && (one.requests.size > 0 || one.changes.size > 0)
}

/**
 * True if a session waits until the broker reads that a request ended: a privilege is raised, or the target may differ.
 */
export function hasRaised({ live }: Credentials): boolean {
  for (const { requests, changes } of live.values()) {
    if (changes.size > 0) return true
    for (const { raise } of requests.values()) if (raise.status === 'raised') return true
  }
  return false
}

/** The action at the target or in the log that the facts of a session ask for next. */
export type Step =
  | { do: 'intend'; admitted: SessionAdmitted; role: string }
  | {
      do: 'issue'
      admitted: SessionAdmitted
      intent: CredentialIntended
      /** The role may be there already: an earlier process may have made it. */
      mayBeMade: boolean
    }
  | {
      do: 'raise'
      profile: Profile
      intent: CredentialIntended
      requestId: RequestId
      grant: Grant
      mayChangeSchema: boolean
    }
  | { do: 'describe'; profile: Profile; requestId: RequestId }
  | { do: 'refuse'; intent: CredentialIntended; requestId: RequestId; reason: string }
  | {
      do: 'lower'
      profile: Profile
      intent: CredentialIntended
      requestId: RequestId
      raiseId: string
      roles: readonly string[]
      mayChangeSchema: boolean
    }
  | {
      do: 'revoke'
      intent: CredentialIntended
      profile: Profile | null
      reason: 'SessionOver' | 'LeaseExpired' | 'Failed'
      /** Nothing was made at the target, so the target is not asked. */
      leftNothing: boolean
    }

/** The next step for a session; null when everything is as it should be. */
export function nextStep(
  state: Credentials,
  sessionId: SessionId,
  isLeaseExpired: (instanceId: InstanceId) => boolean,
): Step | null {
  const one = state.live.get(sessionId)
  if (one === undefined) return null
  const { admitted, intent } = one
  if (intent === null) {
    if (admitted === null || one.over || one.failed || isLeaseExpired(admitted.instanceId))
      return null
    return { do: 'intend', admitted, role: freeRole(state, admitted.profile.name) }
  }
  const profile = admitted?.profile ?? null
  const { leftNothing } = one
  const revoke = { do: 'revoke', intent, profile, leftNothing } as const
  // The reason is the failure, even when the end of the session is read before it.
  if (one.failed) return { ...revoke, reason: 'Failed' }
  if (one.over) return { ...revoke, reason: 'SessionOver' }
  if (isLeaseExpired(intent.instanceId)) return { ...revoke, reason: 'LeaseExpired' }
  if (admitted === null) return null
  if (!one.issued) return { do: 'issue', admitted, intent, mayBeMade: one.mayBeMade }
  return (
    lowering(one, intent, admitted.profile) ??
    raising(one, intent, admitted) ??
    describing(one, admitted.profile)
  )
}

/**
 * Counts sessions as over that should have ended `OVERDUE_MS` ago, and returns them. Their proxies end them by
 * themselves; the target need not rely on that.
 */
export function overdue(state: Credentials, now: Instant): SessionId[] {
  const found = [...state.live.values()].filter(
    ({ admitted, intent, over }) =>
      admitted !== null &&
      intent !== null &&
      !over &&
      afterMs(expiryOf(admitted), OVERDUE_MS) < now,
  )
  for (const one of found) one.over = true
  return found.map(({ sessionId }) => sessionId)
}

/**
 * Keeps a role for a session from the moment it is chosen: another session may choose before the intent is in the log.
 * No earlier process can have made the role for this session.
 */
export function reserve(
  state: Credentials,
  sessionId: SessionId,
  profile: string,
  role: string,
): void {
  rolesOf(state, profile).set(role, sessionId)
  entry(state, sessionId).mayBeMade = false
}

/** The roles of a profile that a session of this partition holds. */
export const heldRoles = (state: Credentials, profile: string): ReadonlyMap<string, SessionId> =>
  state.held.get(profile) ?? new Map()

/** True if an open session was last told a description of its target that is not this one. */
export function knowsAnother(
  { admitted, issued, failed, over, targetVersion }: Credential,
  profile: Profile,
  current: string,
): boolean {
  if (!issued || failed || over || targetVersion === current) return false
  return admitted?.profile.name === profile.name && admitted.profile.version === profile.version
}

/** The profiles of sessions that have a credential, each version once. */
export function profilesInUse(states: Iterable<Credentials>): readonly Profile[] {
  const found = new Map<string, Profile>()
  for (const { live } of states) {
    for (const { admitted, issued } of live.values())
      if (issued && admitted !== null) found.set(admitted.profile.version, admitted.profile)
  }
  return [...found.values()]
}

/** The sessions whose credential is at the target of this profile. */
export const sessionsOf = ({ live }: Credentials, target: string): SessionId[] =>
  [...live.values()].flatMap(({ sessionId, intent }) =>
    intent?.target === target ? [sessionId] : [],
  )

/** The roles that a session is lent at this moment. */
export function lentRoles(one: Credential): readonly string[] {
  return [...one.requests.values()].flatMap(({ raise }) =>
    raise.status === 'raised' ? raise.roles : [],
  )
}

/**
 * A raise ends with its request; in a transaction it ends with that, since warm caches would keep it until then anyway.
 */
function lowering(one: Credential, intent: CredentialIntended, profile: Profile): Step | null {
  if (one.transaction !== 'Idle') return null
  for (const [requestId, request] of one.requests) {
    if (request.raise.status !== 'raised' || !request.closed) continue
    const { raiseId, roles } = request.raise
    // A grant that came when its request was withdrawn lent what another may run with by now: it is taken back with that.
    if (
      one.ended.of(requestId)?.hasRun === false &&
      rolesInUse(one).some((role) => roles.includes(role))
    )
      continue
    // A later request of the same transaction runs with the roles that this one was lent, so all requests are asked.
    const mayChangeSchema = [...one.requests.values()].some(
      ({ grant, review, raise }) =>
        raise.status !== 'lowered' && grant !== null && (review?.mayChangeSchema ?? true),
    )
    return { do: 'lower', profile, intent, requestId, raiseId, roles, mayChangeSchema }
  }
  return null
}

/** The roles that were lent to requests that are not over. */
const rolesInUse = ({ requests }: Credential): readonly string[] =>
  [...requests.values()].flatMap(({ raise, closed }) =>
    raise.status === 'raised' && !closed ? raise.roles : [],
  )

/** Describes the target after a transaction in which base roles may have changed it, before the session goes on. */
function describing(one: Credential, profile: Profile): Step | null {
  if (one.transaction !== 'Idle') return null
  let last: { requestId: RequestId; place: number } | null = null
  for (const [requestId, place] of one.changes)
    if (place !== null && place > (last?.place ?? -1)) last = { requestId, place }
  return last === null ? null : { do: 'describe', profile, requestId: last.requestId }
}

/** True if an allowed request may change the target. If base roles may create nothing, only approved requests can. */
function mayChangeByItself(state: Credentials, { sessionId, effects }: RequestAllowed): boolean {
  if (state.live.get(sessionId)?.admitted?.profile.mayCreate !== true) return false
  return mayChangeSchema(effects)
}

/** Notes an allowed change. The decisions may be read late: it may have run, and the target been described, already. */
function changeAllowed(one: Credential, requestId: RequestId): void {
  const end = one.ended.of(requestId)
  if (end !== null && (!end.hasRun || end.place <= one.described.place)) return
  one.changes.set(requestId, end?.place ?? null)
}

function requestEnded(one: Credential, requestId: RequestId, hasRun: boolean): void {
  const end = one.ended.add(requestId, hasRun)
  const request = one.requests.get(requestId)
  if (request !== undefined) request.closed = true
  if (!end.hasRun) one.changes.delete(requestId)
  else if (one.changes.has(requestId)) one.changes.set(requestId, end.place)
  if (one.described.requestId === requestId) described(one, requestId)
}

/** A description covers all requests that had ended when the request that it follows ended. */
function described(one: Credential, requestId: RequestId): void {
  const place = one.changes.get(requestId) ?? one.ended.of(requestId)?.place ?? -1
  one.described = { requestId, place: Math.max(place, one.described.place) }
  for (const [id, ran] of one.changes)
    if (ran !== null && ran <= one.described.place) one.changes.delete(id)
}

/** Drops closed requests once nothing is raised: until then they say which requests ran with the lent roles. */
function tidied(state: Credentials, sessionId: SessionId): void {
  const requests = state.live.get(sessionId)?.requests
  if (requests === undefined) return
  for (const { raise } of requests.values()) if (raise.status === 'raised') return
  for (const [id, { closed }] of requests) if (closed) requests.delete(id)
}

function raising(
  one: Credential,
  intent: CredentialIntended,
  admitted: SessionAdmitted,
): Step | null {
  const { profile } = admitted
  const requests = [...one.requests]
  const running = requests.flatMap(([, { raise, closed }]) =>
    raise.status === 'raised' && !closed ? [raise] : [],
  )
  const lent = lentRoles(one)
  for (const [requestId, request] of requests) {
    const { grant, review, closed, raise } = request
    if (grant === null || review === null || closed || raise.status !== 'none') continue
    if (grant.raise.length === 0) continue
    // A running request must not get more than people lent it: meanwhile only roles that are lent already are raised.
    if (running.length > 0 && grant.raise.some((role) => !lent.includes(role))) continue
    const reason = whyNot(grant, review, profile)
    if (reason !== null) return { do: 'refuse', intent, requestId, reason }
    // A grant ends with its session at the latest.
    const expiresAt = Math.min(grant.expiresAt, expiryOf(admitted))
    const { mayChangeSchema } = review
    return {
      do: 'raise',
      profile,
      intent,
      requestId,
      grant: { ...grant, expiresAt },
      mayChangeSchema,
    }
  }
  return null
}

function whyNot(grant: Grant, review: Review, profile: Profile): string | null {
  if (grant.digest !== review.digest) return 'the grant names other bytes than the decision'
  if (grant.raise.some((role) => !review.raise.includes(role))) {
    return 'the grant lends roles that the decision did not ask for'
  }
  const lendable = profile.raised.flatMap(({ roles }) => roles)
  const foreign = grant.raise.find((role) => !lendable.includes(role))
  return foreign === undefined ? null : `the profile does not lend the role ${foreign}`
}

const isFinished = ({ live, finished }: Credentials, id: SessionId): boolean =>
  !live.has(id) && finished.has(id)

const reviewOf = (message: ReviewRequired): Review => ({
  digest: message.digest,
  raise: message.raise,
  mayChangeSchema: message.createsCode || mayChangeSchema(message.effects),
})

function freeRole(state: Credentials, profile: string): string {
  const taken = rolesOf(state, profile)
  for (let place = 0; ; place++) {
    const role = roleName(profile, state.partition, place)
    if (!taken.has(role)) return role
  }
}

function rolesOf(state: Credentials, profile: string): Map<string, SessionId> {
  const found = state.held.get(profile) ?? new Map<string, SessionId>()
  state.held.set(profile, found)
  return found
}

function tenantsOf(state: Credentials, instanceId: InstanceId): Set<SessionId> {
  const found = state.tenants.get(instanceId) ?? new Set<SessionId>()
  state.tenants.set(instanceId, found)
  return found
}

function movedOut(state: Credentials, instanceId: InstanceId, sessionId: SessionId): void {
  const tenants = state.tenants.get(instanceId)
  tenants?.delete(sessionId)
  if (tenants?.size === 0) state.tenants.delete(instanceId)
}

/** Without an intent there is nothing to revoke, and no intent will come: our own events are read first. */
function ended(state: Credentials, sessionId: SessionId): void {
  const one = state.live.get(sessionId)
  if (one === undefined || one.intent === null) return finish(state, sessionId)
  one.over = true
}

function finish(state: Credentials, sessionId: SessionId): void {
  const one = state.live.get(sessionId)
  if (one?.intent) rolesOf(state, one.intent.target).delete(one.intent.role)
  if (one?.admitted) movedOut(state, one.admitted.instanceId, sessionId)
  if (one?.intent) movedOut(state, one.intent.instanceId, sessionId)
  state.retries.delete(sessionId)
  state.live.delete(sessionId)
  state.finished.add(sessionId)
}

function held(state: Credentials, of: { sessionId: SessionId; requestId: RequestId }): HeldRequest {
  const { requests, ended } = entry(state, of.sessionId)
  const found = requests.get(of.requestId) ?? {
    review: null,
    grant: null,
    raise: { status: 'none' },
    closed: ended.of(of.requestId) !== null,
  }
  requests.set(of.requestId, found)
  return found
}

function entry(state: Credentials, sessionId: SessionId): Credential {
  const found = state.live.get(sessionId) ?? {
    sessionId,
    admitted: null,
    intent: null,
    issued: false,
    targetVersion: null,
    failed: false,
    leftNothing: false,
    over: false,
    transaction: 'Idle',
    // bound: one per request that waits, runs, or was lent something
    requests: new Map(),
    ended: endedRequests(),
    // bound: one per change that no description followed yet
    changes: new Map(),
    described: { requestId: null, place: -1 },
    mayBeMade: true,
  }
  state.live.set(sessionId, found)
  return found
}

/** The delay until an overdue session is ended: longer than a proxy takes to end it, and than clocks differ. */
const OVERDUE_MS = 30_000
