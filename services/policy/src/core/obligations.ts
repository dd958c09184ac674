import type { Coverage, Recording } from '@countersign/contracts'
import type { Answer } from './policy-set.ts'

/** The obligations that permits demand in return. */
export type Obligations = {
  /** Names of chains; all of them must grant. */
  readonly reviews: readonly string[]
  readonly recording: Recording
  readonly coverage: Coverage
}

type Permitted = Extract<Answer, { status: 'permitted' }>

/** The strictest obligations of all determining permits: every review, the fullest recording, the least coverage. */
export function obligationsOf(
  answers: readonly Permitted[],
  recordingOfProfile: Recording,
): Obligations {
  const permits = answers.flatMap((answer) => answer.permits)
  const named = (name: string): string[] => permits.flatMap((permit) => permit[name] ?? [])
  const records = named('record').map((value) => RECORDINGS[value] ?? 'Full')
  const covers = permits.map((permit) => COVERAGES[permit['cover'] ?? 'none'] ?? 'None')
  return {
    reviews: [...new Set(named('review'))].sort(),
    recording: first(FULLEST_FIRST, records) ?? recordingOfProfile,
    coverage: first(LEAST_FIRST, covers) ?? 'None',
  }
}

const first = <T>(order: readonly T[], given: readonly T[]): T | undefined =>
  order.find((each) => given.includes(each))

const FULLEST_FIRST: readonly Recording[] = ['Full', 'Statements']
const LEAST_FIRST: readonly Coverage[] = ['None', 'Exact', 'Shape']
const RECORDINGS: Readonly<Record<string, Recording>> = {
  full: 'Full',
  statements: 'Statements',
}
const COVERAGES: Readonly<Record<string, Coverage>> = {
  none: 'None',
  exact: 'Exact',
  shape: 'Shape',
}
