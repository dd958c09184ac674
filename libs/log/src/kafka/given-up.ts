import type { Appending } from '../appending.ts'

/**
 * Which keys lost a record, so that none of theirs overtakes it: who gave it up may append it again, and then it must
 * not stand behind one that was appended after it. What is appended once that is known is another matter.
 */
export type GivenUp = {
  /** Notes a record that was given up, or will never be in the log for all we know. */
  note(key: string, call: Appending): void
  /** Whether a record that was appended at this time follows one of its key that was given up later. */
  isOvertaking(key: string, appendedAtMs: number): boolean
  /** Nothing that was appended before is left. */
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
