import type { EffectName } from './facts.ts'

/** Kinds of danger, worst first. */
export const DANGERS = ['anything', 'rights', 'loss', 'deletion', 'definition', 'none'] as const

export type Danger = (typeof DANGERS)[number]

/** The worst danger of some effects. */
export const dangerOf = (effects: Iterable<EffectName>): Danger =>
  worstOf([...effects].map((effect) => OF_EFFECTS.get(effect) ?? 'none'))

export const worstOf = (dangers: readonly Danger[]): Danger =>
  DANGERS.find((danger) => dangers.includes(danger)) ?? 'none'

const OF_EFFECTS: ReadonlyMap<EffectName, Danger> = new Map([
  ['program', 'anything'],
  ['opaque', 'anything'],
  ['unknown', 'anything'],
  ['privilege-change', 'rights'],
  ['delete', 'deletion'],
  ['schema-change', 'definition'],
])

/** Things to tell people, each with its danger and how often it was said; of each danger so many are kept, all are counted. */
export type Telling = {
  readonly said: Map<string, { readonly danger: Danger; times: number }>
  readonly kept: Map<Danger, number>
  readonly leftOut: Map<Danger, number>
}

export const newTelling = (): Telling => ({
  // bound: KEPT_MAX of each danger
  said: new Map(),
  // bound: one per danger
  kept: new Map(),
  // bound: one per danger
  leftOut: new Map(),
})

export function tell({ said, kept, leftOut }: Telling, text: string, danger: Danger): void {
  const known = said.get(text)
  if (known !== undefined) return void known.times++
  const count = kept.get(danger) ?? 0
  if (count >= KEPT_MAX) return void leftOut.set(danger, (leftOut.get(danger) ?? 0) + 1)
  kept.set(danger, count + 1)
  said.set(text, { danger, times: 1 })
}

/** The part of a telling that people read. */
export type Told = {
  readonly texts: readonly { readonly text: string; readonly times: number }[]
  /** True where the worst stands first; few things stand in their own order. */
  readonly isSorted: boolean
  /** The number of things that are left out, and in words the dangers among them. */
  readonly leftOut: number
  readonly dangers: string
}

/** Chooses what is shown by its danger, wherever it stands, so that nothing harmless can stand in front of what is not. */
export function told({ said, leftOut }: Telling, shownMax: number): Told {
  const all = [...said].map(([text, { danger, times }]) => ({ text, danger, times }))
  const isSorted = all.length > IN_ORDER_MAX
  const sorted = isSorted
    ? DANGERS.flatMap((danger) => all.filter((each) => each.danger === danger))
    : all
  // bound: one per danger
  const left = new Map(leftOut)
  for (const { danger, times } of sorted.slice(shownMax))
    left.set(danger, (left.get(danger) ?? 0) + times)
  const dangers = DANGERS.flatMap((danger) => {
    const [count, words] = [left.get(danger) ?? 0, WORDS.get(danger)]
    return count > 0 && words !== undefined ? [`${count} ${words}`] : []
  })
  return {
    texts: sorted.slice(0, shownMax),
    isSorted,
    leftOut: [...left.values()].reduce((sum, each) => sum + each, 0),
    dangers: dangers.length === 0 ? '' : ` (${dangers.join(', ')})`,
  }
}

const WORDS: ReadonlyMap<Danger, string> = new Map([
  ['anything', 'may do anything'],
  ['rights', 'change rights'],
  ['loss', 'drop something or touch every row'],
  ['deletion', 'delete rows'],
  ['definition', 'change definitions'],
])

const IN_ORDER_MAX = 10
const KEPT_MAX = 50
