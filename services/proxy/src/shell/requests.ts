import {
  mayChangeSchema,
  type Recording,
  type RequestAllowed,
  type RequestBlocked,
  type RequestContent,
  type RequestIntercepted,
  type RequestPart,
  type RequestReleased,
  type ReviewRequired,
} from '@countersign/contracts'
import { type EventId, type Instant, Problem, RequestId, uuidv7 } from '@countersign/kernel'
import type { TraceContext } from '@countersign/log'
import { traced } from '@countersign/runtime'
import { coverageKey, rendering } from '@countersign/statements'
import type { Unlinked } from '../core/chain.ts'
import {
  type AnswerTaint,
  answerTaint,
  inDoubt,
  portalAnswer,
  UNTAINTED,
} from '../core/answer-taint.ts'
import { coverOf, remember } from '../core/coverage.ts'
import { type Described, meanOthers } from '../core/name-meaning.ts'
import { type Ask, boundOf } from '../core/pipeline-plan.ts'
import { noteReleased } from '../core/path-guard.ts'
import { subjectOf } from '../core/request-subject.ts'
import { isOpaque } from '../core/opaque.ts'
import { isEndToldBy, turnOf } from '../core/told-text.ts'
import { noteCustomSettings } from './changed-settings.ts'
import { type Covering, grantedPortal, noteGranted, type ReleasePermit } from './granted-portals.ts'
import { livePolicy } from './live-policy.ts'
import {
  areNamesInDoubt,
  type BehindChanges,
  behindChanges,
  hiddenIn,
  isInDoubt,
  noteOwnChanges,
  ownPlan,
} from './own-changes.ts'
import { changesSchema, controlsTransaction, noteEnd } from './next-transaction.ts'
import { hashOfRecord } from './record-hash.ts'
import { CANCELLED, cancelled, during, type Session, SESSION_ENDED } from './session-state.ts'

/** A request on its way: what is asked, as it is recorded, and what covers it. */
export type Pending = {
  readonly ask: Ask
  readonly requestId: RequestId
  readonly digest: string
  readonly content: RequestContent
  /** The pieces of content that does not fit into one record, until they are on record. */
  parts: readonly Buffer[]
  readonly cover: Covering | null
  decisionId: EventId | null
  decisionHash: string
  answer: AnswerTaint
  /** The time of the grant; null when nobody had to countersign it. */
  grantedAt: Instant | null
  /** The recording of its answer; policy's decision sets it when it is released. */
  recording: Recording
  /** The state of the session when it was asked about. */
  readonly stateVersion: number
  /** All else that a decision on it depends on, as it was then. */
  readonly askedUnder: AskedUnder
  /** Data of the agent are let into it; known when it is released. */
  takesCopyData: boolean
  /** `planChanges` of the session when it was asked about. */
  readonly planChanges: number
  /** `changes` of the session's names when it was asked about: how often texts had come to be read otherwise. */
  changes: number
  /** It runs code that policy could not look into; known when it is released. */
  isOpaque: boolean
  /** Policy was told that names may mean others than they are described. */
  readonly namesInDoubt: boolean
  /** It changes the schema, or undoes changes, and does something else beside; known when it is released. */
  changesBeside: boolean
  /** The first COMMIT or ROLLBACK that answers it ends its transaction; known when it is released. */
  endsTransaction: boolean
  /** The privilege that was raised when it was asked about; null when there was none. */
  readonly raiseId: string | null
  /** The trace that began when it was asked about. */
  trace: TraceContext | null
}

/** The description of the target, and policy as it was heard of; it may have been further when it decided. */
export type AskedUnder = {
  readonly targetVersion: string
  readonly described: Described
  readonly policyVersion: string | null
  readonly catalogOffset: number
}

export type RequestDecision = RequestAllowed | RequestBlocked | ReviewRequired

