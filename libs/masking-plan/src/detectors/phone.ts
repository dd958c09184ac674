import { hasDigits, type Span, spansOf } from './span.ts'

/**
 * Telephone numbers. Method: a plus and 8 to 15 digits with up to two separators between them, 00 for the plus and 10
 * to 15 digits, or the two North American notations with an area code. Limits: national numbers of other countries and
 * those of North America without separators are not found; a number that is filled up with two zeros may be taken for one.
 */
export function phone(text: string): Span[] {
  if (!hasDigits(text, 8)) return []
  const international = text.includes('+') ? spansOf(text, INTERNATIONAL) : []
  const dialled = text.includes('00') ? spansOf(text, DIALLED) : []
  return [...international, ...dialled, ...spansOf(text, NORTH_AMERICAN)]
}

const INTERNATIONAL = /(?<![\w+])\+\d(?:[ ().\/-]{0,2}\d){7,14}(?!\d)/g
// Fewer digits are more often an identifier with leading zeros.
const DIALLED = /(?<![\w+.-])00[1-9](?:[ ().\/-]{0,2}\d){9,14}(?!\w)/g
const NORTH_AMERICAN = /(?<![\d-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\d-])/g
