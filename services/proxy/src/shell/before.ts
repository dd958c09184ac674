/** The answer of `before` when the lasting promise settled first. */
export const OVER = Symbol('over')

/**
 * Waits for something short, but not longer than something that lasts. `Promise.race` would leave a reaction on the
 * lasting promise for every wait, which a session of a million requests would never give back.
 */
export function before<T>(lasting: Promise<unknown>, short: Promise<T>): Promise<T | typeof OVER>
/** The same with an answer of its own: where two such waits are nested, it tells which of them was over. */
export function before<T, O extends symbol>(
  lasting: Promise<unknown>,
  short: Promise<T>,
  over: O,
): Promise<T | O>
export function before(
  lasting: Promise<unknown>,
  short: Promise<unknown>,
  over: symbol = OVER,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const waiters = waitersOf(lasting)
    const isOver = (): void => resolve(over)
    waiters.add(isOver)
    short.then(
      (value) => {
        waiters.delete(isOver)
        resolve(value)
      },
      (cause: unknown) => {
        waiters.delete(isOver)
        reject(cause)
      },
    )
  })
}

/** Each lasting promise has one reaction of ours; it tells whoever waits when it settles. */
function waitersOf(lasting: Promise<unknown>): Set<() => void> {
  const known = WAITERS.get(lasting)
  if (known !== undefined) return known
  const waiters = new Set<() => void>()
  WAITERS.set(lasting, waiters)
  const settled = (): void => {
    // A later caller attaches a reaction of its own, which runs at once.
    WAITERS.delete(lasting)
    for (const over of waiters) over()
  }
  lasting.then(settled, settled)
  return waiters
}

const WAITERS = new WeakMap<Promise<unknown>, Set<() => void>>()
