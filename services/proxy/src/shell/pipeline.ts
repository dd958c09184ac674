import type { RequestReleased } from '@countersign/contracts'
import { millisBetween, within } from '@countersign/kernel'
import type { Recorded } from '@countersign/log'
import { traced } from '@countersign/runtime'
import { type Request, toClient, toServer } from '@countersign/postgres-wire'
import {
  copyInHint,
  failsInFailedTransaction,
  isOfOneSetting,
  setsTransactionMode,
} from '@countersign/statements'
import { portalsNamed } from '../core/answer-taint.ts'
import type { Unlinked } from '../core/chain.ts'
import { type Owner, type Passage, passage } from '../core/passage.ts'
import { heldCopy, type HeldCopy } from '../core/held-copy.ts'
import {
  type Ask,
  namesFollow,
  type PipelinePlan,
  planned,
  REQUESTS_MAX,
} from '../core/pipeline-plan.ts'
import {
  agelessPortals,
  doubtAll,
  type Reading,
  readingBehind,
  readingNow,
} from '../core/statement-names.ts'
import { isOpaque } from '../core/opaque.ts'
import { answers } from './answers.ts'
import { beforeAskedAnew, notForEver } from './ask-anew.ts'
import { currentSettings, settingsConfirmed } from './changed-settings.ts'
import { copyColumns, takenCopyData } from './copy-held.ts'
import { withExecuted } from './executed.ts'
import { forwardRecorded, withReleases } from './forward.ts'
import { hold } from './hold.ts'
import { impossibility } from './impossibility.ts'
import { lastsWhenSent } from './lasts-when-sent.ts'
import { CANCELLED_BY_AGENT, postgresError, refuse, type RequestRefusal } from './refuse.ts'
import {
  answerNow,
  decisionOf,
  forgetAnswers,
  intercepted,
  isDecidedOtherwise,
  meansOtherNow,
  type Pending,
  releaseOf,
  stillCovered,
  withdraw,
} from './requests.ts'
import {
  CANCELLED,
  cancelAtTarget,
  dropHeldData,
  ownUnderWay,
  type Session,
  underWay,
} from './session-state.ts'
import { currentPlan } from './masking-currency.ts'
import { ownChangesAsked } from './own-changes.ts'
import { controlsTransaction, keepsRaised, makesUnreviewed } from './next-transaction.ts'
import { hasPortal, portalsConfirmed, portalsNoted } from './portals.ts'
import { type Guard, guardBefore, guardOf, guardPassage } from './path-guard.ts'
import { isPathDoubtful, pathConfirmed } from './search-path.ts'
import { tell } from './seen.ts'

/** Serves the messages of a client up to where it waits: decides on each request, and forwards what may pass, in order. */
export function servePipeline(session: Session, messages: readonly Request[]): Promise<void> {
  return served(session, newBatch(messages, session.proxy.clock.monotonicMs()))
}

/** Refuses the messages of a client that it cancelled before anything of them was looked at. */
export async function refuseCancelled(
  session: Session,
  messages: readonly Request[],
): Promise<void> {
  const scope = { pending: null, others: [], message: messages[0] }
  await refuse(session, CANCELLED_BY_AGENT, scope)
  await skippedToSync(session, newBatch(messages, session.proxy.clock.monotonicMs()))
}