/** Gives each request its id and digest; those that no decision covers are recorded and asked about, in as few appends as their size lets. */
export async function intercepted(session: Session, asks: readonly Ask[]): Promise<Pending[]> {
  const pendings = asks.map((ask) => pendingOf(session, ask))
  const events: Unlinked<RequestIntercepted | RequestPart>[] = []
  for (const pending of pendings) {
    if (pending.cover !== null) continue
    // For all answers, before anything is asked: topics overtake each other, and later requests are come to late.
    for (const name of answerNames(pending)) session.mailbox.expect(name)
    events.push(...partsOf(session, pending), {
      type: 'RequestIntercepted',
      at: session.proxy.clock.now(),
      requestId: pending.requestId,
      content: pending.content,
      origin: 'Agent',
      transactionStatus: STATUS_NAMES[session.status],
      stateVersion: session.stateVersion,
      raisedRoles: session.raised?.roles ?? [],
      namesInDoubt: pending.namesInDoubt,
    })
  }
  if (events.length > 0)
    await traced('request', null, async () => {
      for (const group of inTurns(events)) {
        if (session.isEnding) throw SESSION_ENDED
        await session.journal.record<RequestIntercepted | RequestPart>(group)
      }
    })
  for (const pending of pendings) pending.parts = []
  return pendings
}

/** Withdraws requests that were asked about and are never released; one that is covered was not asked about. */
export function withdraw(session: Session, pendings: readonly Pending[]): void {
  for (const pending of pendings) {
    if (pending.cover !== null) continue
    forgetAnswers(session, pending)
    session.journal.note({
      type: 'RequestWithdrawn',
      at: session.proxy.clock.now(),
      requestId: pending.requestId,
      reason: 'Cancelled',
    })
  }
}

/** Forgets the answers to a request, as nobody waits for them any more. */
export function forgetAnswers(session: Session, pending: Pending): void {
  for (const name of answerNames(pending)) session.mailbox.forget(name)
}

const answerNames = ({ requestId }: Pending): string[] => [
  `decision/${requestId}`,
  `approval/${requestId}`,
  `raise/${requestId}`,
]

/**
 * A cover ends when a request before it in the same pipeline changed the session or was raised, and when other rules or
 * another description came meanwhile: then it is asked about.
 */
export async function stillCovered(session: Session, pending: Pending): Promise<Pending> {
  if (pending.cover === null) return askedAsNow(session, pending)
  if (coverNow(session, pending.ask)?.decisionId === pending.cover.decisionId) return pending
  const [asked] = await intercepted(session, [pending.ask])
  return asked ?? pending
}

/**
 * Asks about a request again where one before it in the same pipeline was lent a privilege, or changed the schema, since:
 * policy is told what is raised, and that names are in doubt.
 * A portal that was granted meanwhile goes on.
 */
async function askedAsNow(session: Session, pending: Pending): Promise<Pending> {
  const isAsNow =
    pending.raiseId === (session.raised?.raiseId ?? null) &&
    (pending.namesInDoubt || !areNamesInDoubt(session))
  // A request in parts is never covered.
  const isLarge = pending.content.partCount > 0
  if (isAsNow && (isLarge || grantedPortal(session, pending.ask) === null)) return pending
  withdraw(session, [pending])
  const [asked] = await intercepted(session, [pending.ask])
  return asked ?? pending
}

/** Waits for policy's decision, unless the agent cancels first. An allowing one is remembered for what it covers. */
export async function decisionOf(
  session: Session,
  pending: Pending,
): Promise<RequestDecision | typeof CANCELLED> {
  const name = `decision/${pending.requestId}`
  const limitMs = session.proxy.config.CS_DECISION_LIMIT_MS
  const answer = session.mailbox.next(name, limitMs, 'CS_POLICY_UNAVAILABLE')
  const record = await during(session, Promise.race([answer, cancelled(session)]))
  if (record === CANCELLED) return CANCELLED
  const decision = record.message
  if (decision.type === 'ReviewRequired') session.mailbox.forget(name)
  else forgetAnswers(session, pending)
  if (
    decision.type !== 'RequestAllowed' &&
    decision.type !== 'RequestBlocked' &&
    decision.type !== 'ReviewRequired'
  ) {
    throw new Problem('CS_INTERNAL', `${decision.type} is no decision on a request`)
  }
  pending.decisionId = record.id
  pending.decisionHash = hashOfRecord(record)
  pending.trace = record.trace
  session.policyVersion = decision.policyVersion
  if (decision.type === 'RequestBlocked') return decision
  if (decision.digest !== pending.digest) {
    throw new Problem('CS_GRANT_MISMATCH', 'the decision is about another request')
  }
  pending.answer = answerTaint(decision)
  const isAsNow =
    pending.planChanges === session.planChanges &&
    !isInDoubt(session) &&
    !isDecidedOtherwise(session, pending, decision)
  if (decision.type === 'RequestAllowed' && isAsNow)
    remember(session.covers, decision, {
      id: record.id,
      hash: pending.decisionHash,
      catalogOffset: pending.askedUnder.catalogOffset,
    })
  return decision
}

