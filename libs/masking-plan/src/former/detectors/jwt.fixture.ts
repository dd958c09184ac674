import { DASHED_WORD as SEGMENT, runEnd, TOKEN } from './chars.fixture.ts'
import type { Span } from './span.fixture.ts'

/**
 * JSON Web Tokens. Method: a run of base64url segments with dots between them, the first of which
 * has eyJ ("{" and a quote) in it; the hit goes to the end of the run. Limits: a token whose header
 * is written with white space before its first name is not found.
 */
export function jwt(text: string): Span[] {
  const spans: Span[] = []
  // The first eyJ of a segment counts, so that each segment is read as a header and as a payload, and no more.
  for (let at = text.indexOf('eyJ'); at >= 0;) {
    const dot = runEnd(SEGMENT, text, at)
    const isHeader = dot - at >= HEADER_MIN && text.charCodeAt(dot) === DOT
    const next = isHeader ? runEnd(SEGMENT, text, dot + 1) : dot
    if (next - dot <= PAYLOAD_MIN || text.charCodeAt(next) !== DOT) {
      at = text.indexOf('eyJ', dot)
      continue
    }
    const end = runEnd(TOKEN, text, next)
    spans.push({ start: at, end })
    at = text.indexOf('eyJ', end)
  }
  return spans
}

const DOT = 0x2e
const HEADER_MIN = 8
const PAYLOAD_MIN = 2
