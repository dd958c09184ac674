import { hasDigits, type Span, spansOf } from './span.ts'

/**
 * Telephone numbers. Method: a plus and 8 to 15 digits with up to two separators between them, or
 * the two North American notations with an area code. Limits: national numbers of other countries
 * and international ones with 00 for the plus are not found.
 */
export function phone(text: string): Span[] {
  if (!hasDigits(text, 8)) return []
  const international = text.includes('+') ? spansOf(text, INTERNATIONAL) : []
  return [...international, ...spansOf(text, NORTH_AMERICAN)]
}

const INTERNATIONAL = /(?<![\w+])\+\d(?:[ ().\/-]{0,2}\d){7,14}(?!\d)/g
const NORTH_AMERICAN = /(?<![\d-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\d-])/g
