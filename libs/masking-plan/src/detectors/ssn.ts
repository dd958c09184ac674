import { hasDigits, type Span, spansOf } from './span.ts'

/**
 * Social security numbers of the United States. Method: ddd-dd-dddd in the ranges that are given out, or with spaces or
 * dots for both dashes. Limits: numbers without separators are not found, since any nine digits are such a number.
 */
export function ssn(text: string): Span[] {
  return hasDigits(text, 9) ? spansOf(text, SSN) : []
}

const SSN = /(?<!\d)(?!000|666|9)\d{3}([-. ])(?!00)\d{2}\1(?!0000)\d{4}(?!\d)/g
