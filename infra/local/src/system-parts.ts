import { existsSync } from 'node:fs'
import { Problem } from '@countersign/kernel'
import { execute, executed } from './execute.ts'
import { say, step } from './progress.ts'

/** A program that npm cannot bring. */
type Part = { name: string; package: string; present(): Promise<boolean> }

/**
 * Makes sure of the parts that npm cannot bring; installs them on Debian as root, else says what is missing.
 * `clients`: also of the programs that only the long suites and the benchmark use.
 */
export async function ensureSystemParts(kind: 'system' | 'clients' = 'system'): Promise<void> {
  const parts = kind === 'system' ? PARTS : [...PARTS, ...CLIENT_PARTS]
  const missing = (
    await Promise.all(parts.map(async (part) => ((await part.present()) ? [] : [part])))
  ).flat()
  if (missing.length === 0) return
  const names = missing.map((part) => part.name).join(', ')
  const packages = missing.map((part) => part.package)
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new Problem('CS_CONFIG_INVALID', `missing on this machine: ${names}`, {
      hint: `Install it (on Debian: apt-get install ${packages.join(' ')}), then try again.`,
    })
  }
  say(`installing what is missing with apt-get: ${names}`)
  await step(`installed ${packages.join(', ')}`, async () => {
    await execute('apt-get', ['update', '-qq'])
    await execute('env', [
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      ...packages,
    ])
  })
}

const succeeds = async (file: string, args: readonly string[]): Promise<boolean> =>
  (await executed(file, args).catch(() => ({ status: 1 }))).status === 0

async function hasJava(): Promise<boolean> {
  const { status, output } = await executed('java', ['-version']).catch(() => ({
    status: 1,
    output: '',
  }))
  const major = /version "(\d+)/.exec(output)?.[1]
  return status === 0 && Number(major) >= JAVA_VERSION_MIN
}

const JAVA_VERSION_MIN = 17
const PARTS: readonly Part[] = [
  { name: `Java ${JAVA_VERSION_MIN} or newer`, package: 'default-jre-headless', present: hasJava },
  { name: 'Maven', package: 'maven', present: () => succeeds('mvn', ['--version']) },
  { name: 'psql', package: 'postgresql-client', present: () => succeeds('psql', ['--version']) },
  { name: 'openssl', package: 'openssl', present: () => succeeds('openssl', ['version']) },
]
const CLIENT_PARTS: readonly Part[] = [
  { name: 'pgbench', package: 'postgresql', present: () => succeeds('pgbench', ['--version']) },
  { name: 'PgBouncer', package: 'pgbouncer', present: () => succeeds('pgbouncer', ['--version']) },
]
