import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { invokedAs } from './invocation.ts'

/** The world around the commands, which a test can replace. */
export type Io = {
  out(text: string): void
  err(text: string): void
  /** Resolves when the output has room for more; at once where that is not known. */
  drained?(): Promise<void>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  /** True if a person looks at the output. */
  readonly isTerminal: boolean
  nowMs(): number
  /** Asks the person at the terminal; null where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | null
  /** The words that were typed to call us. */
  readonly invokedAs?: string
}

/** The process itself. */
export const processIo = (): Io => ({
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  drained: drainOf(process.stdout),
  env: process.env,
  workingDirectory: process.cwd(),
  isTerminal: process.stdout.isTTY,
  nowMs: () => Date.now(),
  ask: process.stdin.isTTY && process.stdout.isTTY ? asked : null,
  invokedAs: invokedAs(process.env, process.cwd()),
})

/** Waits until a stream takes more; all who wait at once wait for the same event. */
export function drainOf(stream: Writable): () => Promise<void> {
  let waiting: Promise<unknown> | null = null
  return async () => {
    if (!stream.writableNeedDrain) return
    waiting ??= once(stream, 'drain').finally(() => (waiting = null))
    await waiting
  }
}

async function asked(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  // The end of the input counts as an empty answer.
  const closed = once(terminal, 'close').then(() => '')
  const answer = await Promise.race([terminal.question(question), closed])
  terminal.close()
  return answer
}