/**
 * True if a request was asked about, or decided on, under another description of the target than the session has, or if
 * policy has come to other rules since: behind a hold, or what ran for long, its names may mean others and its rules be others.
 */
export function isDecidedOtherwise(
  session: Session,
  { askedUnder }: Pending,
  decision: RequestDecision,
): boolean {
  const now = underNow(session)
  return (
    now.targetVersion !== askedUnder.targetVersion ||
    (decision.targetVersion !== '' && decision.targetVersion !== now.targetVersion) ||
    // Of a policy that nobody had heard of when it was asked, the decision itself says the rules.
    ![null, askedUnder.policyVersion, decision.policyVersion].includes(now.policyVersion) ||
    (askedUnder.policyVersion !== null && now.catalogOffset !== askedUnder.catalogOffset)
  )
}

/** True if names of a request that people decided on may mean others by now: it may have been held for hours. */
export const meansOtherNow = ({ described }: Session, { ask, askedUnder }: Pending): boolean =>
  meanOthers(
    { texts: [ask.sql, ...ask.executes.map(({ text }) => text)], values: ask.bind?.values ?? [] },
    askedUnder.described,
    described,
  )

function underNow({ proxy, id, targetVersion, described }: Session): AskedUnder {
  const policy = proxy.liveness(id)
  return {
    targetVersion,
    described,
    policyVersion: policy?.policyVersion ?? null,
    catalogOffset: policy?.catalogOffset ?? 0,
  }
}

/** The release of a request, ready to be recorded. From here on the session counts it as running. */
export function releaseOf(
  session: Session,
  pending: Pending,
  permit: ReleasePermit,
): Unlinked<RequestReleased> {
  const { decision, grant } = permit
  const { cover } = pending
  const decisionId = cover?.decisionId ?? pending.decisionId
  const decisionHash = cover?.decisionHash ?? pending.decisionHash
  if (decisionId === null) throw new Problem('CS_INTERNAL', 'a release needs a decision')
  pending.recording = decision.recording
  pending.takesCopyData = decision.takesCopyData
  const stateVersion = session.stateVersion
  const wasInDoubt = isInDoubt(session)
  const behind = behindChanges(session, decision)
  pending.changesBeside = changesBeside(decision) || (wasInDoubt && controlsBeside(decision))
  noteEffects(session, pending, decision, behind)
  const { redefines, longText } = decision
  if (redefines !== null) session.names.told.set(pending.ask.text, { redefines, longText })
  const mayMask = isInDoubt(session) && session.plan.masksNothing !== true
  const isKnown = behind.isKnown && !pending.changesBeside
  const readsDoubtful =
    mayMask && !isKnown && (wasInDoubt ? readsTarget(decision) : pending.changesBeside)
  const answer = answerTaint(decision)
  pending.answer = readsDoubtful
    ? { ...inDoubt(answer), viewsInDoubt: hiddenIn(session) }
    : {
        ...answer,
        own: ownPlan(session),
        isTainted: answer.isTainted && !behind.isPlain,
        writesTagged: answer.writesTagged || (mayMask && wasInDoubt),
      }
  noteEnd(session, pending, decision)
  noteGranted(session, pending, { ...permit, decisionId, decisionHash, coverage: 'Exact' })
  session.proxy.metrics.released.add(1, { coverage: cover?.coverage ?? 'None' })
  return {
    type: 'RequestReleased',
    at: session.proxy.clock.now(),
    requestId: pending.requestId,
    digest: pending.digest,
    content: cover === null ? null : pending.content,
    origin: 'Agent',
    coverage: cover?.coverage ?? 'None',
    decisionId,
    decisionHash,
    approvalId: grant?.approvalId ?? null,
    raiseId: permit.raise?.raiseId ?? null,
    policyVersion: decision.policyVersion,
    stateVersion,
    maskingPlanVersion: session.plan.planVersion,
    targetVersion: session.targetVersion,
  }
}

