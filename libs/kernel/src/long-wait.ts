/**
 * Runs something after this time, however long that is, unless it is disposed before. A timer of Node that is asked to wait
 * for more than 2^31-1 ms (24.8 days) ends at once, so a longer wait is made of several. A `NaN` runs at once.
 */
export function after(ms: number, run: () => void): Disposable {
  let timer: NodeJS.Timeout
  const wait = (leftMs: number): void => {
    timer =
      leftMs > TIMER_MS_MAX
        ? setTimeout(() => wait(leftMs - TIMER_MS_MAX), TIMER_MS_MAX)
        : setTimeout(run, leftMs >= 0 ? leftMs : 0)
  }
  wait(ms)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

/** Resolves after this time, however long that is. */
export const rested = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    after(ms, resolve)
  })

/** The longest time that one timer of Node can wait. */
const TIMER_MS_MAX = 2_147_483_647
