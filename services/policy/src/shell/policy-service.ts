import type { RequestIntercepted, SessionRequested } from '@countersign/contracts'
import { applied, emptyCatalog, isCatalogMessage } from '@countersign/catalog'
import type { Clock } from '@countersign/kernel'
import type { DeciderService, Decision } from '@countersign/runtime'
import { admission, type Rules } from '../core/admission.ts'
import { policiesOf } from '../core/policy-set.ts'
import { besideText, blocked, requestDecision } from '../core/request-decision.ts'
import { ownRolesOf } from '../core/own-roles.ts'
import { targetInForce } from '../core/path-in-force.ts'
import { completeParts, fold, noSessions, PARTS_MAX, type Sessions } from '../core/sessions.ts'
import { CATALOG, topology } from '../topology.ts'
import type { ContentReader } from './content.ts'
import type { ProofReader } from './proof.ts'
import { type Understander, understandHere } from './understander.ts'

export type PolicyOptions = {
  readProof: ProofReader
  readContent: ContentReader
  clock: Clock
  understander?: Understander
}

/** The service that admits sessions and answers requests, and the rules that it has read so far. */
export type PolicyService = DeciderService<Sessions> & { rules(): Rules }

export function policyService({
  readProof,
  readContent,
  clock,
  understander: { understand, inTurn } = understandHere,
}: PolicyOptions): PolicyService {
  let rules: Rules = { catalog: emptyCatalog, policies: policiesOf(emptyCatalog), catalogOffset: 0 }

  return {
    rules: () => rules,
    topology,
    globals: [CATALOG],
    // Most records that come to policy are releases of requests that a decision covers already.
    slowDownMs: 20,
    newState: noSessions,
    applyGlobal: ({ message, position }) => {
      const catalogOffset = position.offset + 1
      if (!isCatalogMessage(message)) return
      const catalog = applied(rules.catalog, message)
      // The map is another object exactly when a policy set was defined or removed.
      const isSame = catalog.policySets === rules.catalog.policySets
      const policies = isSame ? rules.policies : policiesOf(catalog)
      rules = { catalog, policies, catalogOffset }
    },
    apply: (sessions, record) => {
      if (record.status === 'understood') fold(sessions, record.message)
    },
    decide: (sessions, { message }) => {
      if (message.type === 'SessionRequested') return admit(sessions, message)
      if (message.type === 'RequestIntercepted') return answer(sessions, message)
      return []
    },
    quarantine: (sessions, key, reason) => {
      const verdict = sessions.live.get(key)?.verdict
      if (verdict?.type !== 'SessionAdmitted') return []
      const code = 'CS_MESSAGE_UNREADABLE'
      const { sessionId } = verdict
      return [{ message: { type: 'SessionRejected', sessionId, at: clock.now(), code, reason } }]
    },
  }

  async function admit(sessions: Sessions, requested: SessionRequested): Promise<Decision> {
    if (sessions.over.has(requested.sessionId)) return []
    // One verdict for each session. A second request is a copy, whatever it says: the first has the lower offset.
    if ((sessions.live.get(requested.sessionId)?.verdict ?? null) !== null) return []
    const proven = await readProof(requested)
    return [{ message: admission(requested, proven, { rules, at: clock.now() }) }]
  }

  async function answer(sessions: Sessions, request: RequestIntercepted): Promise<Decision> {
    if (sessions.over.has(request.sessionId)) return []
    const refuse = (code: Parameters<typeof blocked>[1]['code'], reason: string): Decision => [
      {
        message: blocked(request, { code, reason, rules, at: clock.now() }),
      },
    ]
    const session = sessions.live.get(request.sessionId)
    const verdict = session?.verdict ?? null
    if (session === undefined || verdict === null) return 'wait'
    if (verdict.type === 'SessionRejected') return refuse('CS_SESSION_REJECTED', verdict.reason)
    const { sealedKey, target, credential, mayHaveTemporary } = session
    if (sealedKey === null || target === null || credential === null) return 'wait'
    if (target.target !== verdict.profile.name) {
      return refuse('CS_GRANT_MISMATCH', 'the description is of another target')
    }
    const { content } = request
    if (content.partCount > PARTS_MAX)
      return refuse('CS_FRAME_TOO_LARGE', 'the request has too many parts')
    const parts = completeParts(session, request.requestId, content.partCount)
    if (parts === null) return 'wait'
    const subject = await readContent({ sessionId: request.sessionId, sealedKey }, content, parts)
    if (!subject.ok) return refuse('CS_GRANT_MISMATCH', subject.error)
    const ownRoles = ownRolesOf(credential, request.raisedRoles)
    const beside = besideText(subject.value, { mayHaveTemporary, ownRoles })
    const { text } = subject.value
    const inForce = targetInForce(target, verdict.profile, subject.value.settings)
    if (inForce === null)
      return refuse(
        'CS_REQUEST_UNKNOWN',
        'the session has a search_path that its profile does not list',
      )
    const asker = { sessionId: request.sessionId, agent: verdict.identity.agent }
    const understood = await understand(asker, text, inForce, beside)
    if (understood === 'busy')
      return refuse('CS_POLICY_BUSY', 'policy had no time to read the statement')
    const facts = {
      ...{ session: verdict, target: inForce, subject: subject.value, understood },
      ...{ rules, mayHaveTemporary, ownRoles, at: clock.now() },
    }
    const steps = requestDecision(request, facts)
    for (;;) {
      const step = await inTurn(asker, () => someOf(steps))
      if (step.done === true) return [{ message: step.value }]
    }
  }
}

/** Takes the steps of one turn: whose turn it is costs as much as a step, so one turn has several short ones. */
function someOf<T>(steps: Iterator<void, T>): IteratorResult<void, T> {
  const endMs = performance.now() + TURN_MS
  for (;;) {
    const step = steps.next()
    if (step.done === true || performance.now() >= endMs) return step
  }
}

const TURN_MS = 3
