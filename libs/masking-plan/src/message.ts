import type { MaskingPlan } from './plan.ts'
import { MASKED } from './method.ts'
import { detectionOf, withHitsMasked } from './span-masking.ts'

/**
 * The text of an error, notice or notification, masked.
 * Method: the detectors; of a tainted statement also everything quoted or listed, from the first
 * quote of a kind to the last, since a value may have quotes and parentheses of its own. Limits: a
 * value that a function puts into its own message without quotes stays unless a detector finds it.
 */
export function maskMessage(plan: MaskingPlan, text: string, tainted: boolean): string {
  try {
    const shown = tainted ? QUOTED.reduce((before, quoted) => before.replace(quoted, MASK), text) : text
    return withHitsMasked(detectionOf(inText(plan), NO_KEY), shown) ?? MASKED
  } catch {
    return MASKED
  }
}

// Messages are for people: there is no NULL, and a pseudonym would need the key here too.
function inText(plan: MaskingPlan): MaskingPlan {
  const detectors = plan.detectors.map(({ name, method }) => ({
    name,
    method: method === 'Partial' ? method : ('Redact' as const),
  }))
  return { ...plan, detectors }
}

const NO_KEY = new Uint8Array()
const MASK = `$1${MASKED}$2`
// An opening quote without its closing one reaches to the end; so does what stands behind
// "invalid input syntax …:".
const QUOTED: readonly RegExp[] = [
  /(=\().*(\)|$)/s,
  /(contains \().*(\)|$)/s,
  /(").*("|$)/s,
  /(«).*(»|$)/s,
  /([“„]).*([“”]|$)/s,
  /(').*('|$)/s,
  /(invalid input [^:]*: )(?!"\[masked\]").*()$/s,
]
