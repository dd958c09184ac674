import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { ROOT } from './paths.ts'

/** The outcome of a run of tests; each failure in a few words, to be read again at the end. */
export type Tally = { passed: number; failed: number; skipped: number; failures: string[] }

export const noTally = (): Tally => ({ passed: 0, failed: 0, skipped: 0, failures: [] })

/** Prints failures in full and slow tests by name, nothing else; leaves the tally in a file for its caller. */
async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally = noTally()
  for await (const event of events) {
    switch (event.type) {
      case 'test:pass': {
        if (event.data.details.type === 'suite') break
        if (event.data.skip !== undefined || event.data.todo !== undefined) {
          tally.skipped += 1
          // The reason, where the test gives it: something is missing on this machine.
          const why = typeof event.data.skip === 'string' ? ` (${event.data.skip.trim()})` : ''
          yield `  - skipped: ${event.data.name}${why}\n`
        } else {
          tally.passed += 1
          const { duration_ms: took } = event.data.details
          if (took > SLOW_MS && event.data.nesting === 0)
            yield `  ✓ ${event.data.name} (${(took / 1000).toFixed(1)} s)\n`
        }
        break
      }
      case 'test:fail': {
        if (isOnlyAboutChildren(event.data.details.error)) break
        const why = explained(event.data.details.error)
        tally.failed += 1
        tally.failures.push(`${place(event.data)} ${event.data.name}: ${begin(why)}`)
        yield `  ✗ ${event.data.name}\n    ${place(event.data)}\n${indented(why)}\n`
        break
      }
      case 'test:stderr':
      case 'test:stdout':
        yield event.data.message
        break
      default:
        break
    }
  }
  const file = process.env['COUNTERSIGN_TALLY']
  if (file !== undefined) writeFileSync(file, JSON.stringify(tally))
}

/** True if a suite or file failed only because a test in it did, which was already said. */
const isOnlyAboutChildren = (error: Error & { failureType?: unknown }): boolean =>
  error.failureType === 'subtestsFailed'

const explained = (error: Error): string =>
  error.cause instanceof Error
    ? (error.cause.stack ?? error.cause.message)
    : inspect(error.cause ?? error)

const place = ({ file, line }: { file?: string; line?: number }): string =>
  file === undefined ? '' : `${relative(ROOT, file)}:${line ?? 1}`

/** The beginning of a cause, on one line. */
const begin = (why: string): string => why.replaceAll(/\s+/g, ' ').slice(0, BEGIN_MAX)

const indented = (text: string): string => text.replace(/^/gm, '    ')

const SLOW_MS = 2_000
const BEGIN_MAX = 400

// The test runner wants the reporter as the default of its file.
export { reporter as default }
