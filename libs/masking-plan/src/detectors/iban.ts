import { ALNUM, codeAt, isIn } from './chars.ts'
import { type AccountDetector, isDigit, type Span } from './span.ts'

/**
 * International bank account numbers (ISO 13616). Method: a country of the register, its length, and a right
 * remainder of 97; spaces or dashes may stand between the characters, in either case.
 * Limits: a number right behind another letter or digit is not found, nor are countries that joined
 * the register later.
 */
export const iban: AccountDetector = (codes, start, spans) =>
  countryLength(codes, start) === 0 ? start + 1 : readChain(codes, start, spans)

/** The length of the number that may begin at the index: two letters of a country and two digits at the beginning of a word. */
function countryLength(codes: Uint8Array, index: number): number {
  if (!isDigit(codeAt(codes, index + 3)) || !isDigit(codeAt(codes, index + 2))) return 0
  const first = (VALUES[codeAt(codes, index)] ?? NONE) - LETTER_MIN
  const second = (VALUES[codeAt(codes, index + 1)] ?? NONE) - LETTER_MIN
  if (first < 0 || second < 0 || first > 25 || second > 25) return 0
  return isIn(ALNUM, codes, index - 1) ? 0 : (LENGTHS[first * 26 + second] ?? 0)
}

/**
 * Reads letters and digits with single separators between them, each once, and finds the numbers that begin among them.
 * Gives the index from which to go on: a long chain is read in pieces.
 */
function readChain(codes: Uint8Array, from: number, spans: Span[]): number {
  let count = 0
  let words = 0
  let rest = 0
  let decimals = 0
  let i = from
  for (let isWordStart = true; count < CHAIN_MAX; i++) {
    const code = codeAt(codes, i)
    const value = VALUES[code] ?? NONE
    if (value === NONE) {
      if (!isSeparator(code) || !isIn(ALNUM, codes, i + 1)) break
      isWordStart = true
      continue
    }
    if (isWordStart) WORDS[words++] = count
    isWordStart = false
    INDEX[count] = i
    rest = RESTS[(rest << 6) | value] ?? 0
    decimals += value < 10 ? 1 : 2
    count++
    REST[count] = rest
    DECIMALS[count] = decimals
  }
  let free = 0
  for (let word = 0; word < words; word++) {
    const first = WORDS[word] ?? 0
    if (first < free) continue
    const start = INDEX[first] ?? 0
    const length = countryLength(codes, start)
    if (length === 0) continue
    // It may go on in the next piece. The first word never needs that.
    if (first + length > count && count === CHAIN_MAX) return start
    if (first + length > count || remainder(first, length) !== 1) continue
    const last = INDEX[first + length - 1] ?? 0
    if (isIn(ALNUM, codes, last + 1)) continue
    spans.push({ start, end: last + 1 })
    free = first + length
  }
  return i
}

// The remainder of the number whose country and check digits were moved to its end.
function remainder(first: number, length: number): number {
  const head = first + 4
  const end = first + length
  return (restBetween(head, end) * power(first, head) + restBetween(first, head)) % 97
}

const restBetween = (from: number, to: number): number =>
  ((REST[to] ?? 0) + 97 * 97 - (REST[from] ?? 0) * power(from, to)) % 97

/** The factor of digits that stand in front of so many letters and digits. The powers of 10 repeat after 96. */
const power = (from: number, to: number): number =>
  POWERS[((DECIMALS[to] ?? 0) - (DECIMALS[from] ?? 0)) % 96] ?? 1

const isSeparator = (code: number): boolean => code === 0x20 || code === 0x2d

const NONE = 255
/** The value of A. */
const LETTER_MIN = 10
const VALUES = new Uint8Array(256).fill(NONE)
for (const char of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ') {
  VALUES[char.charCodeAt(0)] = Number.parseInt(char, 36)
  VALUES[char.toLowerCase().charCodeAt(0)] = Number.parseInt(char, 36)
}
/** A piece of a chain: where each letter or digit stands, and which of them begin words. */
const CHAIN_MAX = 1_024
const INDEX = new Int32Array(CHAIN_MAX)
const WORDS = new Int32Array(CHAIN_MAX)
/** Up to each of them: the remainder of 97, and the digits of the number, in which a letter is 10 to 35. */
const REST = new Uint8Array(CHAIN_MAX + 1)
const DECIMALS = new Int32Array(CHAIN_MAX + 1)
/** The remainder of 97 behind each of them, by that before it and its value. */
const RESTS = new Uint8Array(97 << 6)
for (let rest = 0; rest < 97; rest++)
  for (let value = 0; value < 36; value++)
    RESTS[(rest << 6) | value] = (rest * (value < 10 ? 10 : 100) + value) % 97
const POWERS = new Uint8Array(96)
for (let i = 0, power = 1; i < 96; i++, power = (power * 10) % 97) POWERS[i] = power
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
