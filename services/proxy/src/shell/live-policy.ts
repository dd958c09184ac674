import type { PolicyLiveness } from './proxy-context.ts'
import type { Session } from './session-state.ts'

/** Policy as it is now; null when it has not been heard of lately. Earlier decisions count for nothing then. */
export function livePolicy({ proxy, id }: Session): PolicyLiveness | null {
  const policy = proxy.liveness(id)
  if (policy === null) return null
  // Catalog changes that were applied since policy last reported may forbid what it allowed.
  if (policy.catalogOffset < proxy.catalogOffset()) return null
  const silentMs = proxy.clock.monotonicMs() - policy.heardAtMs
  return silentMs <= proxy.config.CS_COVERAGE_ALIVE_MS ? policy : null
}
