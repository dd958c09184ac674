/** A bounded memory of what was computed before. */
export type Cache<T> = {
  get(key: string): T | undefined
  set(key: string, value: T): void
}

/**
 * Two generations: an entry that was not used while a whole generation filled up is forgotten. A hit in the
 * young one moves nothing, so it costs one look-up. The bounds hold for both generations together.
 */
export function recentlyUsed<T>(entriesMax: number, bytesMax: number): Cache<T> {
  // bound: as long as one cache; half of entriesMax and of bytesMax
  let young = new Map<string, T>()
  // bound: as long as one cache; half of entriesMax and of bytesMax
  let old = new Map<string, T>()
  let bytes = 0

  function set(key: string, value: T): void {
    const cost = costOf(key)
    if (cost > bytesMax / 2) return
    if (young.size + 1 > entriesMax / 2 || bytes + cost > bytesMax / 2) {
      old = young
      young = new Map()
      bytes = 0
    }
    if (!young.has(key)) bytes += cost
    young.set(key, value)
  }

  function get(key: string): T | undefined {
    const hit = young.get(key)
    if (hit !== undefined) return hit
    const older = old.get(key)
    if (older !== undefined) set(key, older)
    return older
  }

  return { get, set }
}

/** Two bytes per character, and what the entry itself takes. */
const costOf = (key: string): number => key.length * 2 + 200
