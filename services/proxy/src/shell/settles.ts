import { after } from '@countersign/kernel'

/** True if a promise settles within the limit, in milliseconds. */
export async function settlesWithin(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  using _timer = after(limitMs, () => late.resolve(false))
  const settled = (): boolean => true
  return Promise.race([promise.then(settled, settled), late.promise])
}
