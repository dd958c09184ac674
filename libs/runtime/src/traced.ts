import { context, propagation, ROOT_CONTEXT, type SpanOptions, trace } from '@opentelemetry/api'
import type { TraceContext } from '@countersign/log'

/**
 * Runs something as a span of the trace that a record belongs to, or of a new one. Records that it appends carry the
 * trace in their headers, so that the trace of a request goes through every service.
 */
export async function traced<T>(
  name: string,
  parent: TraceContext | null,
  run: () => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  const from = parent === null ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, parent)
  const span = trace.getTracer('countersign').startSpan(name, options, from)
  try {
    return await context.with(trace.setSpan(from, span), run)
  } finally {
    span.end()
  }
}
