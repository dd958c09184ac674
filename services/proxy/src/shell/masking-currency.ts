import { type Catalog, maskingRulesVersion } from '@countersign/catalog'
import { Problem } from '@countersign/kernel'
import { deadline } from './deadline.ts'
import { during, type Session } from './session-state.ts'

/**
 * Waits until the masking plan is of the target as it is now, and of the rules in force: after a schema change the broker
 * describes the target anew, and after a change of the rules every session is planned anew.
 */
export async function currentPlan(session: Session): Promise<void> {
  await lookedAt(session)
  if (isCurrent(session)) return
  using within = deadline(session.proxy.config.CS_MASKING_LIMIT_MS)
  const limit = within.signal
  while (!isCurrent(session)) {
    if (limit.aborted) {
      throw new Problem(
        'CS_MASKING_UNAVAILABLE',
        'there is no masking plan for the target and the masking rules as they are now',
        {
          retriable: true,
          hint: 'Nothing was forwarded. If it goes on, the masking service is missing.',
        },
      )
    }
    await during(session, woken(session, limit))
  }
}

/** Waits for the description of what base roles made; past the limit the session goes on, with that masked whole. */
async function lookedAt(session: Session): Promise<void> {
  if (session.status !== 'I' || session.isPipelineOpen) return
  if (session.undescribed !== null) {
    using within = deadline(session.proxy.config.CS_MASKING_LIMIT_MS)
    const limit = within.signal
    while (session.undescribed !== null && !limit.aborted)
      await during(session, woken(session, limit))
    session.undescribed = null
  }
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

/** Resolves when anything is heard about the session, or when the limit aborts. */
export function woken(session: Session, limit: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    session.wake = resolve
    limit.addEventListener('abort', () => resolve(), { once: true })
  })
}

let known: { catalog: Catalog | null; versions: Map<string, string> } = {
  catalog: null,
  // bound: one per environment of the catalog
  versions: new Map(),
}
