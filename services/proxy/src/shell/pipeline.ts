import type { Effect, RequestReleased } from '@countersign/contracts'
import type { Recorded } from '@countersign/log'
import { traced } from '@countersign/runtime'
import { type Request, toServer } from '@countersign/postgres-wire'
import type { Unlinked } from '../core/chain.ts'
import { passage } from '../core/passage.ts'
import { namesFollow, type PipelinePlan, planned } from '../core/pipeline-plan.ts'
import { forgetRedefined } from '../core/statement-names.ts'
import { answers } from './answers.ts'
import { forwardReleased } from './forward.ts'
import { hold } from './hold.ts'
import { CANCELLED_BY_AGENT, refuse } from './refuse.ts'
import {
  decisionOf,
  intercepted,
  type Pending,
  releaseOf,
  stillCovered,
  withdraw,
} from './requests.ts'
import { CANCELLED, cancelAtTarget, type Session, underWay } from './session-state.ts'
import { currentPlan } from './masking-currency.ts'
import { namesConfirmed } from './search-path.ts'

/** Serves the messages of a client up to where it waits: decides on each request, and forwards what may pass, in order. */
export async function servePipeline(session: Session, messages: readonly Request[]): Promise<void> {
  const batch = newBatch(messages)
  session.isCancelled = false
  let next: number | null = 0
  while (next !== null && next < messages.length)
    next = await served(session, batch, planned(messages, session.names, next))
}

/** Serves what is planned, and says from where to plan anew; null when the rest was refused or is skipped. */
async function served(session: Session, batch: Batch, plan: PipelinePlan): Promise<number | null> {
  const { messages } = batch
  await currentPlan(session)
  const pendings = await intercepted(session, plan.asks)
  const skip = async (from: number): Promise<null> => {
    await skipRest(session, batch, pendings.slice(from))
    return null
  }
  for (const [index, planned] of pendings.entries()) {
    if (session.areNamesInDoubt) {
      await forward(session, batch, planned.ask.firstStep, true)
      if (session.exchange.skipping) return skip(index)
      if (session.status !== 'E') await namesConfirmed(session)
    }
    const pending = await stillCovered(session, planned)
    const decision = pending.cover?.decision ?? (await decisionOf(session, pending))
    const { lastStep } = pending.ask
    const refuseRest = async (refusal: Parameters<typeof refuse>[1]): Promise<null> => {
      await refuse(session, refusal, {
        pending,
        others: [...unsent(batch), ...pendings.slice(index + 1)],
        message: messages[lastStep],
      })
      await skippedToSync(session, batch)
      return null
    }
    if (decision === CANCELLED || session.isCancelled) {
      withdraw(session, [pending])
      return refuseRest(CANCELLED_BY_AGENT)
    }
    // In a failed transaction nobody can be asked; all that is left to do in it is to end it.
    const isFailed = session.status === 'E'
    if (session.areNamesInDoubt && isFailed && !decision.effects.every(endsTransaction)) {
      const reason = 'What ran in this transaction could have changed the search_path.'
      const hint = 'End the transaction first, with ROLLBACK.'
      const code = 'CS_REQUEST_UNKNOWN'
      return refuseRest({ code, reason, hint, decisionId: pending.decisionId })
    }
    if (decision.type === 'RequestAllowed') {
      batch.releases.push(releaseOf(session, pending, { decision }))
      batch.requests.set(lastStep, pending)
      if (!isPlannedAnew(messages, pending)) continue
    } else {
      await forward(session, batch, pending.ask.firstStep, true)
      if (session.exchange.skipping) return skip(index)
      if (decision.type === 'RequestBlocked') {
        const { code, reason, hint } = decision
        return refuseRest({ code, reason, hint, decisionId: pending.decisionId })
      }
      const outcome = await hold(session, pending, decision)
      if (outcome.status === 'refused') return refuseRest(outcome.refusal)
      batch.releases.push(
        releaseOf(session, pending, { decision, grant: outcome.grant, raise: outcome.raise }),
      )
      batch.requests.set(lastStep, pending)
    }
    await forward(session, batch, lastStep + 1, false)
    if (session.exchange.skipping) return skip(index + 1)
    if (isPlannedAnew(messages, pending)) {
      withdraw(session, pendings.slice(index + 1))
      return lastStep + 1
    }
  }
  const { stop } = plan
  await forward(session, batch, plan.end, stop !== null)
  if (session.exchange.skipping) return skip(pendings.length)
  if (stop === null) return plan.end
  await refuse(
    session,
    {
      code: 'CS_REQUEST_UNKNOWN',
      reason: stop.why,
      hint: 'Prepare the statement again in this session.',
      decisionId: null,
    },
    { pending: null, others: [], message: messages[stop.step] },
  )
  await skippedToSync(session, batch)
  return null
}

