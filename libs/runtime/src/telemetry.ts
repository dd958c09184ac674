import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Traces and metrics of this process; `serveMetrics` answers a Prometheus scrape. */
export type Telemetry = AsyncDisposable & {
  serveMetrics(request: IncomingMessage, response: ServerResponse): void
}

/**
 * Starts OpenTelemetry. Spans always exist, so that their context travels in the headers of records;
 * they are exported only where `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.
 */
export async function startTelemetry(service: string): Promise<Telemetry> {
  const scraped = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
  const start = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] === undefined ? inProcess : exported
  const shutdown = await start(`countersign-${service}`, scraped)
  return {
    serveMetrics: (request, response) => scraped.getMetricsRequestHandler(request, response),
    [Symbol.asyncDispose]: shutdown,
  }
}

type Start = (serviceName: string, scraped: PrometheusExporter) => Promise<() => Promise<void>>

/** Starts without the SDK for Node.js, which loads every exporter there is: half a second of each start. */
const inProcess: Start = async (serviceName, scraped) => {
  const resource = defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName }))
  const meters = new MeterProvider({ resource, readers: [scraped] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new TracerProvider({ resource }))
  metrics.setGlobalMeterProvider(meters)
  return () => meters.shutdown()
}

const exported: Start = async (serviceName, scraped) => {
  const { NodeSDK } = await import('@opentelemetry/sdk-node')
  const sdk = new NodeSDK({
    serviceName,
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [scraped],
    logRecordProcessors: [],
  })
  sdk.start()
  return () => sdk.shutdown()
}