/** Serves what was not forwarded yet, as far as it can be planned, and then what follows. */
async function served(session: Session, batch: Batch): Promise<void> {
  const { messages } = batch
  if (executesDoubtful(session, batch) && !(await portalsConfirmed(session)))
    return skipRest(session, batch, [])
  const part = { from: batch.next, requestsMax: batch.requestsMax }
  const { changes } = session.names
  let plan = planned(messages, session.names, part)
  const [next] = plan.asks
  // A guard that opened a pipeline would make a transaction of what follows.
  const isAmidst = session.isPipelineOpen && next !== undefined
  let guardSql = isAmidst ? guardBefore(session, messages[next.firstStep]) : null
  // Neither its path nor its settings count for it, and the question would take the snapshot that it must come before.
  const isMode =
    (isPathDoubtful(session) || session.settingsVersion !== session.stateVersion) &&
    !batch.isSettled &&
    plan.asks.every(({ sql }) => setsTransactionMode(sql))
  const isAskable = session.status !== 'E' && !session.exchange.skipping && !isMode
  if (next !== undefined && isAskable && guardSql === null) {
    const path = await pathConfirmed(session)
    if (path === 'failed') return skipRest(session, batch, [])
    if (path === 'moved') plan = planned(messages, session.names, part)
  }
  const [first] = plan.asks
  if (first !== undefined && isRefusedAtOnce(session, batch, first)) {
    await forward(session, batch, first.firstStep, true)
    if (session.exchange.skipping) return skipRest(session, batch, [])
    const scope = { pending: null, others: [], message: messages[first.lastStep] }
    await refuse(session, TRANSACTION_FAILED, scope)
    return skippedToSync(session, batch)
  }
  await currentPlan(session)
  if (plan.asks.length > 0 && !isMode && !(await currentSettings(session)))
    return skipRest(session, batch, [])
  if (isAskable && !session.exchange.skipping && !(await ownChangesAsked(session, plan.asks)))
    return skipRest(session, batch, [])
  if (session.names.changes !== changes) plan = planned(messages, session.names, part)
  if (plan.asks.length > 0 && session.exchange.skipping) return skipRest(session, batch, [])
  using room = session.proxy.memory.share(session.agent)
  const asks = await withExecuted(session, asksOf(batch, plan), room)
  if (asks === null) return skipRest(session, batch, [])
  const pendings = await intercepted(session, asks)
  const skip = (from: number): Promise<void> => skipRest(session, batch, pendings.slice(from))
  let hasHeld = false
  const again = (from: number): Promise<void> => {
    notForEver(batch.askedAnew++)
    withdraw(session, pendings.slice(from))
    batch.requestsMax = 1
    return served(session, batch)
  }
  for (const [index, planned] of pendings.entries()) {
    const { firstStep } = planned.ask
    // The path of the first request is confirmed already, or its guard was made out above.
    if (index > 0) guardSql = guardBefore(session, messages[firstStep])
    if (isPathDoubtful(session) && index > 0 && guardSql === null) {
      await forward(session, batch, firstStep, true)
      if (session.exchange.skipping) return skip(index)
      const path = session.status === 'E' ? 'same' : await pathConfirmed(session)
      if (path === 'failed') return skip(index)
      if (path === 'moved') return again(index)
    }
    const pending = await stillCovered(session, planned)
    // It may have been asked about anew: then the new request is the one to withdraw from here on.
    pendings[index] = pending
    const { cover } = pending
    const decided = cover === null ? decisionOf(session, pending) : Promise.resolve(cover.decision)
    if (cover === null && !(await isDecidedSoon(session, batch, decided))) {
      await forward(session, batch, firstStep, true)
      if (session.exchange.skipping) return skip(index)
      if (guardSql === null && isPathDoubtful(session)) return again(index)
    }
    const decision = await decided
    const { lastStep } = pending.ask
    let isCut = false
    const refuseRest = async (refusal: Parameters<typeof refuse>[1]): Promise<void> => {
      await refuse(session, refusal, {
        pending,
        others: [...unsent(batch), ...pendings.slice(index + 1)],
        message: messages[lastStep],
      })
      await skippedToSync(session, batch)
    }
    if (decision === CANCELLED || session.isCancelled) {
      withdraw(session, [pending])
      return refuseRest(CANCELLED_BY_AGENT)
    }
    // In a failed transaction the target cannot be asked for the path; all that is left to do in it is to end it.
    const isFailed = session.status === 'E'
    if (session.isPathInDoubt && isFailed && !decision.effects.every(controlsTransaction)) {
      const reason = 'What ran in this transaction could have changed the search_path.'
      const hint = 'End the transaction first, with ROLLBACK.'
      const code = 'CS_REQUEST_UNKNOWN'
      return refuseRest({ code, reason, hint, decisionId: pending.decisionId })
    }
    const kept =
      decision.type === 'RequestBlocked'
        ? null
        : (keepsRaised(session, pending, decision) ?? makesUnreviewed(session, decision))
    if (kept !== null) {
      forgetAnswers(session, pending)
      return refuseRest(kept)
    }
    if (session.status !== 'E' && isOpaque(decision) && agelessPortals(session.names).length > 0) {
      await forward(session, batch, pending.ask.firstStep, true)
      if (session.exchange.skipping || !(await portalsNoted(session))) return skip(index)
      // The target was asked meanwhile, and what covered it may be over.
      if (cover !== null) return again(index)
    }
    if (cover === null && isDecidedOtherwise(session, pending, decision)) {
      await forward(session, batch, firstStep, true)
      if (session.exchange.skipping) return skip(index)
      await beforeAskedAnew(session, decision, batch.askedAnew)
      return again(index)
    }
    if (
      decision.type === 'RequestAllowed' ||
      (decision.type === 'ReviewRequired' && cover !== null)
    ) {
      const guard = guardSql === null ? null : guardOf(session, guardSql)
      const release = releaseOf(session, pending, { ...cover, decision })
      allow(session, batch, { pending, release, guard })
      if (!isPlannedAnew(messages, pending)) continue
    } else {
      await forward(session, batch, pending.ask.firstStep, true)
      if (session.exchange.skipping) return skip(index)
      // No guard waits for people, and what is blocked along one path may not be along another.
      const path = guardSql === null ? 'same' : await pathConfirmed(session)
      if (path === 'failed') return skip(index)
      if (path === 'moved') return again(index)
      if (!(await settingsConfirmed(session))) return skip(index)
      const isStale =
        pending.stateVersion !== session.stateVersion ||
        session.settingsVersion !== session.stateVersion
      // Requests before it in this pipeline may have changed its meaning: people see it as it will be read.
      if (isStale && session.status !== 'E') {
        batch.isSettled = true
        return again(index)
      }
      const impossible = await impossibility(session, pending, decision)
      if (impossible !== null) {
        forgetAnswers(session, pending)
        return refuseRest(impossible)
      }
      if (decision.type === 'RequestBlocked') {
        const { code, reason, hint } = decision
        const copy = code === 'CS_COPY_DATA_NEEDED' ? heldCopyIn(session, batch, pending) : null
        if (copy === null) {
          const inWay = code === 'CS_COPY_DATA_NEEDED' ? copyInHint(pending.ask.sql) : null
          return refuseRest({ code, reason, hint: inWay ?? hint, decisionId: pending.decisionId })
        }
        const columns = await copyColumns(session, copy)
        if (session.exchange.skipping) return skip(index)
        if (typeof columns !== 'number') return refuseRest(columns)
        return servedWithData(session, batch, { pending, copy, columns })
      }
      // People see what is held one after the other: a grant ahead of its turn would lend its roles to what runs before it.
      hasHeld = true
      const behind = pendings.splice(index + 1)
      isCut = behind.length > 0
      withdraw(session, behind)
      const outcome = await hold(session, pending, decision)
      if (outcome.status === 'refused') return refuseRest(outcome.refusal)
      if (meansOtherNow(session, pending))
        return refuseRest({ ...SUPERSEDED, decisionId: pending.decisionId })
      // The target reads it as it is now, so a statement that was prepared before is prepared again.
      pending.changes = session.names.changes
      const { grant, raise } = outcome
      pending.grantedAt = grant.at
      const release = releaseOf(session, pending, { decision, grant, raise })
      allow(session, batch, { pending, release, guard: null })
    }
    await forward(session, batch, lastStep + 1, false)
    if (session.exchange.skipping) return skip(index + 1)
    if (isCut || isPlannedAnew(messages, pending)) return again(index + 1)
  }
  batch.requestsMax = hasHeld ? 1 : Math.min(batch.requestsMax * 2, REQUESTS_MAX)
  const { stop } = plan
  await forward(session, batch, plan.end, stop !== null)
  if (session.exchange.skipping) return skip(pendings.length)
  if (stop === null) return batch.next < messages.length ? served(session, batch) : undefined
  const message = messages[stop.step]
  const scope = { pending: null, others: [], message }
  const { code, why: reason, fault } = stop
  // In a failed transaction PostgreSQL checks whether there is such a portal, and runs none.
  if (message?.tag === 'Execute' && session.status === 'E' && !batch.hasReleased) {
    if (!(await hasPortal(session, message.portal))) return skipRest(session, batch, [])
    await refuse(session, TRANSACTION_FAILED, scope)
  } else {
    const byTarget = fault === null ? {} : { byTarget: postgresError(fault.code, fault.message) }
    await refuse(session, { code, reason, hint: null, decisionId: null, ...byTarget }, scope)
  }
  await skippedToSync(session, batch)
}

