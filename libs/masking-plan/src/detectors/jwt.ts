import { codeAt, DASHED_WORD as SEGMENT, isAt, runEnd, TOKEN } from './chars.ts'
import type { WordDetector } from './span.ts'

/**
 * JSON Web Tokens (RFC 7519). Method: a run of base64url segments with dots between them, the first of which
 * has eyJ ("{" and a quote) in it; the hit goes to the end of the run. Limits: a token whose header
 * is written with white space before its first name is not found.
 */
export const jwt: WordDetector = {
  words: ['eyJ'],
  at(codes, start, spans) {
    if (!isAt(HEADER, codes, start)) return start + 1
    // The first eyJ of a segment counts, so that each segment is read as a header and as a payload, and no more.
    const dot = runEnd(SEGMENT, codes, start)
    const isHeader = dot - start >= HEADER_MIN && codeAt(codes, dot) === DOT
    const next = isHeader ? runEnd(SEGMENT, codes, dot + 1) : dot
    if (next - dot <= PAYLOAD_MIN || codeAt(codes, next) !== DOT) return dot
    const end = runEnd(TOKEN, codes, next)
    spans.push({ start, end })
    return end
  },
}

const HEADER = Buffer.from('eyJ')
const DOT = 0x2e
const HEADER_MIN = 8
const PAYLOAD_MIN = 2
