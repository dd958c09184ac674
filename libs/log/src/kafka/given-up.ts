import type { Appending } from '../appending.ts'

/**
 * The keys that lost a record, so that none of their records overtakes it: its caller may append it again, and then it
 * must not stand behind one that was appended after it. A record appended once the loss is known is not held back.
 */
export type GivenUp = {
  /** Notes a record whose call was given up; as far as we know it will never be in the log. */
  note(key: string, call: Appending): void
  /** True if a record that was appended at this time follows one of its key that was given up after that time. */
  isOvertaking(key: string, appendedAtMs: number): boolean
  /** Forgets all keys, once no record that was appended before is left. */
  clear(): void
}

export function givenUp(): GivenUp {
  // bound: as long as one queue, which never empties while Kafka is away
  const keys = new Map<string, number>()
  return {
    note(key, call) {
      const atMs = call.givenUpAtMs()
      if (atMs !== null) keys.set(key, Math.max(atMs, keys.get(key) ?? 0))
    },
    isOvertaking: (key, appendedAtMs) => appendedAtMs <= (keys.get(key) ?? -Infinity),
    clear: () => keys.clear(),
  }
}
