/** A condition over tests whose outcomes are not known; true or false where it always has the same outcome. */
export type Formula =
  | boolean
  | { readonly of: 'test'; readonly test: number; readonly outcomes: number }
  | { readonly of: 'all' | 'any'; readonly parts: readonly Formula[] }

/** The outcomes of a comparison, as bits: smaller 1, equal 2, greater 4. Another kind of test is false at 1, else true. */
export const OUTCOMES = 7
export const TRUE = 6

/** True where all parts are. */
export function all(parts: readonly Formula[]): Formula {
  if (parts.includes(false)) return false
  const open = parts.filter((part) => part !== true)
  return open.length === 0 || joined('all', open)
}

/** True where one of the parts is. */
export function any(parts: readonly Formula[]): Formula {
  if (parts.includes(true)) return true
  const open = parts.filter((part) => part !== false)
  return open.length > 0 && joined('any', open)
}

/** Tests stand first: they can be false in one way only, so that the first way that is looked for is mostly there. */
const joined = (of: 'all' | 'any', parts: readonly Formula[]): Formula => ({
  of,
  parts: [...parts.filter(isTest), ...parts.filter((part) => !isTest(part))],
})

const isTest = (part: Formula): boolean => typeof part === 'object' && part.of === 'test'

/**
 * True unless some outcomes of the tests make the formula false.
 *
 * Method: looks for such outcomes in one pass, and where that finds none tries all outcomes of all tests, as long as these
 * are few. Where they are many, what the one pass found is the answer; where it found none, that is true: the formula then
 * joins tests of the same thing that exclude each other, in a way that hides what it says.
 */
export function isAlwaysTrue(formula: Formula, ordered: Ordered = NOT_ORDERED): boolean {
  // bound: as long as one statement
  const left = new Map<number, number>()
  const isFalsified = falsify(formula, { left, trail: [] })
  // bound: as long as one statement
  const tests = new Map<number, number>()
  const size = count(formula, tests)
  const byThing = Map.groupBy(tests.keys(), (test) => ordered.get(test)?.thing ?? null)
  const rows = rowsOf(byThing)
  if (rows * size > WORK_MAX) return !isFalsified
  const choices = choicesOf(byThing, ordered)
  // Outcomes were found, and can come together.
  if (isFalsified && choices.every((choice) => choice.some((each) => each.every(isIn(left)))))
    return false
  for (let row = 0; row < rows; row++) {
    let rest = row
    for (const choice of choices) {
      for (const [test, outcome] of choice[rest % choice.length] ?? []) tests.set(test, outcome)
      rest = Math.floor(rest / choice.length)
    }
    if (!isTrue(formula, tests)) return false
  }
  return true
}

/** The tests that compare a thing with a number, where the outcome of one excludes outcomes of others. */
export type Ordered = ReadonlyMap<
  number,
  { readonly thing: number; readonly value: number; readonly isExchanged: boolean }
>

type Outcome = readonly [test: number, outcome: number]

const isIn =
  (left: ReadonlyMap<number, number>) =>
  ([test, outcome]: Outcome): boolean =>
    ((left.get(test) ?? OUTCOMES) & outcome) !== 0

/** The tests by the thing that they compare with a number; under null those that compare none. */
type ByThing = ReadonlyMap<number | null, readonly number[]>

/** The number of outcomes that all tests can have together, or more: see `choicesOf`. */
function rowsOf(byThing: ByThing): number {
  let rows = 1
  for (const [thing, tests] of byThing)
    rows *= thing === null ? 3 ** tests.length : 2 * tests.length + 1
  return rows
}

/**
 * The outcomes that tests can have together, of which one is chosen for each thing: it is one of the numbers that it is compared
 * with, or between two of them. Tests of other things have each outcome.
 */
function choicesOf(byThing: ByThing, ordered: Ordered): (readonly Outcome[])[][] {
  const single = (byThing.get(null) ?? []).map((test) =>
    [1, 2, 4].map((outcome): Outcome[] => [[test, outcome]]),
  )
  const compared = [...byThing].flatMap(([thing, ofThing]) => {
    if (thing === null) return []
    const values = new Set(ofThing.map((test) => ordered.get(test)?.value ?? 0))
    const sorted = [...values].sort((a, b) => a - b)
    // At 1, 3, 5, … it is the value itself.
    const at = new Map(sorted.map((value, index) => [value, 2 * index + 1]))
    const places = Array.from({ length: 2 * sorted.length + 1 }, (_, place) => place)
    return [
      places.map((place) =>
        ofThing.map((test): Outcome => {
          const { value = 0, isExchanged = false } = ordered.get(test) ?? {}
          const difference = Math.sign(place - (at.get(value) ?? 0)) * (isExchanged ? -1 : 1)
          return [test, 1 << (difference + 1)]
        }),
      ),
    ]
  })
  return [...single, ...compared]
}

// bound: nothing is ever put in here
const NOT_ORDERED: Ordered = new Map()

/** So many looks at a part of a formula take a few milliseconds. */
const WORK_MAX = 200_000

/** The outcomes that are left for each test that was met, and what they were before each step. */
type Search = {
  readonly left: Map<number, number>
  readonly trail: { readonly test: number; readonly before: number }[]
}

/** Takes outcomes away until the formula is false for all that are left. False where it fails: each part is tried once. */
function falsify(formula: Formula, search: Search): boolean {
  if (typeof formula === 'boolean') return !formula
  const { left, trail } = search
  if (formula.of === 'test') {
    const before = left.get(formula.test) ?? OUTCOMES
    const after = before & ~formula.outcomes
    if (after === 0) return false
    trail.push({ test: formula.test, before })
    left.set(formula.test, after)
    return true
  }
  if (formula.of === 'any') return formula.parts.every((part) => falsify(part, search))
  return formula.parts.some((part) => {
    const mark = trail.length
    if (falsify(part, search)) return true
    for (const { test, before } of trail.splice(mark).reverse()) left.set(test, before)
    return false
  })
}

function isTrue(formula: Formula, outcomes: ReadonlyMap<number, number>): boolean {
  if (typeof formula === 'boolean') return formula
  if (formula.of === 'test') return ((outcomes.get(formula.test) ?? 0) & formula.outcomes) !== 0
  return formula.of === 'all'
    ? formula.parts.every((part) => isTrue(part, outcomes))
    : formula.parts.some((part) => isTrue(part, outcomes))
}

/** The number of parts; notes each test. */
function count(formula: Formula, tests: Map<number, number>): number {
  if (typeof formula === 'boolean') return 1
  if (formula.of === 'test') {
    tests.set(formula.test, 0)
    return 1
  }
  return formula.parts.reduce((sum, part) => sum + count(part, tests), 1)
}
