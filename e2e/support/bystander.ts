import type { System } from '@countersign/local'
import { toServer } from '@countersign/postgres-wire'
import { openWire, told } from './wire.ts'

/** An agent that only runs small SELECTs, to measure how much others slow it down. */
export type Bystander = {
  /** Ends it and gives the durations of its statements in milliseconds, the shortest first. */
  leave(): Promise<number[]>
}

/** Runs one small statement after another until it is told to leave. Any wrong answer is an error. */
export async function bystander(system: System): Promise<Bystander> {
  const wire = await openWire(system, 'shop-dev')
  const latencies: number[] = []
  let isLeaving = false
  const asking = (async () => {
    while (!isLeaving) {
      const since = performance.now()
      wire.send(toServer.query("select 'undisturbed'"))
      const heard = told(await wire.ready())
      if (!heard.includes('row undisturbed')) throw new Error(heard.join(' | '))
      latencies.push(performance.now() - since)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  asking.catch(() => undefined)
  return {
    async leave() {
      isLeaving = true
      await asking
      wire.end()
      return latencies.toSorted((a, b) => a - b)
    },
  }
}

/** The value below which this share of a sorted list lies; 0 for an empty list. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
