import type { ApprovalGranted, RequestAllowed, ReviewRequired } from '@countersign/contracts'
import { borrowsColumns } from '@countersign/statements'
import type { Cover } from '../core/coverage.ts'
import type { Ask } from '../core/pipeline-plan.ts'
import { livePolicy } from './live-policy.ts'
import type { Raised, Session } from './session-state.ts'

/** The permit of a release: the decision, with the grant of people and the raised privilege where there are any. */
export type ReleasePermit = {
  readonly decision: RequestAllowed | ReviewRequired
  readonly grant?: ApprovalGranted
  readonly raise?: Raised | null
}

/** An earlier decision that lets a request go: one that covers it, or the granted one of its portal. */
export type Covering = Omit<Cover, 'decision' | 'catalogOffset'> & ReleasePermit

/** The grant of people for a portal, and all that has to stay as it is for the portal to go on. */
export type GrantedPortal = {
  readonly covering: Covering
  readonly grant: ApprovalGranted
  readonly conditions: string
}

/**
 * The earlier grant by which a portal goes on, if any. Executed again, or after its Bind was held, it is the statement that
 * people granted: they are not asked once more while the grant lasts and nothing changed.
 */
export function grantedPortal(session: Session, { bind }: Ask): Covering | null {
  const granted = bind === null ? undefined : session.grantedPortals.get(bind)
  if (granted === undefined || session.proxy.clock.now() > granted.grant.expiresAt) return null
  return granted.conditions === conditionsOf(session) ? granted.covering : null
}

/** Notes that a request of a portal is released as people granted it. */
export function noteGranted(
  session: Session,
  { ask, planChanges }: Asked,
  covering: Covering,
): void {
  const { grant, decision } = covering
  if (ask.bind === null || grant === undefined) return
  // A policy that looks at the clock may decide otherwise later.
  if (decision.type !== 'ReviewRequired' || decision.readsTime) return
  // A decision by earlier rules is made anew.
  const conditions = conditionsOf(session)
  if (conditions === null || decision.policyVersion !== livePolicy(session)?.policyVersion) return
  if (planChanges !== session.planChanges) return
  // Its name may stand for another statement, or its data be others, by the time that it goes on.
  if (borrowsColumns(ask.sql) || ask.copyData !== null) return
  session.grantedPortals.set(ask.bind, { covering, grant, conditions })
}

type Asked = { readonly ask: Ask; readonly planChanges: number }

/** The state that must stay as it is, as one text; null where policy was not heard of lately. */
function conditionsOf(session: Session): string | null {
  const policy = livePolicy(session)
  if (policy === null) return null
  const { targetVersion, planChanges, stateVersion, settings, raised } = session
  return JSON.stringify([
    ...[policy.policyVersion, policy.catalogOffset],
    ...[targetVersion, planChanges, stateVersion, settings, raised?.raiseId ?? null],
  ])
}
