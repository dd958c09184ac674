import { type Catalog, maskingRulesVersion } from '@countersign/catalog'
import { Problem } from '@countersign/kernel'
import { heard } from './heard.ts'
import { ownChangesEnded, ownChangesLate } from './own-changes.ts'
import type { Session } from './session-state.ts'

/**
 * Waits until the masking plan is of the target as it is now, and of the rules in force: after a schema change the broker
 * describes the target anew, and after a change of the rules every session is planned anew.
 */
export async function currentPlan(session: Session): Promise<void> {
  await lookedAt(session)
  const limitMs = session.proxy.config.CS_MASKING_LIMIT_MS
  if (await heard(session, () => isCurrent(session), limitMs)) return
  throw new Problem(
    'CS_MASKING_UNAVAILABLE',
    'there is no masking plan for the target and the masking rules as they are now',
    {
      retriable: true,
      hint: 'Nothing was forwarded. If it goes on, the masking service is missing.',
    },
  )
}

/**
 * Waits for the description of what base roles made. Past the limit the session goes on, and until the description comes all is
 * masked that may show what was changed.
 */
async function lookedAt(session: Session): Promise<void> {
  if (session.status !== 'I' || session.isPipelineOpen) return
  const limitMs = session.proxy.config.CS_MASKING_LIMIT_MS
  const isDescribed = (): boolean => session.undescribed === null
  if (!isDescribed() && !session.isDescriptionLate)
    session.isDescriptionLate = !(await heard(session, isDescribed, limitMs))
  if (!isDescribed()) return ownChangesLate(session)
  ownChangesEnded(session)
  session.isSchemaInDoubt = false
}

function isCurrent({ plan, targetVersion, profile, proxy }: Session): boolean {
  return (
    plan.targetVersion === targetVersion &&
    plan.rulesVersion === rulesVersionOf(proxy.catalog(), profile.environment)
  )
}

/** The version of the masking rules; kept, as it is asked for before each statement and the catalog hardly changes. */
function rulesVersionOf(catalog: Catalog, environment: string): string {
  if (known.catalog !== catalog) {
    // bound: one per environment of the catalog
    known = { catalog, versions: new Map() }
  }
  const { versions } = known
  const version = versions.get(environment) ?? maskingRulesVersion(catalog, environment)
  versions.set(environment, version)
  return version
}

let known: { catalog: Catalog | null; versions: Map<string, string> } = {
  catalog: null,
  // bound: one per environment of the catalog
  versions: new Map(),
}
