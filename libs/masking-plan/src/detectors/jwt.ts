import { isIn, TOKEN } from './chars.ts'
import type { Span } from './span.ts'

/**
 * JSON Web Tokens. Method: a run of base64url segments with dots between them, the first of which
 * has eyJ ("{" and a quote) in it; the hit goes to the end of the run. Limits: a token whose header
 * is written with white space before its first name is not found.
 */
export function jwt(text: string): Span[] {
  const spans: Span[] = []
  for (let at = text.indexOf('eyJ'); at >= 0;) {
    const dot = segmentEnd(text, at)
    if (text[dot] !== '.') {
      at = text.indexOf('eyJ', dot)
      continue
    }
    const next = segmentEnd(text, dot + 1)
    const isToken = dot - at >= HEADER_MIN && next - dot > PAYLOAD_MIN && text[next] === '.'
    if (!isToken) {
      at = text.indexOf('eyJ', dot)
      continue
    }
    let end = next
    while (isIn(TOKEN, text, end)) end++
    spans.push({ start: at, end })
    at = text.indexOf('eyJ', end)
  }
  return spans
}

// The first eyJ of a segment counts, so that each segment is read as a header and as a payload, and no more.
function segmentEnd(text: string, from: number): number {
  let i = from
  while (isIn(TOKEN, text, i) && text.charCodeAt(i) !== DOT) i++
  return i
}

const DOT = 0x2e
const HEADER_MIN = 8
const PAYLOAD_MIN = 2
