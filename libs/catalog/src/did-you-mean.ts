/** The known name that was probably meant, as the end of a message; empty where none is near. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  const near = [...known]
    .map((name) => ({ name, distance: distanceOf(typed, name) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance)[0]
  return near === undefined ? '' : `; did you mean ${near.name}?`
}

/** Levenshtein's distance, where two letters that changed places count as one. */
function distanceOf(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > LENGTH_MAX || a.length > LENGTH_MAX) return Infinity
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const costs = [
        (row[j - 1] ?? 0) + 1,
        (last[j] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
        ...(a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? [(before[j - 2] ?? 0) + 1] : []),
      ]
      row.push(Math.min(...costs))
    }
    before = last
    last = row
  }
  return last[b.length] ?? Infinity
}

const LENGTH_MAX = 100
