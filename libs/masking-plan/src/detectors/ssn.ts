import { codeAt } from './chars.ts'
import { areDigits, isDigit, type NumberDetector } from './span.ts'

/**
 * Social security numbers of the United States. Method: ddd-dd-dddd in the ranges that are given out (Social Security
 * Administration, POMS RM 10201.035), or with spaces or dots for both dashes. Limits: numbers without separators are not
 * found, since any nine digits are such a number.
 */
export const ssn: NumberDetector = (codes, from, to, spans) => {
  for (let i = from; i < to; i++) {
    if (!isDigit(codes[i] ?? 0) || isDigit(codeAt(codes, i - 1))) continue
    const separator = codeAt(codes, i + 3)
    if (separator !== DASH && separator !== BLANK && separator !== DOT) continue
    if (codeAt(codes, i + 6) !== separator || isDigit(codeAt(codes, i + LENGTH))) continue
    if (!isGivenOut(codes, i)) continue
    spans.push({ start: i, end: i + LENGTH })
    i += LENGTH - 1
  }
}

/** No area 000, 666 or from 900 on, no group 00, no serial 0000. */
function isGivenOut(codes: Uint8Array, start: number): boolean {
  if (!areDigits(codes, start, 3) || !areDigits(codes, start + 4, 2)) return false
  if (!areDigits(codes, start + 7, 4) || codes[start] === NINE) return false
  if (areAll(SIX, codes, start, 3) || areAll(ZERO, codes, start, 3)) return false
  return !areAll(ZERO, codes, start + 4, 2) && !areAll(ZERO, codes, start + 7, 4)
}

function areAll(code: number, codes: Uint8Array, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (codes[i] !== code) return false
  return true
}

const LENGTH = 11
const DASH = 0x2d
const BLANK = 0x20
const DOT = 0x2e
const ZERO = 0x30
const SIX = 0x36
const NINE = 0x39
