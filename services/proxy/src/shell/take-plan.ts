import type { MaskingPlanned } from '@countersign/contracts'
import { bothPlans, maskDifferently } from '@countersign/masking-plan'
import { inDoubt } from '../core/answer-taint.ts'
import { resultFilter } from '../core/result-filter.ts'
import { forgetOwnChanges } from './own-changes.ts'
import type { Session } from './session-state.ts'

/**
 * Takes a new masking plan. Answers that are on their way were decided under the one before: where the two differ, the rest
 * of them is masked whole, computed columns and a COPY under way too, and what was asked about before shows nothing computed
 * when it runs. The plan alone counts from the next ReadyForQuery on.
 */
export function takePlan(session: Session, planned: MaskingPlanned): void {
  const { filter, underWay, proxy } = session
  const { environment } = session.profile
  if (planned.planVersion !== session.plan.planVersion) {
    session.covers.clear()
    forgetOwnChanges(session)
  }
  session.plan = planned
  const next = resultFilter(planned, proxy.maskingKey, environment)
  const isChanged = maskDifferently(filter.plan, planned)
  if (isChanged) {
    session.planChanges++
    // A cursor that is not known shows nothing that was computed.
    session.cursors.clear()
  }
  if (underWay.size === 0) {
    session.filter = next
    return
  }
  session.nextFilter = next
  if (!isChanged) return
  for (const running of underWay.values()) running.answer = inDoubt(running.answer)
  const both = { ...planned, ...bothPlans(filter.plan, planned) }
  session.filter = resultFilter(both, proxy.maskingKey, environment)
  session.filter.noteMasked(filter.maskedNotes())
  const copy = filter.copyProgress()
  if (copy !== null)
    session.filter.resumeCopy({ ...copy, options: { ...copy.options, tainted: true } })
}