/** The requests to ask about, with the data of a COPY where the agent has sent them. */
const asksOf = ({ copyData }: Batch, { asks }: PipelinePlan): readonly Ask[] =>
  copyData === null ? asks : asks.map((ask) => ({ ...ask, copyData }))

/** The request as a COPY whose data can be asked for; null for any other, and where they were asked for already. */
const heldCopyIn = (session: Session, batch: Batch, { ask }: Pending): HeldCopy | null =>
  batch.copyData === null ? heldCopy(batch.messages, ask, session.names) : null

/** Has the agent send the data of a COPY, and serves it again with them. Amidst the data a Sync counts for nothing, as at the target. */
async function servedWithData(
  session: Session,
  { arrivedAtMs, hasReleased }: Batch,
  { pending, copy, columns }: { pending: Pending; copy: HeldCopy; columns: number },
): Promise<void> {
  using share = session.proxy.memory.share(session.agent)
  const data = await takenCopyData(session, copy, { columns, share })
  if (!Buffer.isBuffer(data)) {
    const message = copy.messages.at(-1)
    return refuse(session, data, { pending, others: [], message })
  }
  withdraw(session, [pending])
  await served(session, {
    ...newBatch(copy.messages, arrivedAtMs),
    hasReleased,
    copyData: data,
    answered: new Set(copy.answered),
  })
}