/** The taint of its answer when it goes out, before which it may have waited for people for hours. */
export function answerNow({ planChanges, portalAnswers }: Session, pending: Pending): AnswerTaint {
  const { ask, changes } = pending
  const answer = pending.planChanges === planChanges ? pending.answer : inDoubt(pending.answer)
  if (ask.bind === null) return answer
  return portalAnswer(portalAnswers, ask.bind, { answer, changes, planChanges })
}

/** Notes what running a request will mean for what comes after it. */
function noteEffects(
  session: Session,
  pending: Pending,
  decision: RequestAllowed | ReviewRequired,
  behind: BehindChanges,
): void {
  if (pending.ask.kind === 'Prepare' && !decision.changesState) return
  session.hasRun = true
  if (session.profile.mayCreate && changesTarget(decision)) {
    session.undescribed = pending.requestId
    session.isDescriptionLate = false
  }
  if (session.profile.mayCreate || session.raised !== null)
    session.isSchemaInDoubt ||= decision.effects.some(changesSchema)
  noteOwnChanges(session, { ask: pending.ask, decision, moves: behind.moves })
  noteReleased(session.pathGuard, pending.ask, decision)
  session.isPathUnheard ||= !isBegin(decision, pending.ask) && !isPlainRead(decision)
  if (decision.effects.some(controlsTransaction)) {
    pending.endsTransaction = pending.ask.sql !== null && isEndToldBy(pending.ask.sql, decision)
    // ROLLBACK and ROLLBACK TO undo SET, and each end undoes SET LOCAL, whether another transaction follows at once or not.
    if (session.hasChangedState) session.stateVersion++
  }
  if (!decision.changesState) return
  session.stateVersion++
  session.hasChangedState = true
  pending.isOpaque = isOpaque(decision)
  noteCustomSettings(session, pending.ask, { ...decision, isOpaque: pending.isOpaque })
  if (pending.isOpaque || session.pathRules.others.length > 0) session.isPathInDoubt = true
}

/** True if it may read or write a relation that PostgreSQL did not make itself. */
const readsTarget = ({ effects, cursorUse }: RequestAllowed | ReviewRequired): boolean =>
  cursorUse !== null ||
  effects.some(
    ({ effect, schema, table }) =>
      effect === 'opaque' || (table !== null && !CATALOGS.has(schema ?? '')),
  )

/** True if it changes the schema, and does something else, which may be behind it in the same text. */
const changesBeside = ({ effects }: RequestAllowed | ReviewRequired): boolean =>
  effects.some(changesSchema) && effects.some((one) => !changesSchema(one))

/** True if it ends a transaction, or goes back in one, and does something else. */
const controlsBeside = ({ effects }: RequestAllowed | ReviewRequired): boolean =>
  effects.some(controlsTransaction) && !effects.every(controlsTransaction)

/** It reads no relation and no cursor, so nothing runs but functions of PostgreSQL itself. */
const isPlainRead = ({ effects, cursorUse }: RequestAllowed | ReviewRequired): boolean =>
  cursorUse === null && effects.every(({ effect, table }) => effect === 'read' && table === null)

/** True if it is only BEGIN or savepoints, which run no code. All else may: triggers, defaults, views, row policies. */
const isBegin = (decision: RequestAllowed | ReviewRequired, { sql }: Ask): boolean =>
  decision.effects.length > 0 &&
  decision.effects.every(controlsTransaction) &&
  sql !== null &&
  turnOf(sql, decision) === 'None'

