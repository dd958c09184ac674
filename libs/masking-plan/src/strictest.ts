import type { MaskingMethod } from '@countersign/contracts'
import type { Tagged } from './column-rules.ts'

/** The tag, of several for the same values, whose method shows least; inference is masked where any of them says so. */
export function strictest(all: readonly Tagged[]): Tagged | null {
  const [first, ...others] = all
  if (first === undefined) return null
  const found = others.reduce((least, each) => (shows(each) < shows(least) ? each : least), first)
  return { ...found, masksInference: all.some(({ masksInference }) => masksInference === true) }
}

const shows = ({ method }: Tagged): number => SHOWING_LEAST_FIRST.indexOf(method)

// NULL hides which values are NULL, a pseudonym tells which are equal, and a part tells of the value itself.
const SHOWING_LEAST_FIRST: readonly MaskingMethod[] = ['Null', 'Redact', 'Pseudonym', 'Partial']
