import type { Effect, RequestReleased } from '@countersign/contracts'
import type { Recorded } from '@countersign/log'
import { traced } from '@countersign/runtime'
import { type Execute, type Request, toServer } from '@countersign/postgres-wire'
import type { Unlinked } from '../core/chain.ts'
import type { Step } from '../core/exchange.ts'
import { isDescribed, planned } from '../core/pipeline-plan.ts'
import { simpleQueried } from '../core/statement-names.ts'
import { answers } from './answers.ts'
import { forwardReleased } from './forward.ts'
import { hold } from './hold.ts'
import { refuse } from './refuse.ts'
import {
  decisionOf,
  intercepted,
  type Pending,
  releaseOf,
  stillCovered,
  withdraw,
} from './requests.ts'
import { type Session, underWay } from './session-state.ts'
import { currentPlan } from './masking-currency.ts'
import { namesConfirmed } from './search-path.ts'

/** Serves the messages of a client up to where it waits: decides on each request, and forwards what may pass, in order. */
export async function servePipeline(session: Session, messages: readonly Request[]): Promise<void> {
  const plan = planned(messages, session.names)
  await currentPlan(session)
  const pendings = await intercepted(session, plan.asks)
  const batch = newBatch(messages)
  for (const [index, planned] of pendings.entries()) {
    if (session.areNamesInDoubt) {
      await forward(session, batch, planned.ask.firstStep, true)
      if (session.exchange.skipping) return skipRest(session, batch, pendings.slice(index))
      if (session.status !== 'E') await namesConfirmed(session)
    }
    const pending = await stillCovered(session, planned)
    const decision = pending.cover?.decision ?? (await decisionOf(session, pending))
    const refuseRest = async (refusal: Parameters<typeof refuse>[1]): Promise<void> => {
      await refuse(session, refusal, {
        pending,
        others: [...unsent(batch), ...pendings.slice(index + 1)],
        message: messages[pending.ask.lastStep],
      })
      await skippedToSync(session, batch)
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
      batch.requests.set(pending.ask.lastStep, pending)
      continue
    }
    await forward(session, batch, pending.ask.firstStep, true)
    if (session.exchange.skipping) return skipRest(session, batch, pendings.slice(index))
    if (decision.type === 'RequestBlocked') {
      const { code, reason, hint } = decision
      return refuseRest({ code, reason, hint, decisionId: pending.decisionId })
    }
    const outcome = await hold(session, pending, decision)
    if (outcome.status === 'refused') return refuseRest(outcome.refusal)
    batch.releases.push(
      releaseOf(session, pending, { decision, grant: outcome.grant, raise: outcome.raise }),
    )
    batch.requests.set(pending.ask.lastStep, pending)
    await forward(session, batch, pending.ask.lastStep + 1, false)
    if (session.exchange.skipping) return skipRest(session, batch, pendings.slice(index + 1))
  }
  if (plan.stop !== null) {
    await forward(session, batch, plan.stop.step, true)
    if (session.exchange.skipping) return skipRest(session, batch, [])
    await refuse(
      session,
      {
        code: 'CS_REQUEST_UNKNOWN',
        reason: plan.stop.why,
        hint: 'Prepare the statement again in this session.',
        decisionId: null,
      },
      { pending: null, others: [], message: messages[plan.stop.step] },
    )
    return skippedToSync(session, batch)
  }
  await forward(session, batch, messages.length, false)
}

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
  const bytes: Uint8Array[] = []
  for (let step = batch.next; step < end; step++) {
    const message = batch.messages[step]
    if (message === undefined) continue
    const pending = batch.requests.get(step)
    if (message.tag === 'Execute' && !isDescribed(batch.messages, message, batch.next, step)) {
      // The columns decide what is masked, so Countersign asks for them where the client does not.
      bytes.push(toServer.describe('portal', message.portal))
      session.exchange.steps.push(ourDescribe(message))
    }
    bytes.push(message.raw)
    const awaited = stepOf(
      session,
      message,
      pending === undefined ? null : underWay(session, pending),
    )
    if (awaited !== null) session.exchange.steps.push(awaited)
    if (pending !== undefined) session.requestCount++
  }
  const last = batch.messages[end - 1]
  const waits = last?.tag === 'Query' || last?.tag === 'Sync' || last?.tag === 'Flush'
  if (isCut || !waits) bytes.push(toServer.flush())
  batch.next = end
  session.isPipelineOpen = true
  forwardReleased(session, released, bytes)
  await answers(session)
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

function stepOf(session: Session, message: Request, number: number | null): Step | null {
  const { names } = session
  const base = { request: number, portal: null, isOurs: false }
  switch (message.tag) {
    case 'Query':
      return { ...base, tag: 'Query', confirmed: () => simpleQueried(names) }
    case 'Parse':
      return {
        ...base,
        tag: 'Parse',
        confirmed: () => void names.statements.set(message.name, message),
      }
    case 'Bind':
      return {
        ...base,
        tag: 'Bind',
        confirmed: () => {
          const parse = names.statements.get(message.statement)
          if (parse !== undefined) names.portals.set(message.portal, { bind: message, parse })
        },
      }
    case 'Describe':
      return {
        ...base,
        tag: 'Describe',
        portal: message.kind === 'portal' ? message.name : STATEMENT,
      }
    case 'Execute':
      return { ...base, tag: 'Execute', portal: message.portal }
    case 'Close':
      return {
        ...base,
        tag: 'Close',
        confirmed: () =>
          void (message.kind === 'statement' ? names.statements : names.portals).delete(
            message.name,
          ),
      }
    case 'Sync':
      return { ...base, tag: 'Sync' }
    case 'Flush':
    case 'CopyData':
    case 'CopyDone':
    case 'CopyFail':
    case 'FunctionCall':
    case 'Terminate':
      return null
  }
}

const ourDescribe = (execute: Execute): Step => ({
  tag: 'Describe',
  request: null,
  portal: execute.portal,
  isOurs: true,
})

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

/** Describing a statement says nothing about a portal: its columns have no format yet. */
const STATEMENT = '\0statement'
