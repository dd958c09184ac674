import { byFirstAndThird, codeAt, isAtFolded, isIn, runEnd, table } from './chars.ts'
import type { WordDetector } from './span.ts'

// passwo?r?d
const WORDS = [
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

/**
 * Secrets behind a word that names them: api_key=…, "token": "…", Authorization: Bearer ….
 * Method: the word, a sign of assignment, and 16 characters or more, of which the first 512 mix letters and
 * digits and repeat few of them. Limits: shorter secrets, those of letters alone, and words in other languages
 * than English are not found; an identifier behind such a word is taken for a secret.
 */
export const keyedSecret: WordDetector = {
  words: WORDS,
  at(codes, start, spans) {
    const wordEnd = endOfWord(codes, start)
    const from = wordEnd === null ? null : valueStart(codes, wordEnd)
    if (from === null) return start + 1
    const judged = runEnd(VALUE, codes, from, JUDGED_MAX)
    if (judged - from < VALUE_MIN) return start + 1
    if (!isRandom(codes, from, judged)) return judged
    // A part of a key can be enough to compute the rest.
    const end = runEnd(VALUE, codes, judged)
    spans.push({ start: from, end })
    return end
  },
}

function endOfWord(codes: Uint8Array, start: number): number | null {
  for (const word of wordsOf(codeAt(codes, start) | 0x20, codeAt(codes, start + 2) | 0x20))
    if (isAtFolded(word, codes, start)) return start + word.length
  return null
}

/** s? BACKSLASH? QUOTE? BLANK{0,4} ([=:]{1,2} >? | BLANK) BLANK{0,4} BACKSLASH? QUOTE? */
function valueStart(codes: Uint8Array, wordEnd: number): number | null {
  let i = wordEnd
  if ((codeAt(codes, i) | 0x20) === LETTER_S) i++
  i = behindQuote(codes, i)
  const blanks = runEnd(BLANK, codes, i, 2 * BLANKS_MAX + 1) - i
  const sign = runEnd(SIGN, codes, i + blanks, 2)
  if (sign === i + blanks) return blanks === 0 ? null : behindQuote(codes, sign)
  if (blanks > BLANKS_MAX) return null
  return behindQuote(
    codes,
    runEnd(BLANK, codes, codeAt(codes, sign) === GREATER ? sign + 1 : sign, BLANKS_MAX),
  )
}

function behindQuote(codes: Uint8Array, from: number): number {
  const i = codeAt(codes, from) === BACKSLASH ? from + 1 : from
  return isIn(QUOTE, codes, i) ? i + 1 : i
}

/** True if letters and digits are mixed, and the entropy (Shannon) of their frequencies is that of random ones. */
function isRandom(codes: Uint8Array, start: number, end: number): boolean {
  let digits = 0
  let letters = 0
  let repeats = 0
  for (let i = start; i < end; i++) {
    const code = codes[i] ?? 0
    const count = COUNTS[code] ?? 0
    COUNTS[code] = count + 1
    repeats += (REPEATS[count + 1] ?? 0) - (REPEATS[count] ?? 0)
    digits += DIGITS[code] ?? 0
    letters += LETTERS[code] ?? 0
  }
  for (let i = start; i < end; i++) COUNTS[codes[i] ?? 0] = 0
  if (digits === 0 || letters === 0) return false
  const length = end - start
  return Math.log2(length) - repeats / length >= BITS_MIN
}

const wordsOf = byFirstAndThird(
  WORDS.map((word) => Buffer.from(word)),
  (word) => word,
)
const VALUE = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/_.~=-')
const DIGITS = table('0123456789')
const LETTERS = table('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
const SIGN = table('=:')
const BLANK = table(' \t')
const QUOTE = table(`"'`)
const COUNTS = new Uint16Array(256)
const LETTER_S = 0x73
const BACKSLASH = 0x5c
const GREATER = 0x3e
const BLANKS_MAX = 4
const VALUE_MIN = 16
const JUDGED_MAX = 512
/** The amount that a character takes from the entropy of a value in which it stands n times: n log2 n. */
const REPEATS = Float64Array.from({ length: JUDGED_MAX + 1 }, (_, n) =>
  n === 0 ? 0 : n * Math.log2(n),
)
// Random hex has 4 bits a character; 16 characters of it about 3.
const BITS_MIN = 2.8
