import type { MaskingMethod } from '@countersign/contracts'
import { detect, type DetectorName, detectInBytes, isDetectorName } from './detect.ts'
import { MASKED, maskedText } from './method.ts'
import type { MaskingPlan } from './plan.ts'

/** The detectors of a plan, ready to use. */
export type Scanner = {
  readonly names: readonly DetectorName[]
  /** The text with its hits masked, itself without any, null when a hit makes the value NULL. */
  mask(text: string): string | null
  /** Like `mask`, but only for values that are secrets because of the name before them. */
  maskKeyed(text: string): string | null
  /** True if bytes of any encoding hold a hit. */
  hits(bytes: Buffer): boolean
}

/** The detectors of the plan; null when it names one that this version does not know. */
export function scannerOf(plan: MaskingPlan, key: Uint8Array): Scanner | null {
  const methods = new Map<DetectorName, MaskingMethod>()
  for (const { name, method } of plan.detectors) {
    if (!isDetectorName(name)) return null
    methods.set(name, method)
  }
  const names = [...methods.keys()]
  const keyed = names.filter((name) => name === 'api-key' || name === 'aws-key')
  const masked =
    (names: readonly DetectorName[]) =>
    (text: string): string | null => {
      const hits = names.length === 0 ? [] : detect(text, names)
      if (hits.length === 0) return text
      let out = ''
      let at = 0
      let pseudonyms = 0
      for (const { name, start, end, isShowable } of hits) {
        const method = methods.get(name) ?? 'Redact'
        if (method === 'Null') return null
        const isWhole =
          (method === 'Partial' && !isShowable) ||
          (method === 'Pseudonym' && ++pseudonyms > PSEUDONYMS_MAX)
        const shown = isWhole ? 'Redact' : method
        const hit = text.slice(start, end)
        out += text.slice(at, start) + (maskedText(shown, name, hit, key) ?? MASKED)
        at = end
      }
      return out + text.slice(at)
    }
  return {
    names,
    hits: (bytes) => names.length > 0 && detectInBytes(bytes, names),
    mask: masked(names),
    maskKeyed: masked(keyed),
  }
}

/** Each costs some 10 µs on the loop; above this many the hits of one text are masked whole. */
export const PSEUDONYMS_MAX = 256