/** True if messages follow that must be planned again: opaque code may have changed what their names stand for. */
const isPlannedAnew = (messages: readonly Request[], { ask, isOpaque }: Pending): boolean =>
  isOpaque && namesFollow(messages, ask.lastStep)

/** True if what is left executes a portal whose name is in doubt. In a failed transaction nothing can be asked, or executed. */
function executesDoubtful({ names, status }: Session, { messages, next }: Batch): boolean {
  if (names.doubtfulPortals.size === 0 || status === 'E') return false
  return messages
    .slice(next)
    .some((message) => message.tag === 'Execute' && names.doubtfulPortals.has(message.portal))
}

/**
 * In a failed transaction the target runs nothing but its end, so neither policy nor people are asked about anything else.
 * Behind an end in the same pipeline it is not known where the transaction stands.
 */
const isRefusedAtOnce = ({ status }: Session, { hasReleased }: Batch, { sql }: Ask): boolean =>
  status === 'E' && !hasReleased && failsInFailedTransaction(sql)

/** As PostgreSQL says it. */
const TRANSACTION_FAILED: RequestRefusal = {
  code: 'CS_TRANSACTION_FAILED',
  reason: 'current transaction is aborted, commands ignored until end of transaction block',
  hint: null,
  decisionId: null,
}

const SUPERSEDED = {
  code: 'CS_REVIEW_SUPERSEDED',
  reason:
    'The target changed while it was held: its names may mean others, or it does something else there.',
  hint: 'Send the statement again; people are asked about it as it is now.',
} as const

/** The parts of a pipeline that were forwarded, and that may be forwarded next. */
type Batch = {
  readonly messages: readonly Request[]
  readonly arrivedAtMs: number
  next: number
  /** Allowed and not on record yet, in their order. */
  allowed: Allowed[]
  /** The time of the first of them, by the monotonic clock. */
  allowedAtMs: number
  /** Something of it ran, or may run. */
  hasReleased: boolean
  /**
   * The most requests that are asked about at once. Those behind what changes their meaning, or was held, are asked about anew,
   * so behind it this is 1, and it doubles each time that nothing was.
   */
  requestsMax: number
  /** The number of times that it was asked about anew since something of it was allowed: the target, its path or settings were others. */
  askedAnew: number
  /** The settings are asked for in front of whatever follows, since they are part of what people decide on. */
  isSettled: boolean
  /** The data of the COPY that the batch consists of; null where none were asked for before it is decided on. */
  readonly copyData: Buffer | null
  /** Its messages that Countersign answered when it asked for those data. */
  readonly answered: ReadonlySet<Request>
}

