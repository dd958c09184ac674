import { keepNewest } from './keep-newest.ts'

/**
 * Values that many hold and that are large, so that each is held once. Those that were asked for last stay, up to a weight
 * in all and at least one; of the others only what somebody still holds is found again.
 */
export type Sharing<V extends object> = {
  /** The value under this key, or else the one that is made now. */
  get(key: string, weight: number, make: () => V): V
}

/** Shares values, and keeps them up to this weight, in whatever unit `get` is told. */
export function sharing<V extends object>(weightMax: number): Sharing<V> {
  // bound: KEYS_MAX
  const held = new Map<string, WeakRef<V>>()
  // bound: KEYS_MAX
  const recent = new Map<string, { readonly value: V; readonly weight: number }>()
  let kept = 0

  return {
    get(key, weight, make) {
      const known = held.get(key)?.deref()
      const value = known ?? make()
      if (known === undefined) {
        held.delete(key)
        held.set(key, new WeakRef(value))
        keepNewest(held, KEYS_MAX)
      }
      keep(key, value, weight)
      return value
    },
  }

  function keep(key: string, value: V, weight: number): void {
    kept += weight - (recent.get(key)?.weight ?? 0)
    recent.delete(key)
    recent.set(key, { value, weight })
    for (const [oldest, { weight }] of recent) {
      if ((kept <= weightMax && recent.size <= KEYS_MAX) || oldest === key) return
      recent.delete(oldest)
      kept -= weight
    }
  }
}

const KEYS_MAX = 1_024
