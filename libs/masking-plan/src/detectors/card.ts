import { hasDigits, isDigit, type Span } from './span.ts'

/**
 * Payment card numbers. Method: 13 to 19 digits with single spaces, dashes or dots between them, starting
 * and ending where the digits do, with the prefix and length of a known scheme and a right Luhn
 * digit. A dot alone is that of a decimal number, so dots stand between groups. Limits: other separators and numbers inside longer runs of digits are not found; about one
 * in ten random numbers of such a prefix and length is taken for a card.
 */
export function card(text: string): Span[] {
  if (!hasDigits(text, 13)) return []
  const spans: Span[] = []
  for (let i = 0; i < text.length; i++) {
    if (!isDigit(text.charCodeAt(i)) || isDigit(text.charCodeAt(i - 1))) continue
    const end = cardEnd(text, i)
    if (end === null) continue
    spans.push({ start: i, end })
    i = end - 1
  }
  return spans
}

/** Whether the digits are a payment card number. */
export function isCard(digits: string): boolean {
  return SCHEMES.some((scheme) => scheme.test(digits)) && luhn(digits)
}

function cardEnd(text: string, start: number): number | null {
  let digits = ''
  let found: number | null = null
  for (let i = start; i < text.length && digits.length < 19; i++) {
    const code = text.charCodeAt(i)
    if (isDigit(code)) digits += text.charAt(i)
    else if (!SEPARATOR.has(code) || !isDigit(text.charCodeAt(i + 1))) break
    if (digits.length < 13 || !isDigit(code) || isDigit(text.charCodeAt(i + 1))) continue
    if (isCard(digits) && areSeparators(text.slice(start, i + 1))) found = i + 1
  }
  return found
}

const areSeparators = (number: string): boolean => !number.includes('.') || DOTTED.test(number)

function luhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 0x30
    sum += i % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9
  }
  return sum % 10 === 0
}

/** A space, also one that does not break, a dash and a dot. */
const SEPARATOR: ReadonlySet<number> = new Set([0x20, 0xa0, 0x2d, 0x2e])
const DOTTED = /^\d{4}(?:\.\d{3,7}){2,4}$/
// Visa, Mastercard, Mastercard's 2 series, American Express, Diners and JCB, Maestro, Discover and UnionPay.
const SCHEMES: readonly RegExp[] = [
  /^4(?:\d{12}|\d{15}|\d{18})$/,
  /^5[1-5]\d{14}$/,
  /^2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$/,
  /^3[47]\d{13}$/,
  /^3(?:0|5|6|8|9)\d{12,17}$/,
  /^(?:50|5[6-9]|6\d)\d{11,17}$/,
]
