import { metrics } from '@opentelemetry/api'

/** Shows at /metrics how often each name occurs at this moment, as `countersign_<what>` by `profile`; 0 where there is none. */
export function showCounts(
  of: { readonly what: string; readonly description: string },
  profiles: () => readonly string[],
): void {
  metrics
    .getMeter('countersign')
    .createObservableGauge(`countersign_${of.what}`, { description: of.description })
    .addCallback((gauge) => {
      const counts = Map.groupBy(profiles(), (profile) => profile)
      if (counts.size === 0) gauge.observe(0)
      for (const [profile, all] of counts) gauge.observe(all.length, { profile })
    })
}
