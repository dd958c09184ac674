import type { System } from '@countersign/local'
import { toServer } from '@countersign/postgres-wire'
import { openWire, told } from './wire.ts'

/** What an agent that does no more than `select` notices of what others do. */
export type Bystander = {
  /** Ends it; how long its statements took, in milliseconds, in order of length. */
  leave(): Promise<number[]>
}

/** Runs one small statement after the other until it is told to leave. Any answer but the right one is an error. */
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

/** The share of the whole at which a sorted list is cut. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
