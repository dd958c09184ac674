import { executed } from './execute.ts'
import type { Tally } from './reporter.ts'
import { check, FILES, tests } from './suites.ts'

/** All checks that need no infrastructure. */
export async function checks(): Promise<Tally[]> {
  return [
    await check('generated types are those of the schemas', process.execPath, [
      'libs/contracts/generate.ts',
      '--check',
    ]),
    ...(await typesAndLint()),
    await check('formatting', 'prettier', ['--check', '--log-level=warn', '.']),
    await tests('unit tests', FILES.unit(), [
      '--test-isolation=none',
      // One process for all: something that a test forgets to close must not keep it alive.
      '--test-force-exit',
      '--test-timeout=60000',
    ]),
  ]
}

/** Checks through turbo, which remembers what has not changed; without it where its binary does not start here. */
async function typesAndLint(): Promise<Tally[]> {
  const { status } = await executed('turbo', ['--version']).catch(() => ({ status: 1 }))
  if (status !== 0)
    return [await check('types', 'tsc', ['--noEmit']), await check('lint', 'eslint', ['.'])]
  const turbo = (task: string): string[] => ['run', `//#${task}`, '--output-logs=errors-only']
  return [
    await check('types', 'turbo', turbo('typecheck')),
    await check('lint', 'turbo', turbo('lint')),
  ]
}
