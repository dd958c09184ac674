import { after } from './long-wait.ts'

/** The promise, or false when it does not settle in time. The promise goes on; its later error is ignored. */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | false> {
  const late = Promise.withResolvers<false>()
  using _limit = after(limitMs, () => late.resolve(false))
  promise.catch(() => undefined)
  return await Promise.race([promise, late.promise])
}
