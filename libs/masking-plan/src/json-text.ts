import { MASKED } from './method.ts'

/** The functions that mask the parts of a document. */
export type JsonMask = {
  /** A string; null when it makes the whole value NULL. */
  text(text: string): string | null
  /** A number behind a name. */
  number(text: string, name: string): string | null
  /** The document as a whole, because a name may tell what the value behind it is. */
  keyed(text: string): string | null
}

/**
 * Masks inside a JSON document and leaves valid JSON. Method: strings and numbers on their own, so
 * that escapes hide nothing, then the whole text, so that a name can explain the value behind it.
 * If the second leaves no valid JSON, the document is masked whole. Null stands for NULL.
 */
export function maskedJson(text: string, mask: JsonMask): string | null {
  let name = ''
  const parts: string[] = []
  let copied = 0
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i)
    const end = code === QUOTE ? stringEnd(text, i) : isNumber(code) ? numberEnd(text, i) : i + 1
    if (end - i >= TOKEN_MIN) {
      const token = text.slice(i, end)
      const plain = code === QUOTE ? valueOf(token) : token
      const masked = code === QUOTE ? mask.text(plain) : mask.number(plain, name)
      if (masked === null) return null
      if (masked !== plain) {
        parts.push(text.slice(copied, i), JSON.stringify(masked))
        copied = end
      }
    }
    if (code === QUOTE && isName(text, end)) name = text.slice(i + 1, end - 1)
    i = end
  }
  const inside = copied === 0 ? text : parts.join('') + text.slice(copied)
  const whole = mask.keyed(inside)
  if (whole === null || whole === inside) return whole
  return isJson(whole) ? whole : JSON.stringify(MASKED)
}

// jsonb writes a name without blanks before its colon; in json there may be some.
const isName = (text: string, end: number): boolean =>
  text.charCodeAt(end) === COLON || /^\s{0,20}:/.test(text.slice(end, end + 21))

// Throws for a token with escapes that is no string of JSON.
function valueOf(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1)
  const value: unknown = JSON.parse(token)
  return String(value)
}

function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) return i + 1
    if (code === BACKSLASH) i++
  }
  return text.length
}

function numberEnd(text: string, start: number): number {
  let i = start + 1
  while (isNumber(text.charCodeAt(i)) || (text.charCodeAt(i) | 0x20) === LETTER_E) i++
  return i
}

/** A digit, a sign or a point. */
const isNumber = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const LETTER_E = 0x65
/** A shorter token holds no hit: the shortest is a@b.io with its quotes. */
const TOKEN_MIN = 8
