import { metrics } from '@opentelemetry/api'

/** The metrics of the proxy, for /metrics. */
export type ProxyMetrics = ReturnType<typeof createMetrics>

export function createMetrics() {
  const meter = metrics.getMeter('countersign')
  return {
    sessions: meter.createUpDownCounter('countersign_sessions_open', {
      description: 'Open sessions.',
    }),
    refusedSessions: meter.createCounter('countersign_sessions_refused', {
      description: 'Sessions that never opened.',
    }),
    released: meter.createCounter('countersign_requests_released', {
      description: 'Requests forwarded, by coverage.',
    }),
    refused: meter.createCounter('countersign_requests_refused', {
      description: 'Requests refused, by code.',
    }),
    held: meter.createUpDownCounter('countersign_requests_held', {
      description: 'Requests waiting for people.',
    }),
    releaseMs: meter.createHistogram('countersign_release_duration_ms', {
      description: 'From the arrival of a covered request to its release.',
    }),
    countersignedMs: meter.createHistogram('countersign_grant_to_release_duration_ms', {
      description: 'From the grant of an approval to the first byte at the target.',
    }),
  }
}
