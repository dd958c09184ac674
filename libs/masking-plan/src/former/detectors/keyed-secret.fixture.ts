import { isIn, runEnd, table } from './chars.fixture.ts'
import type { Span } from './span.fixture.ts'

/**
 * Secrets behind a word that names them: api_key=…, "token": "…", Authorization: Bearer ….
 * Method: the word, a sign of assignment, and 16 characters or more, of which the first 512 mix letters and
 * digits and repeat few of them. Limits: shorter secrets, those of letters alone, and words in other languages
 * than English are not found; an identifier behind such a word is taken for a secret.
 */
export function keyedSecret(text: string, from = 0, to = text.length): Span[] {
  const spans: Span[] = []
  for (let i = from; i < to; i++) {
    if (!isIn(FIRST, text, i)) continue
    const words = BY_START.get(startOf(text, i))
    const wordEnd = words === undefined ? null : endOfWord(text, i, words)
    const start = wordEnd === null ? null : valueStart(text, wordEnd)
    if (start === null) continue
    const judged = runEnd(VALUE, text, start, JUDGED_MAX)
    if (judged - start < VALUE_MIN) continue
    const isSecret = isRandom(text, start, judged)
    const end = isSecret ? runEnd(VALUE, text, judged) : judged
    if (isSecret) spans.push({ start, end })
    i = end - 1
  }
  return spans
}

function endOfWord(text: string, start: number, words: readonly string[]): number | null {
  for (const word of words) {
    let i = 2
    while (i < word.length && (text.charCodeAt(start + i) | 0x20) === word.charCodeAt(i)) i++
    if (i === word.length) return start + i
  }
  return null
}

/** s? BACKSLASH? QUOTE? BLANK{0,4} ([=:]{1,2} >? | BLANK) BLANK{0,4} BACKSLASH? QUOTE? */
function valueStart(text: string, wordEnd: number): number | null {
  let i = wordEnd
  if ((text.charCodeAt(i) | 0x20) === LETTER_S) i++
  i = behindQuote(text, i)
  const blanks = runEnd(BLANK, text, i, 2 * BLANKS_MAX + 1) - i
  const sign = runEnd(SIGN, text, i + blanks, 2)
  if (sign === i + blanks) return blanks === 0 ? null : behindQuote(text, sign)
  if (blanks > BLANKS_MAX) return null
  return behindQuote(
    text,
    runEnd(BLANK, text, text.charCodeAt(sign) === GREATER ? sign + 1 : sign, BLANKS_MAX),
  )
}

function behindQuote(text: string, from: number): number {
  const i = text.charCodeAt(from) === BACKSLASH ? from + 1 : from
  return isIn(QUOTE, text, i) ? i + 1 : i
}

function isRandom(text: string, start: number, end: number): boolean {
  const counts = new Uint16Array(128)
  let digits = 0
  let letters = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i) & 127
    counts[code] = (counts[code] ?? 0) + 1
    if (code >= 0x30 && code <= 0x39) digits++
    else if (isIn(LETTERS, text, i)) letters++
  }
  if (digits === 0 || letters === 0) return false
  const length = end - start
  let bits = 0
  for (const count of counts) if (count > 0) bits -= (count / length) * Math.log2(count / length)
  return bits >= BITS_MIN
}

// passwo?r?d
export const WORDS = [
  'key',
  'secret',
  'token',
  'password',
  'passwod',
  'passwrd',
  'passwd',
  'pwd',
  'bearer',
  'credential',
]
/** The first two letters, in capitals or not. */
const startOf = (text: string, i: number): number =>
  ((text.charCodeAt(i) | 0x20) << 16) | (text.charCodeAt(i + 1) | 0x20)
const BY_START = Map.groupBy(WORDS, (word) => startOf(word, 0))
const FIRSTS = WORDS.map((word) => word.charAt(0)).join('')
const FIRST = table(FIRSTS + FIRSTS.toUpperCase())
const VALUE = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/_.~=-')
const LETTERS = table('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
const SIGN = table('=:')
const BLANK = table(' \t')
const QUOTE = table(`"'`)
const LETTER_S = 0x73
const BACKSLASH = 0x5c
const GREATER = 0x3e
const BLANKS_MAX = 4
const VALUE_MIN = 16
const JUDGED_MAX = 512
// Random hex has 4 bits a character; 16 characters of it about 3.
const BITS_MIN = 2.8
