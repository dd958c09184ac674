/** What the commands know of the world around them, so that tests can be that world. */
export type Io = {
  out(text: string): void
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  /** Whether a person looks at the output. */
  readonly isTerminal: boolean
  nowMs(): number
}

/** The process itself. */
export const processIo = (): Io => ({
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  workingDirectory: process.cwd(),
  isTerminal: process.stdout.isTTY,
  nowMs: () => Date.now(),
})