/** What follows was understood with the names from before code ran that could have changed what they stand for. */
const isPlannedAnew = (messages: readonly Request[], { ask, isOpaque }: Pending): boolean =>
  isOpaque && namesFollow(messages, ask.lastStep)

/** What of a pipeline was forwarded, and what may be forwarded next. */
type Batch = {
  readonly messages: readonly Request[]
  next: number
  releases: Unlinked<RequestReleased>[]
  readonly requests: Map<number, Pending>
}

/** Allowed, but behind what is refused now: they are never released. */
function unsent(batch: Batch): Pending[] {
  const pendings = [...batch.requests].filter(([step]) => step >= batch.next)
  for (const [step] of pendings) batch.requests.delete(step)
  batch.releases = []
  return pendings.map(([, pending]) => pending)
}

const newBatch = (messages: readonly Request[]): Batch => ({
  messages,
  next: 0,
  releases: [],
  requests: new Map(),
})

const endsTransaction = ({ effect }: Effect): boolean => effect === 'transaction'

/** Records the releases, then sends the messages up to `end`, and waits for the answers. */
async function forward(session: Session, batch: Batch, end: number, isCut: boolean): Promise<void> {
  if (batch.next >= end) return
  const released = await recorded(session, batch)
  const ran: Pending[] = []
  const { messages, next } = batch
  const { bytes, steps } = passage(session.names, {
    messages,
    from: next,
    end,
    numberOf(step) {
      const pending = batch.requests.get(step)
      if (pending === undefined) return null
      ran.push(pending)
      session.requestCount++
      return underWay(session, pending)
    },
  })
  session.exchange.steps.push(...steps)
  const last = messages[end - 1]
  const waits = last?.tag === 'Query' || last?.tag === 'Sync' || last?.tag === 'Flush'
  batch.next = end
  session.isPipelineOpen = true
  forwardReleased(session, released, isCut || !waits ? [...bytes, toServer.flush()] : bytes)
  if (session.isCancelled && ran.length > 0) {
    // It came while the release was recorded.
    session.isCancelled = false
    cancelAtTarget(session)
  }
  await answers(session)
  // Whatever was learned meanwhile, or failed: what ran may have redefined it.
  for (const { ask, isOpaque } of ran)
    if (ask.kind !== 'Prepare') forgetRedefined(session.names, ask.sql, isOpaque)
}

/** Puts the releases of a batch on record. What was decided just now goes on with the trace of its decision. */
async function recorded(
  session: Session,
  batch: Batch,
): Promise<readonly Recorded<RequestReleased>[]> {
  const { releases } = batch
  batch.releases = []
  if (releases.length === 0) return []
  const record = () => session.journal.record<RequestReleased>(releases)
  const parent = [...batch.requests.values()].find(({ trace }) => trace !== null)?.trace
  return parent === undefined ? record() : traced('release', parent, record)
}

/** The target skips to Sync after an error; what it skips never ran. */
async function skipRest(session: Session, batch: Batch, rest: readonly Pending[]): Promise<void> {
  withdraw(session, [...unsent(batch), ...rest])
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
