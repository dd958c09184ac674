import { type Logger, netOn, turns } from '@countersign/runtime'
import type { Asker, Shares } from '../core/shares.ts'

/** Runs a short piece of work for somebody, when it is their turn. */
export type InTurn = <T>(asker: Asker, work: () => T) => Promise<T>

/** Runs each piece of work at once, for callers for whom nobody else waits. */
export const atOnce: InTurn = async (_asker, work) => work()

/**
 * Shares the event loop among agents: each piece of work is charged to whom it is for, and between two of them, of those
 * that wait, whoever has used least comes first. The loop is given to others every few milliseconds.
 */
export function loopTurns({ logger, shares }: { logger: Logger; shares: Shares }): InTurn {
  const net = netOn(logger)
  // bound: one per session, which asks about one request at a time
  const waiting: { readonly asker: Asker; run(): void }[] = []
  let isRunning = false

  async function run(): Promise<void> {
    isRunning = true
    const turn = turns(() => performance.now())
    try {
      for (;;) {
        const beganMs = performance.now()
        const next = shares.next(waiting, beganMs)
        if (next === null) return
        next.run()
        const nowMs = performance.now()
        shares.charge(next.asker, nowMs - beganMs, nowMs)
        await turn.next()
      }
    } finally {
      isRunning = false
    }
  }

  return (asker, work) => {
    const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof work>>()
    waiting.push({
      asker,
      run() {
        try {
          resolve(work())
        } catch (cause) {
          reject(cause)
        }
      },
    })
    if (!isRunning) net.detached('turns of the loop', run())
    return promise
  }
}