function pendingOf(session: Session, ask: Ask): Pending {
  const { profile } = session
  const requestId = RequestId(uuidv7(Date.now()))
  const subject = subjectOf(ask, {
    sessionId: session.id,
    agent: session.agent,
    target: profile.name,
    baseRoles: profile.baseRoles,
    stateVersion: session.stateVersion,
    policyVersion: session.policyVersion,
    salt: session.salt,
    settings: session.settings,
  })
  const sealed = session.dataKey.encrypt(subject.bytes)
  const isLarge = sealed.length > CONTENT_BYTES_MAX
  const parts = isLarge ? chunked(sealed) : []
  const content: RequestContent = {
    kind: ask.kind,
    digest: subject.digest,
    ciphertext: isLarge ? Buffer.alloc(0) : sealed,
    partCount: parts.length,
    rendering: rendering(ask.text).slice(0, RENDERING_CHARACTERS_MAX),
    sizeBytes: ask.text.length,
  }
  const cover = isLarge ? null : coverNow(session, ask)
  return {
    ask,
    requestId,
    digest: subject.digest,
    content,
    parts,
    cover,
    decisionId: cover?.decisionId ?? null,
    decisionHash: cover?.decisionHash ?? '',
    answer: cover === null ? UNTAINTED : answerTaint(cover.decision),
    recording: cover?.decision.recording ?? profile.recording,
    stateVersion: session.stateVersion,
    askedUnder: underNow(session),
    takesCopyData: false,
    planChanges: session.planChanges,
    changes: session.names.changes,
    isOpaque: false,
    namesInDoubt: areNamesInDoubt(session),
    changesBeside: false,
    endsTransaction: false,
    grantedAt: null,
    raiseId: session.raised?.raiseId ?? null,
    trace: null,
  }
}

/** The decision that covers this at this moment; null when policy has to be asked. Nothing else is covered while a privilege is raised. */
function coverNow(session: Session, ask: Ask): Covering | null {
  // The data of a COPY are in no coverage key.
  if (ask.copyData !== null) return null
  const granted = grantedPortal(session, ask)
  if (granted !== null || session.raised !== null || session.covers.size === 0) return granted
  if (isInDoubt(session)) return null
  const policy = livePolicy(session)
  if (policy === null) return null
  const { policyVersion, catalogOffset } = policy
  const { stateVersion } = session
  return coverOf(session.covers, keysOf(ask), { policyVersion, catalogOffset, stateVersion })
}

/** The coverage keys of a request: the second, which alone decodes its values, is only made where the first covers nothing. */
function* keysOf(ask: Ask): Generator<string> {
  const shape = coverageKey('Shape', { ...ask, ...boundOf(null) })
  if (shape !== null) yield shape
  const exact = coverageKey('Exact', { ...ask, ...boundOf(ask.bind) })
  if (exact !== null) yield exact
}

function partsOf(session: Session, pending: Pending): Unlinked<RequestPart>[] {
  return pending.parts.map((part, index) => ({
    type: 'RequestPart',
    at: session.proxy.clock.now(),
    requestId: pending.requestId,
    index,
    stream: false,
    ciphertext: part,
    sizeBytes: part.length,
  }))
}

/** Groups events in their order, a few parts at a time, so that what others append comes in between. */
function inTurns<E extends { readonly type: string }>(events: readonly E[]): E[][] {
  const groups: E[][] = []
  let group: E[] = []
  let parts = 0
  for (const event of events) {
    if (event.type === 'RequestPart' && ++parts % PARTS_AT_ONCE === 0) {
      groups.push(group)
      group = []
    }
    group.push(event)
  }
  return [...groups, group]
}

function chunked(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += CONTENT_BYTES_MAX)
    chunks.push(bytes.subarray(at, at + CONTENT_BYTES_MAX))
  return chunks
}

export const STATUS_NAMES = { I: 'Idle', T: 'InTransaction', E: 'Failed' } as const

/** True if it may change the schema, by the same rule as at the broker, which then looks at the target. */
const changesTarget = ({ type, effects }: RequestAllowed | ReviewRequired): boolean =>
  type === 'RequestAllowed' && mayChangeSchema(effects)

const CATALOGS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema'])
const CONTENT_BYTES_MAX = 256 * 1024
const PARTS_AT_ONCE = 4
const RENDERING_CHARACTERS_MAX = 4_000
