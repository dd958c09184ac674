import { isDigit, type Span } from './span.fixture.ts'

/**
 * Social security numbers of the United States. Method: ddd-dd-dddd in the ranges that are given out, or with spaces or
 * dots for both dashes. Limits: numbers without separators are not found, since any nine digits are such a number.
 */
export function ssn(text: string, from = 0, to = text.length): Span[] {
  const spans: Span[] = []
  for (let i = from; i < to; i++) {
    if (!isDigit(text.charCodeAt(i)) || isDigit(text.charCodeAt(i - 1))) continue
    const separator = text.charCodeAt(i + 3)
    if (separator !== DASH && separator !== BLANK && separator !== DOT) continue
    if (text.charCodeAt(i + 6) !== separator || isDigit(text.charCodeAt(i + LENGTH))) continue
    if (!SSN.test(text.slice(i, i + LENGTH))) continue
    spans.push({ start: i, end: i + LENGTH })
    i += LENGTH - 1
  }
  return spans
}

const SSN = /^(?!000|666|9)\d{3}.(?!00)\d{2}.(?!0000)\d{4}$/
const LENGTH = 11
const DASH = 0x2d
const BLANK = 0x20
const DOT = 0x2e
