/** Work that is done in steps of some milliseconds at most; between them, others have their turn. */
export type Steps<T> = Generator<readonly never[], T>

/** Does the work in one go, for few items. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Does something to each item. */
export function* eachOf<T>(items: Iterable<T>, take: (item: T) => void): Steps<void> {
  let count = 0
  for (const item of items) {
    take(item)
    count++
    if (count % STEP === 0) yield []
  }
}

/** The items in order; those that compare as equal stay as they are. */
export function* sorted<T>(items: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let runs: T[][] = []
  for (let from = 0; from < items.length; from += STEP) {
    runs.push(items.slice(from, from + STEP).sort(compare))
    yield []
  }
  while (runs.length > 1) {
    const merged: T[][] = []
    for (let at = 0; at < runs.length; at += 2)
      merged.push(yield* mergedOf(runs[at] ?? [], runs[at + 1] ?? [], compare))
    runs = merged
  }
  return runs[0] ?? []
}

function* mergedOf<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
): Steps<T[]> {
  const all: T[] = []
  let [ofA, ofB] = [0, 0]
  for (;;) {
    const [first, second] = [a[ofA], b[ofB]]
    if (first !== undefined && (second === undefined || compare(first, second) <= 0)) {
      all.push(first)
      ofA++
    } else if (second !== undefined) {
      all.push(second)
      ofB++
    } else return all
    if (all.length % STEP === 0) yield []
  }
}

/** The number of items of one step. */
export const STEP = 500
