/** Resolves at the first Ctrl-C or SIGTERM; a second one ends at once, and the watcher ends what is left. */
export function interrupted(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let count = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      count += 1
      if (count > 1) process.exit(130)
      resolve(signal)
    })
  }
  return promise
}
