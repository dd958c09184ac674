import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '@countersign/kernel'
import { ROOT } from './paths.ts'
import { noTally, type Tally } from './reporter.ts'
import { temporaryFolder } from './test-leftovers.ts'

/** The kinds of tests, by the names of their files. */
export const FILES = {
  unit: () =>
    filesOf('{libs,services,infra,docs}/**/*.test.ts').filter(
      (file) => !/\.(int|long)\.test\.ts$/.test(file),
    ),
  integration: () => filesOf('{libs,services,infra}/**/*.int.test.ts'),
  e2e: () => filesOf('e2e/**/*.test.ts').filter((file) => !isLong(file)),
  long: () => [
    ...filesOf('e2e/**/*.test.ts').filter(isLong),
    ...filesOf('{libs,services,infra}/**/*.long.test.ts'),
  ],
} as const

/** Runs test files. Without a file, nothing has passed. */
export async function tests(
  name: string,
  files: readonly string[],
  options: readonly string[],
): Promise<Tally> {
  if (files.length === 0) return nothing(`${name}: no files`)
  temporary ??= temporaryFolder()
  const tallyFile = join(temporary.dir, `countersign-tally-${process.pid}-${(counter += 1)}.json`)
  const since = performance.now()
  const status = await ran(
    process.execPath,
    [
      '--test',
      `--test-reporter=${REPORTER}`,
      '--test-reporter-destination=stdout',
      ...options,
      ...files,
    ],
    { COUNTERSIGN_TALLY: tallyFile, NODE_NO_WARNINGS: '1', ...temporary.env },
  )
  const tally = existsSync(tallyFile) ? read(tallyFile) : noTally()
  rmSync(tallyFile, { force: true })
  // A run that ended badly without naming a test counts all the same.
  if (status !== 0 && tally.failed === 0) {
    tally.failed = 1
    tally.failures.push(`${name}: the run ended with status ${status}`)
  }
  line(`${name} (${files.length} files)`, since, tally)
  return tally
}

/** Runs a program as one check: it passes or it fails. Its output shows only when it fails. */
export async function check(name: string, file: string, args: readonly string[]): Promise<Tally> {
  const since = performance.now()
  const chunks: string[] = []
  const status = await ran(file, args, {}, (text) => void chunks.push(text)).catch(
    (thrown: unknown) => {
      chunks.push(messageOf(thrown))
      return 1
    },
  )
  if (status !== 0) process.stdout.write(`${chunks.join('').trimEnd()}\n`)
  const outcome = status === 0 ? { passed: 1 } : { failed: 1, failures: [name] }
  const tally = { ...noTally(), ...outcome }
  line(name, since, tally)
  return tally
}

export const sum = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((total, tally) => total + tally.passed, 0),
  failed: tallies.reduce((total, tally) => total + tally.failed, 0),
  skipped: tallies.reduce((total, tally) => total + tally.skipped, 0),
  failures: tallies.flatMap(({ failures }) => failures),
})

/** The failures, a line each; then the last line of a command, and its status. */
export function conclude(tallies: readonly Tally[]): void {
  const { passed, failed, skipped, failures } = sum(tallies)
  for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
  if (skipped > 0) process.stdout.write(`${skipped} skipped\n`)
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  // A run of no tests is no success.
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
}

function nothing(what: string): Tally {
  process.stdout.write(`· ${what}\n`)
  return noTally()
}

function line(name: string, since: number, { passed, failed }: Tally): void {
  const seconds = ((performance.now() - since) / 1000).toFixed(1)
  process.stdout.write(
    `${failed === 0 ? '✓' : '✗'} ${name}: ${passed} passed, ${failed} failed (${seconds} s)\n`,
  )
}

function ran(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  collect?: (text: string) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: [
        'ignore',
        collect === undefined ? 'inherit' : 'pipe',
        collect === undefined ? 'inherit' : 'pipe',
      ],
    })
    child.stdout?.on('data', (chunk: Buffer) => collect?.(chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => collect?.(chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

const read = (file: string): Tally => JSON.parse(readFileSync(file, 'utf8'))

const filesOf = (pattern: string): string[] =>
  globSync(pattern, { cwd: ROOT, exclude: (path) => path.includes('node_modules') }).sort()

const isLong = (file: string): boolean =>
  LONG.some((folder) => file.startsWith(folder)) || file.endsWith('.long.test.ts')

const LONG = [join('e2e', 'long'), join('e2e', 'drivers')]

const REPORTER = './infra/local/src/reporter.ts'
let counter = 0
let temporary: ReturnType<typeof temporaryFolder> | null = null
