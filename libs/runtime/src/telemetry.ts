import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { NoopSpanProcessor } from '@opentelemetry/sdk-trace'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Traces and metrics of this process; `serveMetrics` answers a Prometheus scrape. */
export type Telemetry = AsyncDisposable & {
  serveMetrics(request: IncomingMessage, response: ServerResponse): void
}

/**
 * Starts OpenTelemetry. Spans always exist, so that their context travels in the headers of records;
 * they are exported only where `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.
 */
export function startTelemetry(service: string): Telemetry {
  const metrics = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
  const exported = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined
  const sdk = new NodeSDK({
    serviceName: `countersign-${service}`,
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [metrics],
    logRecordProcessors: [],
    ...(exported ? {} : { spanProcessors: [new NoopSpanProcessor()] }),
  })
  sdk.start()
  return {
    serveMetrics: (request, response) => metrics.getMetricsRequestHandler(request, response),
    [Symbol.asyncDispose]: () => sdk.shutdown(),
  }
}
