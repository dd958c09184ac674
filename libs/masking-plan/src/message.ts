import { MASKED } from './method.ts'
import type { MaskingPlan } from './plan.ts'
import { scannerOf } from './scanner.ts'

/**
 * Masks the text of an error or a notice. Purpose: servers quote values in it. Method: of a tainted
 * statement everything from the first quote to the last and from the first parenthesis to the last
 * goes, because a value may hold quotes and parentheses itself; then the detectors. Pseudonyms are
 * redacted here, for want of a key. Limits: names in quotes go too; what a function raises without
 * quotes stays, unless a detector knows it.
 */
export function maskMessage(plan: MaskingPlan, text: string, tainted: boolean): string {
  const scanner = scannerOf(plan, NO_KEY)
  if (scanner === null) return MASKED
  try {
    const isClosed = tainted || plan.untagged === 'Redact'
    return scanner.mask(isClosed ? withoutQuoted(text) : text) ?? MASKED
  } catch {
    return MASKED
  }
}

function withoutQuoted(text: string): string {
  const parts = [QUOTE, PARENTHESIS].flatMap((sign): [number, number][] => {
    const found = [...text.matchAll(sign)].map(({ index }) => index)
    const [first] = found
    if (first === undefined) return []
    // One sign alone opens something that was cut off.
    return [[first, found.length === 1 ? text.length : (found.at(-1) ?? first) + 1]]
  })
  parts.sort(([one], [other]) => one - other)
  let out = ''
  let at = 0
  for (const [start, end] of parts) {
    if (end <= at) continue
    if (start >= at) out += text.slice(at, start) + MASKED
    at = end
  }
  return out + text.slice(at)
}

// Quotes of the languages that PostgreSQL speaks.
const QUOTE = /["'`“”„‚‘’«»‹›「」『』]/gu
const PARENTHESIS = /[()（）]/gu
const NO_KEY = new Uint8Array()
