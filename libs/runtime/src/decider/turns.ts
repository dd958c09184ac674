import type { Partition } from './partition.ts'

/** The order of the work: one piece after the other for each key, and not too much at once. */
export type Turns = {
  /** Runs after everything that this key already waits for. */
  take<State>(partition: Partition<State>, key: string, run: () => Promise<void>): Promise<void>
  /** Resolves when no more than the limit is under way. */
  relieved(): Promise<void>
}

export function turnsWith(onFailure: (cause: unknown) => void): Turns {
  let underWay = 0
  let relief = Promise.withResolvers<void>()
  return {
    async take({ chains }, key, run) {
      underWay++
      const after = (chains.get(key) ?? Promise.resolve()).then(run).catch(onFailure)
      chains.set(key, after)
      await after
      if (chains.get(key) === after) chains.delete(key)
      underWay--
      if (underWay > UNDER_WAY_MAX) return
      relief.resolve()
      relief = Promise.withResolvers<void>()
    },
    async relieved() {
      while (underWay > UNDER_WAY_MAX) await relief.promise
    },
  }
}

const UNDER_WAY_MAX = 5_000
