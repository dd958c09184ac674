import { NO_RULES } from '@countersign/catalog'
import type { MaskingPlanned, MaskingRulesDefined, TargetDescribed } from '@countersign/contracts'
import { keepNewest, sha256 } from '@countersign/kernel'
import { planFor } from '@countersign/masking-plan'

/** A masking plan without the fields that tie it to one session. */
export type Plan = Omit<MaskingPlanned, 'type' | 'sessionId' | 'at'>

/** Makes the plan for a target under some rules; without rules everything that may hide something is masked. */
export type Planner = (rules: MaskingRulesDefined | null, target: TargetDescribed) => Plan

/** A planner that makes each plan once, since the sessions of one target share it. */
export function planner(): Planner {
  // bound: PLANS_MAX
  const plans = new Map<string, Plan>()
  return (rules, target) => {
    const rulesVersion = rules?.version ?? NO_RULES
    const name = `${rulesVersion}/${target.targetVersion}`
    const known = plans.get(name)
    if (known !== undefined) return known
    const plan = planOf(rules, target)
    plans.set(name, plan)
    keepNewest(plans, PLANS_MAX)
    return plan
  }
}

/** A plan with more tagged columns than fit into a record of the log is one that masks everything. */
function planOf(rules: MaskingRulesDefined | null, target: TargetDescribed): Plan {
  const found = planFor(rules, target)
  const made = found.columns.length > COLUMNS_MAX ? planFor(null, target) : found
  const { columns, untagged, tainted, detectors, passwordLike, relations } = made
  const plan = {
    targetVersion: target.targetVersion,
    rulesVersion: rules?.version ?? NO_RULES,
    columns,
    untagged,
    tainted,
    detectors,
    passwordLike,
    relations,
    masksNothing: made.masksNothing === true,
  }
  return { planVersion: sha256(JSON.stringify(plan)), ...plan }
}

const COLUMNS_MAX = 100_000
const PLANS_MAX = 64
