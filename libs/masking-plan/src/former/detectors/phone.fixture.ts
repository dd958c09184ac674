import { isIn, table, WORD } from './chars.fixture.ts'
import { isDigit, type Span } from './span.fixture.ts'

/**
 * Telephone numbers. Method: a plus and 8 to 15 digits with up to two separators between them, 00 for the plus and 10
 * to 15 digits, or the two North American notations with an area code. Limits: national numbers of other countries and
 * those of North America without separators are not found; a number that is filled up with two zeros may be taken for one.
 */
export function phone(text: string, from = 0, to = text.length): Span[] {
  const spans: Span[] = []
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    // No number begins behind another digit.
    if (isDigit(code) && isDigit(text.charCodeAt(i - 1))) continue
    const end =
      code === PLUS
        ? international(text, i)
        : isDigit(code) || code === OPEN
          ? (northAmerican(text, i) ?? (code === ZERO ? dialled(text, i) : null))
          : null
    if (end === null) continue
    spans.push({ start: i, end })
    i = end - 1
  }
  return spans
}

/** PLUS DIGIT (SEPARATOR{0,2} DIGIT){7,14}, no digit behind it */
function international(text: string, start: number): number | null {
  if (isIn(WORD, text, start - 1) || text.charCodeAt(start - 1) === PLUS) return null
  return digitsEnd(text, start + 1, INTERNATIONAL_MIN, DIGITS)
}

/** 00 [1-9] (SEPARATOR{0,2} DIGIT){9,14}, no letter or digit behind it. Fewer digits are more often an identifier. */
function dialled(text: string, start: number): number | null {
  if (isIn(BEFORE_DIALLED, text, start - 1) || text.charCodeAt(start + 1) !== ZERO) return null
  if (text.charCodeAt(start + 2) === ZERO) return null
  return digitsEnd(text, start + 2, DIALLED_MIN, WORD)
}

/** The furthest end of enough digits behind which no character goes on with them; null when there is none. */
function digitsEnd(
  text: string,
  from: number,
  digitsMin: number,
  goesOn: Uint8Array,
): number | null {
  let found: number | null = null
  let digits = 0
  let i = from
  let code = text.charCodeAt(i)
  while (digits < DIGITS_MAX && isDigit(code)) {
    digits++
    code = text.charCodeAt(++i)
    if (digits >= digitsMin && !(code < 128 && goesOn[code] === 1)) found = i
    for (let separators = 0; separators < 2 && code < 128 && SEPARATOR[code] === 1; separators++)
      code = text.charCodeAt(++i)
  }
  return found
}

/** (OPEN DDD CLOSE BLANK? | DDD SIGN) DDD SIGN DDDD, with no digit or dash before or behind it */
function northAmerican(text: string, start: number): number | null {
  if (isIn(AROUND_AMERICAN, text, start - 1)) return null
  const isOpen = text.charCodeAt(start) === OPEN
  const area = isOpen ? start + 1 : start
  if (!areDigits(text, area, 3)) return null
  let i = area + 3
  if (!isOpen && !isIn(SIGN, text, i)) return null
  if (isOpen && text[i] !== ')') return null
  i++
  if (isOpen && text[i] === ' ') i++
  if (!areDigits(text, i, 3) || !isIn(SIGN, text, i + 3) || !areDigits(text, i + 4, 4)) return null
  return isIn(AROUND_AMERICAN, text, i + 8) ? null : i + 8
}

function areDigits(text: string, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (!isDigit(text.charCodeAt(i))) return false
  return true
}

const DIGITS = table('0123456789')
const SEPARATOR = table(' ().-/')
const SIGN = table('-.')
const AROUND_AMERICAN = table('0123456789-')
const BEFORE_DIALLED = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_+.-')
const PLUS = 0x2b
const ZERO = 0x30
const OPEN = 0x28
const INTERNATIONAL_MIN = 8
const DIALLED_MIN = 10
const DIGITS_MAX = 15
