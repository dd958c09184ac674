import type { Span } from './span.ts'

/**
 * E-mail addresses (RFC 5322, of which the frequent part). Method: from every @, the characters of a local part to the left and a domain
 * with a letter in its last label to the right. Limits: characters before a rare character of the
 * local part (!#$&*'/=?^{|} or a quote) stay, and so do those further from the @ than addresses are long (RFC 5321:
 * 64 and 255 octets); addresses at an IP literal or with %40 for the @ are not found.
 */
export const email = (text: string): Span[] => emails(text, CLASSES)

/** Like `email`, for a text that has a character for each byte of UTF-8. */
export const emailInBytes = (text: string): Span[] => emails(text, CLASSES_OF_BYTES)

function emails(text: string, classes: Uint8Array): Span[] {
  const spans: Span[] = []
  let last = -1
  // Neither side runs over another @, so that every character is looked at twice at most.
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const leftmost = Math.max(last + 1, at - SIDE_MAX)
    let start = at
    while (start > leftmost && (classOf(classes, text.charCodeAt(start - 1)) & LOCAL) !== 0) start--
    last = at
    if (start === at) continue
    const end = domainEnd(classes, text, at + 1)
    if (end !== null) spans.push({ start, end })
  }
  return spans
}

/**
 * The end of the longest domain: labels with single dots between them, two at least, the last of 2 to 63 characters with a
 * letter among them. Null when there is none.
 */
function domainEnd(classes: Uint8Array, text: string, from: number): number | null {
  const limit = Math.min(text.length, from + SIDE_MAX)
  let found: number | null = null
  let label = from
  let hasLetter = false
  for (let i = from; i <= limit; i++) {
    const code = i === limit ? 0 : text.charCodeAt(i)
    const kind = classOf(classes, code)
    if ((kind & LABEL) !== 0) {
      if ((kind & LETTER) !== 0) hasLetter = true
      continue
    }
    const length = i - label
    if (label > from && hasLetter && length >= 2 && length <= 63) found = i
    if (code !== DOT || length === 0) break
    label = i + 1
    hasLetter = false
  }
  return found
}

// Asked once for each character of the basic plane; half a character of another plane is let in on the left.
function classOf(classes: Uint8Array, code: number): number {
  const known = classes[code] ?? 0
  if (known !== 0) return known
  const char = String.fromCharCode(code)
  const found =
    KNOWN |
    (/[\p{L}\p{N}\p{M}\p{Cs}._%+-]/u.test(char) ? LOCAL : 0) |
    (/[\p{L}\p{N}\p{M}\p{Cs}-]/u.test(char) ? LABEL : 0) |
    (/[\p{L}\p{Cs}]/u.test(char) ? LETTER : 0)
  classes[code] = found
  return found
}

const CLASSES = new Uint8Array(65_536)
const KNOWN = 1
const LOCAL = 2
const LABEL = 4
const LETTER = 8
const DOT = 0x2e
// Every byte of a character outside ASCII may be one of a letter.
const CLASSES_OF_BYTES = new Uint8Array(256)
CLASSES_OF_BYTES.fill(KNOWN | LOCAL | LABEL | LETTER, 128)
const SIDE_MAX = 1_024
