import { Problem, messageOf } from '@countersign/kernel'
import { hangLastNet } from './last-net.ts'
import { createLogger } from './logger.ts'

/** Runs a service. A failure is printed with its code and next step, and the exit status is 1. */
export async function startService(service: string, run: () => Promise<void>): Promise<void> {
  hangLastNet(createLogger(service, 'info'))
  try {
    await run()
    process.exitCode = 0
  } catch (thrown) {
    const code = thrown instanceof Problem ? `${thrown.code}: ` : ''
    const hint = thrown instanceof Problem && thrown.hint !== null ? `\n  next: ${thrown.hint}` : ''
    process.stderr.write(`${service}: ${code}${messageOf(thrown)}${hint}\n`)
    if (!(thrown instanceof Problem) && thrown instanceof Error)
      process.stderr.write(`${thrown.stack ?? ''}\n`)
    process.exitCode = 1
  }
  // Sockets of libraries must not keep a service alive that has ended.
  setTimeout(() => process.exit(), 1_000).unref()
}
