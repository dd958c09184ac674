import { textHidesHit } from './encoded.ts'
import { REDACTED } from './methods.ts'
import type { MaskingPlan } from './plan-for.ts'
import { detectorMethods, maskedSpans } from './row-mask.ts'

/**
 * Masks the text of an error or a notice. Where the statement touches a tagged column, everything that is quoted may be
 * a value and goes wholesale; detectors look at the rest. Known limit, exercised by a test: names in quotes go too.
 */
export function maskMessage(plan: MaskingPlan, text: string, tainted: boolean): string {
  const quoted = tainted || plan.untagged === 'Redact' ? text.replace(QUOTED, replacement) : text
  const found = detectorMethods(plan)
  const masked = maskedSpans(quoted, found, NO_KEY)
  return masked === null || textHidesHit(masked, [...found.keys()]) ? REDACTED : masked
}

/** `Key (email)=(x)`, `Failing row contains (…)`, "…", '…', and what follows a colon at the end. */
const QUOTED = /=\([\s\S]*\)|contains \([\s\S]*\)|"[\s\S]*"|'[\s\S]*'|(?<=: )\S[\s\S]*$/g

const replacement = (found: string): string => (found.startsWith('=') ? `=(${REDACTED})` : REDACTED)

/** A hit in a message is never given a pseudonym that could be looked up: the key is of no value. */
const NO_KEY = Buffer.alloc(32)
