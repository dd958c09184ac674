/**
 * Does something with each of these, with at most this many at the same time. It is over when nothing is under way any
 * more: after a failure too, which it throws then.
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
