/** Keeps the newest entries of a map or a set, in the order in which they were added, up to a bound. */
export function keepNewest<K>(
  all: { readonly size: number; keys(): Iterable<K>; delete(key: K): boolean },
  max: number,
): void {
  for (const key of all.keys()) {
    if (all.size <= max) return
    all.delete(key)
  }
}
