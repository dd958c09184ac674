/**
 * Runs `work` on each item, on at most `atOnceMax` at the same time. It ends only when nothing is under way any more,
 * also after a failure, which it then throws.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnceMax: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items[Symbol.iterator]()
  const one = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value)
  }
  const runs = Array.from({ length: atOnceMax }, one)
  await Promise.allSettled(runs)
  await Promise.all(runs)
}
