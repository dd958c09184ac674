import { hasDigits, type Span } from './span.ts'

/**
 * International bank account numbers. Method: a country of the register, its length, and a right
 * remainder of 97; spaces or dashes may stand between the characters, in either case.
 * Limits: a number right behind another letter or digit is not found, nor are countries that joined
 * the register later.
 */
export function iban(text: string): Span[] {
  if (!hasDigits(text, 8)) return []
  const spans: Span[] = []
  for (const match of text.matchAll(START)) {
    const length = LENGTHS.get(match[0].slice(0, 2).toUpperCase())
    const end = length === undefined ? null : ibanEnd(text, match.index, length)
    if (end !== null) spans.push({ start: match.index, end })
  }
  return spans
}

function ibanEnd(text: string, start: number, length: number): number | null {
  let account = ''
  let i = start
  for (; i < text.length && account.length < length; i++) {
    const char = text.charAt(i)
    if (ALNUM.test(char)) account += char.toUpperCase()
    else if (!/[ -]/.test(char) || !ALNUM.test(text.charAt(i + 1))) return null
  }
  if (account.length < length || ALNUM.test(text.charAt(i))) return null
  return remainder(account.slice(4) + account.slice(0, 4)) === 1 ? i : null
}

function remainder(account: string): number {
  let rest = 0
  for (const char of account) {
    const value = Number.parseInt(char, 36)
    rest = (value < 10 ? rest * 10 + value : rest * 100 + value) % 97
  }
  return rest
}

const START = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])/g
const ALNUM = /^[A-Za-z0-9]$/
// The IBAN registry of SWIFT: length, then the countries that have it.
const LENGTHS: ReadonlyMap<string, number> = new Map(
  Object.entries({
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
  }).flatMap(([length, countries]) =>
    countries.split(' ').map((country): [string, number] => [country, Number(length)]),
  ),
)
