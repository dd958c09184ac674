import { messageOf, Problem } from '@countersign/kernel'

/** Runs a command. A failure is printed as one clear message with the next step, and gives status 1. */
export async function reported(run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (thrown) {
    const code = thrown instanceof Problem ? `${thrown.code}: ` : ''
    const hint = thrown instanceof Problem && thrown.hint !== null ? `\n  next: ${thrown.hint}` : ''
    process.stderr.write(`countersign: ${code}${messageOf(thrown)}${hint}\n`)
    if (!(thrown instanceof Problem) && thrown instanceof Error)
      process.stderr.write(`${thrown.stack ?? ''}\n`)
    process.exitCode = 1
  }
}
