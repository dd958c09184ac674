import { metrics } from '@opentelemetry/api'

/** Shows at /metrics how many there are of something at this moment, as `countersign_<what>` by `profile`; 0 where there are none. */
export function showCounts(
  of: { readonly what: string; readonly description: string },
  counted: () => ReadonlyMap<string, number>,
): void {
  // A gauge keeps showing its last observation, so a profile that was shown once is observed until the end.
  // bound: one per profile
  const shown = new Set<string>()
  metrics
    .getMeter('countersign')
    .createObservableGauge(`countersign_${of.what}`, { description: of.description })
    .addCallback((gauge) => {
      const counts = counted()
      for (const profile of counts.keys()) shown.add(profile)
      if (shown.size === 0) gauge.observe(0)
      for (const profile of shown) gauge.observe(counts.get(profile) ?? 0, { profile })
    })
}
