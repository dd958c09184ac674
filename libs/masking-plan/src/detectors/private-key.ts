import { isAt, runEnd, table } from './chars.ts'
import type { WordDetector } from './span.ts'

/**
 * Private keys in PEM (RFC 7468). Method: from the BEGIN line to the END line, or to the end of the text when
 * there is none. Limits: DER and keys without their header are not found.
 */
export const privateKey: WordDetector = {
  words: ['-----BEGIN '],
  at(codes, start, spans) {
    const body = boundaryEnd(BEGIN, codes, start)
    // Of a longer row of dashes only the last belong to a boundary.
    if (body === null) return Math.max(start + 1, runEnd(DASH_ALONE, codes, start) - DASHES.length)
    let end: number | null = null
    let i = body
    while (end === null && i < codes.length) {
      if (codes[i] === DASH) end = boundaryEnd(END, codes, i)
      i++
    }
    spans.push({ start, end: end ?? codes.length })
    return end ?? codes.length
  },
}

/** The end of the line: the word, [A-Z ]{0,40}, PRIVATE KEY, BLOCK or not, five dashes. */
function boundaryEnd(word: Uint8Array, codes: Uint8Array, start: number): number | null {
  if (!isAt(word, codes, start)) return null
  const from = start + word.length
  const label = runEnd(CAPITALS, codes, from, LABEL_MAX + BLOCK.length + 1)
  if (!isAt(DASHES, codes, label)) return null
  for (const ending of [KEY, BLOCK]) {
    const kind = label - ending.length - from
    if (kind >= 0 && kind <= LABEL_MAX && isAt(ending, codes, label - ending.length))
      return label + DASHES.length
  }
  return null
}

/** The index behind the line that ends a private key; null when it does not end in the text. */
export function privateKeyEnd(text: string): number | null {
  END_LINE.lastIndex = 0
  return END_LINE.exec(text) === null ? null : END_LINE.lastIndex
}

const BEGIN = Buffer.from('-----BEGIN ')
const END = Buffer.from('-----END ')
const KEY = Buffer.from('PRIVATE KEY')
const BLOCK = Buffer.from('PRIVATE KEY BLOCK')
const DASHES = Buffer.from('-----')
const DASH = 0x2d
const DASH_ALONE = table('-')
const CAPITALS = table('ABCDEFGHIJKLMNOPQRSTUVWXYZ ')
const LABEL_MAX = 40
const END_LINE = /-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