type Allowed = {
  readonly pending: Pending
  readonly release: Unlinked<RequestReleased>
  /** The guard of the search path that goes out before it; null for none. */
  readonly guard: Guard | null
}

function allow(session: Session, batch: Batch, allowed: Allowed): void {
  batch.hasReleased = true
  batch.askedAnew = 0
  if (batch.allowed.length === 0) batch.allowedAtMs = session.proxy.clock.monotonicMs()
  batch.allowed.push(allowed)
}

/**
 * True if the next request is decided on soon, or nothing allowed waits for it: what is allowed goes out with what follows
 * only while the rules and the target that it was decided by are those of now.
 */
async function isDecidedSoon(
  { proxy }: Session,
  { allowed, allowedAtMs }: Batch,
  decided: Promise<unknown>,
): Promise<boolean> {
  if (allowed.length === 0) return true
  const waitedMs = proxy.clock.monotonicMs() - allowedAtMs
  return (await within(Math.max(0, ALLOWED_WAITS_MS - waitedMs), decided)) !== false
}

/** Takes out the requests that are allowed and not on record: after a refusal or an error they are never released. */
function unsent(batch: Batch): Pending[] {
  const pendings = batch.allowed.map(({ pending }) => pending)
  batch.allowed = []
  return pendings
}

const newBatch = (messages: readonly Request[], arrivedAtMs: number): Batch => ({
  messages,
  arrivedAtMs,
  next: 0,
  allowed: [],
  allowedAtMs: 0,
  hasReleased: false,
  requestsMax: REQUESTS_MAX,
  askedAnew: 0,
  isSettled: false,
  copyData: null,
  // bound: REQUESTS_MAX
  answered: new Set(),
})

/** Records the releases, then sends the messages up to `end`, and waits for the answers. */
async function forward(session: Session, batch: Batch, end: number, isCut: boolean): Promise<void> {
  if (batch.next >= end) return
  const sent = await recorded(session, batch)
  const { messages, next } = batch
  const sending = messages.slice(next, end)
  // Also behind the requests (below): a cursor that they declare may lose its name to a portal.
  portalsNamed(session.cursors, sending)
  const guards = new Map<number, Passage>()
  const proofs = new Map<number, Recorded<RequestReleased>>()
  const running = sent.map(({ pending, released, guard }) => {
    session.requestCount++
    const { copyData: bytes } = pending.ask
    const heldData = bytes === null ? null : { bytes, released }
    const isOfSetting = isOfOneSetting(pending.ask.sql)
    const asNow = { ...pending, answer: answerNow(session, pending), isOfSetting }
    const number = underWay(session, asNow, heldData)
    proofs.set(number, released)
    if (guard !== null) {
      const { requestId } = guard.released.message
      const own = ownUnderWay(session, requestId, pending.recording)
      proofs.set(own, guard.released)
      guards.set(pending.ask.firstStep, guardPassage(session, guard.sql, own))
    }
    return { pending, released, number }
  })
  portalsNamed(session.cursors, sending)
  const owners = new Map<number, Owner>()
  const readings = new Map<number, Reading>()
  for (const { pending, released, number } of running) {
    const { firstStep, lastStep } = pending.ask
    const reading = readingIn(session, pending, released.message.stateVersion)
    for (let step = firstStep; step <= lastStep; step++) {
      owners.set(step, { number, lastStep })
      readings.set(step, reading)
    }
  }
  const { outbound, steps } = passage(session.names, {
    messages,
    from: next,
    end,
    requestOf: (step) => owners.get(step) ?? null,
    readingOf: (step) =>
      readings.get(step) ?? readingIn(session, session.names, session.stateVersion),
    guardOf: (step) => guards.get(step) ?? null,
    answered: batch.answered,
    settings: () => JSON.stringify(session.settings),
  })
  const outgoing = withReleases(outbound, (request) => proofs.get(request))
  session.exchange.steps.push(...steps)
  const last = messages[end - 1]
  const waits = last?.tag === 'Query' || last?.tag === 'Sync' || last?.tag === 'Flush'
  batch.next = end
  session.isPipelineOpen = true
  if (isCut || !waits) outgoing.push({ runs: null, bytes: toServer.flush() })
  forwardRecorded(session, outgoing)
  const ran = running.map(({ pending }) => pending)
  if (session.isCancelled && ran.length > 0) {
    // The cancel came while the release was recorded.
    session.isCancelled = false
    cancelAtTarget(session)
  }
  measured(session, batch, ran)
  using _lasts = lastsWhenSent(session)
  await answers(session)
  // Data that the target did not ask for: they are kept no longer than their share of the memory.
  for (const { number } of running) dropHeldData(session, number)
  // Opaque code may have redefined names, whatever was learned meanwhile, or failed.
  if (ran.some(({ isOpaque }) => isOpaque)) doubtAll(session.names)
}

