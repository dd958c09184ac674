import { processIo } from './io.ts'
import { run } from './run.ts'

// A reader that stops early, such as head, is no failure.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'EPIPE') process.exit(0)
})
process.exitCode = await run(process.argv.slice(2), processIo())
