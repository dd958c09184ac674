import { join } from 'node:path'
import { messageOf } from '@countersign/kernel'
import { mavenJars, ROOT } from '@countersign/local'
import { type Missing, program } from './driver.ts'

/** A Python of its own with psycopg 3, asyncpg and SQLAlchemy, in this folder, or why there is none. */
export async function python(folder: string): Promise<{ readonly python: string } | Missing> {
  const venv = join(folder, 'venv')
  const made = await program('python3', ['-m', 'venv', venv])
  if (!made.ok) return { missing: `python3 -m venv: ${lastWords(made.stderr)}` }
  const pip = await program(join(venv, 'bin', 'pip'), [
    ...[
      'install',
      '--quiet',
      '--disable-pip-version-check',
      'psycopg[binary]',
      'asyncpg',
      'sqlalchemy',
    ],
  ])
  if (!pip.ok) return { missing: `pip cannot install the drivers: ${lastWords(pip.stderr)}` }
  return { python: join(venv, 'bin', 'python') }
}

/** The class path of the JDBC driver, where there is a compiler that runs a single source file, or why there is none. */
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
  name: 'session' | 'capture' | 'example',
): Promise<{ readonly program: string } | Missing> {
  const file = join(folder, `pgx-${name}`)
  const built = await program('go', ['build', '-o', file, name === 'example' ? '.' : `./${name}`], {
    cwd: name === 'example' ? PGX_EXAMPLE : PGX,
  })
  if (!built.ok) return { missing: `go (1.25 or newer) build: ${lastWords(built.stderr)}` }
  return { program: file }
}

/** What is missing is said in one line. */
const lastWords = (text: string): string => text.trim().replace(/\s+/g, ' ').slice(-200)

const LONG = join(ROOT, 'e2e', 'long')
const PGX = join(LONG, 'pgx')
const PGX_EXAMPLE = join(ROOT, 'examples', 'agents', 'pgx')
/** As in the pom beside the session. */
const JDBC = { name: 'JDBC', version: '42.7.14', pom: join(LONG, 'jdbc', 'pom.xml') }