/**
 * The reading of texts in a state of the session, whose settings are known once they were asked for in it. A request that was
 * decided on before names came to stand for others is read as it was then, where it was prepared then.
 */
const readingIn = (
  { settingsVersion }: Session,
  asked: { readonly changes: number },
  stateVersion: number,
): Reading =>
  stateVersion === settingsVersion ? readingNow(asked) : readingBehind(asked, stateVersion)

/** Measures the wait of the requests that went out just now. */
function measured({ proxy }: Session, batch: Batch, ran: readonly Pending[]): void {
  const { metrics, clock } = proxy
  for (const { cover, grantedAt } of ran) {
    if (cover !== null) metrics.releaseMs.record(clock.monotonicMs() - batch.arrivedAtMs)
    // By two clocks: the grant is of another service.
    if (grantedAt !== null)
      metrics.countersignedMs.record(Math.max(0, millisBetween(grantedAt, clock.now())))
  }
}

type Sent = {
  readonly pending: Pending
  readonly released: Recorded<RequestReleased>
  readonly guard: { readonly sql: string; readonly released: Recorded<RequestReleased> } | null
}

/** Puts the releases of a batch on record, with the trace of the first decision that has one. */
async function recorded(session: Session, batch: Batch): Promise<readonly Sent[]> {
  const { allowed } = batch
  batch.allowed = []
  if (allowed.length === 0) return []
  const releases = allowed.flatMap(({ release, guard }) =>
    guard === null ? [release] : [guard.release, release],
  )
  const record = () => session.journal.record<RequestReleased>(releases)
  const parent = allowed.find(({ pending }) => pending.trace !== null)?.pending.trace ?? null
  const all = await (parent === null ? record() : traced('release', parent, record))
  const rest = all.values()
  return allowed.flatMap(({ pending, guard }): Sent[] => {
    const guarded = guard === null ? undefined : rest.next().value
    const released = rest.next().value
    if (released === undefined) return []
    if (guard === null || guarded === undefined) return [{ pending, released, guard: null }]
    return [{ pending, released, guard: { sql: guard.sql, released: guarded } }]
  })
}

/** The target skips to Sync after an error; what it skips never ran. */
async function skipRest(session: Session, batch: Batch, rest: readonly Pending[]): Promise<void> {
  withdraw(session, [...unsent(batch), ...rest])
  // A simple query that was not sent: a question of ours before it failed, after which the target was ready again.
  if (batch.messages[batch.next]?.tag === 'Query' && !session.isPipelineOpen)
    return tell(session, toClient.readyForQuery(session.status), null)
  session.isSkipping = true
  await skippedToSync(session, batch)
}

/** Up to Sync everything is thrown away. Where Sync came in the same pipeline, the client waits for its answer. */
async function skippedToSync(session: Session, batch: Batch): Promise<void> {
  const last = batch.messages.length - 1
  if (!session.isSkipping || batch.next > last || batch.messages[last]?.tag !== 'Sync') return
  session.isSkipping = false
  batch.next = last
  await forward(session, batch, last + 1, false)
}

/** The longest that an allowed request waits for the decisions on those behind it, with which it goes out. */
const ALLOWED_WAITS_MS = 250
