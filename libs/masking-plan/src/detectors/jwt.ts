import type { Span } from './span.ts'

/**
 * JSON Web Tokens. Method: a run of base64url segments with dots between them, the first of which
 * has eyJ ("{" and a quote) in it; the hit goes to the end of the run. Limits: a token whose header
 * is written with white space before its first name is not found.
 */
export function jwt(text: string): Span[] {
  if (!text.includes('eyJ')) return []
  const spans: Span[] = []
  for (const run of text.matchAll(RUN)) {
    const start = tokenStart(run[0])
    if (start !== null) spans.push({ start: run.index + start, end: run.index + run[0].length })
  }
  return spans
}

// The run is cut at its dots first: an expression for the whole token would go back over long runs.
function tokenStart(run: string): number | null {
  const segments = run.split('.')
  let at = 0
  for (let i = 0; i + 2 < segments.length; i++) {
    const segment = segments[i] ?? ''
    const header = segment.indexOf('eyJ')
    const payload = segments[i + 1] ?? ''
    if (header >= 0 && segment.length - header >= 8 && payload.length >= 2) return at + header
    at += segment.length + 1
  }
  return null
}

const RUN = /[A-Za-z0-9_.-]+/g
