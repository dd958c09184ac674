import { codeAt, isIn, table, WORD } from './chars.ts'
import { areDigits, isDigit, type NumberDetector } from './span.ts'

/**
 * Telephone numbers (ITU-T E.164, North American Numbering Plan). Method: a plus and 8 to 15 digits with up to two separators between them, 00 for the plus and 10
 * to 15 digits, or the two North American notations with an area code. Limits: national numbers of other countries and
 * those of North America without separators are not found; a number that is filled up with two zeros may be taken for one.
 */
export const phone: NumberDetector = (codes, from, to, spans) => {
  let before = codeAt(codes, from - 1)
  for (let i = from; i < to; i++) {
    const code = codes[i] ?? 0
    // No number begins behind another digit.
    const isInside = isDigit(before) && isDigit(code)
    before = code
    if (isInside) continue
    const end =
      code === PLUS
        ? international(codes, i)
        : isDigit(code) || code === OPEN
          ? (northAmerican(codes, i) ?? (code === ZERO ? dialled(codes, i) : null))
          : null
    if (end === null) continue
    spans.push({ start: i, end })
    i = end - 1
    before = codes[i] ?? 0
  }
}

/** PLUS DIGIT (SEPARATOR{0,2} DIGIT){7,14}, no digit behind it */
function international(codes: Uint8Array, start: number): number | null {
  if (isIn(WORD, codes, start - 1) || codeAt(codes, start - 1) === PLUS) return null
  return digitsEnd(codes, start + 1, INTERNATIONAL_MIN, DIGITS)
}

/** 00 [1-9] (SEPARATOR{0,2} DIGIT){9,14}, no letter or digit behind it. Fewer digits are more often an identifier. */
function dialled(codes: Uint8Array, start: number): number | null {
  if (isIn(BEFORE_DIALLED, codes, start - 1) || codeAt(codes, start + 1) !== ZERO) return null
  if (codeAt(codes, start + 2) === ZERO) return null
  return digitsEnd(codes, start + 2, DIALLED_MIN, WORD)
}

/** The furthest end of enough digits behind which no character goes on with them; null when there is none. */
function digitsEnd(
  codes: Uint8Array,
  from: number,
  digitsMin: number,
  goesOn: Uint8Array,
): number | null {
  let found: number | null = null
  let digits = 0
  let i = from
  let code = codeAt(codes, i)
  while (digits < DIGITS_MAX && isDigit(code)) {
    digits++
    code = codeAt(codes, ++i)
    if (digits >= digitsMin && goesOn[code] === 0) found = i
    for (let separators = 0; separators < 2 && SEPARATOR[code] === 1; separators++)
      code = codeAt(codes, ++i)
  }
  return found
}

/** (OPEN DDD CLOSE BLANK? | DDD SIGN) DDD SIGN DDDD, with no digit or dash before or behind it */
function northAmerican(codes: Uint8Array, start: number): number | null {
  if (isIn(AROUND_AMERICAN, codes, start - 1)) return null
  const isOpen = codeAt(codes, start) === OPEN
  const area = isOpen ? start + 1 : start
  if (!areDigits(codes, area, 3)) return null
  let i = area + 3
  if (!isOpen && !isIn(SIGN, codes, i)) return null
  if (isOpen && codeAt(codes, i) !== CLOSE) return null
  i++
  if (isOpen && codeAt(codes, i) === BLANK) i++
  if (!areDigits(codes, i, 3) || !isIn(SIGN, codes, i + 3) || !areDigits(codes, i + 4, 4))
    return null
  return isIn(AROUND_AMERICAN, codes, i + 8) ? null : i + 8
}

const DIGITS = table('0123456789')
const SEPARATOR = table(' ().-/')
const SIGN = table('-.')
const AROUND_AMERICAN = table('0123456789-')
const BEFORE_DIALLED = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_+.-')
const PLUS = 0x2b
const ZERO = 0x30
const OPEN = 0x28
const CLOSE = 0x29
const BLANK = 0x20
const INTERNATIONAL_MIN = 8
const DIALLED_MIN = 10
const DIGITS_MAX = 15
