/** The promise, or false when it does not settle in time. The promise goes on; its later error is nobody's. */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | false> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
  })
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
