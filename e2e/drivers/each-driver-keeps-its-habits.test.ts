// Seen to fail while cursors of expressions, payloads of notifications and syntax errors came back otherwise, and while a cancel
// and an unknown cursor lost the words of the target.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '@countersign/local'
import { arena } from '../support/arena.ts'
import type { Missing, ProgramRun } from '../support/driver.ts'
import {
  habitsOf,
  prepareHabits,
  type Script,
  type Steps,
  toldAsPromised,
} from '../support/habits.ts'
import { jdbc, nodePackages, pgx, php, python, tokio } from '../support/parts.ts'

const system = await arena('habits')
await prepareHabits(system)

const HERE = import.meta.dirname
const LONG = join(ROOT, 'e2e', 'long')

/** The script of each runtime, or the program or package that it needs and that is not on this machine. */
const SCRIPTS: Readonly<Record<string, () => Promise<Script | Missing>>> = {
  'psycopg, asyncpg, SQLAlchemy and Django': async () => {
    const found = await python()
    if ('missing' in found) return found
    return { file: found.python, args: [join(HERE, 'python_habits.py')] }
  },
  'node-postgres': async () => {
    const found = await nodePackages()
    if ('missing' in found) return found
    return { file: process.execPath, args: [join(HERE, 'node-postgres-habits.ts'), found.folder] }
  },
  'postgres.js': async () => ({
    file: process.execPath,
    args: [join(HERE, 'postgres-js-habits.ts')],
  }),
  psql: async () => ({
    file: 'psql',
    args: ['-X', '-f', join(HERE, 'psql_habits.sql')],
    read: stepsOfPsql,
  }),
  JDBC: async () => {
    const found = await jdbc()
    if ('missing' in found) return found
    return { file: 'java', args: ['-cp', found.classPath, join(LONG, 'jdbc', 'Habits.java')] }
  },
  pgx: async () => {
    const found = await pgx(system.instance.dir, 'habits')
    return 'missing' in found ? found : { file: found.program }
  },
  'tokio-postgres': async () => {
    const found = await tokio()
    return 'missing' in found ? found : { file: found.program }
  },
  PDO: async () => {
    const found = await php()
    return 'missing' in found ? found : { file: found.php, args: [join(HERE, 'pdo_habits.php')] }
  },
}

for (const [name, scriptOf] of Object.entries(SCRIPTS)) {
  test(`${name} get what PostgreSQL gives`, async (t) => {
    const script = await scriptOf()
    if ('missing' in script) return t.skip(script.missing)
    const { direct, through } = await habitsOf(system, script)
    assert.ok(Object.keys(direct).length >= 10, Object.keys(direct).join())
    assert.deepEqual(through, direct)
  })

  // PDO and psql give out only SQLSTATE and message of an error.
  if (name === 'PDO' || name === 'psql') continue
  test(`${name}: holds and refusals are told in fields`, async (t) => {
    const script = await scriptOf()
    if ('missing' in script) return t.skip(script.missing)
    await toldAsPromised(system, script)
  })
}

/** The steps in the output of psql: each begins with a line that names it. Its standard error is one more step. */
function stepsOfPsql({ stdout, stderr }: ProgramRun): Steps {
  const [, ...parts] = stdout.split(/^step: /m)
  const steps = parts.map((part): [string, unknown] => {
    const [name = '', ...lines] = part.split('\n')
    return [name, lines.filter((line) => !WATCHED_AT.test(line))]
  })
  const said = stderr.split('\n').filter((line) => !OF_A_FAILED_TRANSACTION.test(line))
  return Object.fromEntries([...steps, ['standard error', said]])
}

const WATCHED_AT = /\(every \d+s\)$/
/** Lines of Countersign about a failed transaction, which PostgreSQL does not send (docs/errors.md). */
const OF_A_FAILED_TRANSACTION = /^(DETAIL: {2}countersign: CS_TRANSACTION|HINT: {2}End the trans)/
