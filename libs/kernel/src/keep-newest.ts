/** Keeps the newest entries of a map or a set, in the order in which they were added, up to a bound. */
export function keepNewest<K>(
  all: { readonly size: number; keys(): Iterable<K>; delete(key: K): boolean },
  max: number,
): void {
  if (all.size <= max) return
  for (const key of all.keys()) {
    all.delete(key)
    if (all.size <= max) return
  }
}
