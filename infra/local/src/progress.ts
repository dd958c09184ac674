/** Runs a step that takes long, with a line before it and its time after it. */
export async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
  const since = performance.now()
  const result = await run()
  process.stderr.write(`· ${what} (${((performance.now() - since) / 1000).toFixed(1)} s)\n`)
  return result
}

/** One line about what happens now. */
export const say = (text: string): void => void process.stderr.write(`· ${text}\n`)
