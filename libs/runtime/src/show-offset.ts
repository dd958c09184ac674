import { metrics } from '@opentelemetry/api'

/** Shows at /metrics how far a topic with one partition is read: `countersign_<topic>_offset`, the next offset to be read. */
export function showOffset(topic: string, offset: () => number): void {
  metrics
    .getMeter('countersign')
    .createObservableGauge(`countersign_${topic}_offset`, {
      description: `The next offset of ${topic} that will be read; what stands before it counts.`,
    })
    .addCallback((gauge) => gauge.observe(offset()))
}
