import { hasDigits, type Span, spansOf } from './span.ts'

/**
 * Social security numbers of the United States. Method: ddd-dd-dddd in the ranges that are given out.
 * Limits: numbers without dashes are not found.
 */
export function ssn(text: string): Span[] {
  return text.includes('-') && hasDigits(text, 9) ? spansOf(text, SSN) : []
}

const SSN = /(?<!\d)(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?!\d)/g
