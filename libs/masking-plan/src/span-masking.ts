import type { MaskingMethod } from '@countersign/contracts'
import { detect, type DetectorName, type Hit, isDetectorName } from './detect.ts'
import { maskedText } from './method.ts'
import type { MaskingPlan } from './plan.ts'

/** The detectors of a plan, ready to use. */
export type Detection = {
  readonly names: readonly DetectorName[]
  readonly methods: ReadonlyMap<DetectorName, MaskingMethod>
  readonly key: Uint8Array
}

/** The detectors of a plan; a name that is none is left out, the first of a name counts. */
export function detectionOf(plan: MaskingPlan, key: Uint8Array): Detection {
  const methods = new Map<DetectorName, MaskingMethod>()
  for (const { name, method } of plan.detectors) {
    if (isDetectorName(name) && !methods.has(name)) methods.set(name, method)
  }
  return { names: [...methods.keys()], methods, key }
}

/** The text with every hit masked; the same text when there is none, null when a hit asks for NULL. */
export function withHitsMasked(detection: Detection, text: string): string | null {
  const hits = detect(text, detection.names)
  return hits.length === 0 ? text : replaced(detection, text, hits)
}

function replaced(detection: Detection, text: string, hits: readonly Hit[]): string | null {
  let result = ''
  let at = 0
  for (const { name, start, end, method } of merged(detection, hits)) {
    const masked =
      method === 'Redact'
        ? `[${name}]`
        : maskedText({ method, tag: name, key: detection.key }, text.slice(start, end))
    if (masked === null) return null
    result += text.slice(at, start) + masked
    at = end
  }
  return result + text.slice(at)
}

type MethodHit = Pick<Hit, 'name' | 'start' | 'end'> & { readonly method: MaskingMethod }

// Hits that overlap become one, masked by the stricter method.
function merged(detection: Detection, hits: readonly Hit[]): MethodHit[] {
  const result: MethodHit[] = []
  for (const hit of hits) {
    const { name, start, end } = hit
    const method = methodOf(detection, hit)
    const before = result.at(-1)
    if (before === undefined || before.end <= start) {
      result.push({ name, start, end, method })
      continue
    }
    const stricter = STRICTNESS.indexOf(method) > STRICTNESS.indexOf(before.method)
    result[result.length - 1] = {
      name: stricter ? name : before.name,
      method: stricter ? method : before.method,
      start: before.start,
      end: Math.max(before.end, end),
    }
  }
  return result
}

// The last characters of an encoded value still say something, so it is never masked in part.
function methodOf(detection: Detection, hit: Hit): MaskingMethod {
  const method = detection.methods.get(hit.name) ?? 'Redact'
  return hit.encoded && method !== 'Null' ? 'Redact' : method
}

const STRICTNESS: readonly MaskingMethod[] = ['Partial', 'Pseudonym', 'Redact', 'Null']
