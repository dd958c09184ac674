import { ALNUM, isIn } from './chars.ts'
import { isDigit, type Span } from './span.ts'

/**
 * International bank account numbers. Method: a country of the register, its length, and a right
 * remainder of 97; spaces or dashes may stand between the characters, in either case.
 * Limits: a number right behind another letter or digit is not found, nor are countries that joined
 * the register later.
 */
export function iban(text: string): Span[] {
  const spans: Span[] = []
  for (let i = 0; i + 4 < text.length; i++) {
    // Two letters and two digits at the beginning of a word.
    if (!isIn(ALNUM, text, i) || isIn(ALNUM, text, i - 1)) continue
    if (!isDigit(text.charCodeAt(i + 2)) || !isDigit(text.charCodeAt(i + 3))) continue
    const length = lengthOf(text, i)
    const end = length === 0 ? null : ibanEnd(text, i, length)
    if (end === null) continue
    spans.push({ start: i, end })
    i = end - 1
  }
  return spans
}

// Where as many letters and digits end as the country's numbers have, and the remainder is right.
function ibanEnd(text: string, start: number, length: number): number | null {
  let i = start
  for (let count = 0; count < length; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? (VALUES[code] ?? NONE) : NONE
    if (value !== NONE) ACCOUNT[count++] = value
    else if (!isSeparator(code) || !isIn(ALNUM, text, i + 1)) return null
  }
  return !isIn(ALNUM, text, i) && remainder(length) === 1 ? i : null
}

// Of the number that the country and the check digits are moved to the end of, two characters at a time.
function remainder(length: number): number {
  ACCOUNT.copyWithin(length, 0, 4)
  let rest = 0
  let i = 4
  if ((length & 1) === 1) rest = appended(rest, ACCOUNT[i++] ?? 0) % 97
  for (; i < length + 4; i += 2)
    rest = appended(appended(rest, ACCOUNT[i] ?? 0), ACCOUNT[i + 1] ?? 0) % 97
  return rest
}

// A digit is itself; a letter is a number from 10 to 35.
const appended = (rest: number, value: number): number => rest * (value < 10 ? 10 : 100) + value

/** The length of numbers of the country whose letters stand at the index; 0 when it is none. */
function lengthOf(text: string, index: number): number {
  const first = (text.charCodeAt(index) | 0x20) - 0x61
  const second = (text.charCodeAt(index + 1) | 0x20) - 0x61
  return first < 0 || second < 0 || first > 25 || second > 25
    ? 0
    : (LENGTHS[first * 26 + second] ?? 0)
}

const isSeparator = (code: number): boolean => code === 0x20 || code === 0x2d

const NONE = 255
const VALUES = new Uint8Array(128).fill(NONE)
for (const char of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ') {
  VALUES[char.charCodeAt(0)] = Number.parseInt(char, 36)
  VALUES[char.toLowerCase().charCodeAt(0)] = Number.parseInt(char, 36)
}
/** The number that is looked at; the longest has 33 characters, and its first four are moved behind. */
const ACCOUNT = new Uint8Array(38)
// The IBAN registry of SWIFT: length, then the countries that have it.
const COUNTRIES = Object.entries({
  15: 'NO',
  16: 'BE',
  18: 'DK FI FK FO GL NL SD',
  19: 'MK SI',
  20: 'AT BA EE KZ LT LU MN XK',
  21: 'CH CR HR LI LV',
  22: 'BG BH DE GB GE IE ME RS VA',
  23: 'AE GI IL IQ OM SO TL',
  24: 'AD CZ ES MD PK RO SA SE SK TN VG',
  25: 'LY PT ST',
  26: 'IS TR',
  27: 'BI DJ FR GR IT MC MR SM',
  28: 'AL AZ BY CY DO GT HN HU LB NI PL SV',
  29: 'BR EG PS QA UA',
  30: 'JO KW MU YE',
  31: 'MT SC',
  32: 'LC',
  33: 'RU',
})
const LENGTHS = new Uint8Array(26 * 26)
for (const [length, countries] of COUNTRIES)
  for (const country of countries.split(' '))
    LENGTHS[(country.charCodeAt(0) - 0x41) * 26 + country.charCodeAt(1) - 0x41] = Number(length)
