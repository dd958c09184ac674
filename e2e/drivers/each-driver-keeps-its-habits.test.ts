// Seen to fail while cursors of expressions, payloads of notifications and syntax errors came back otherwise.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '@countersign/local'
import { arena } from '../support/arena.ts'
import type { Missing } from '../support/driver.ts'
import { habitsOf, prepareHabits, type Script, toldAsPromised } from '../support/habits.ts'
import { jdbc, pgx, php, python, tokio } from '../support/parts.ts'

const system = await arena('habits')
await prepareHabits(system)

const HERE = import.meta.dirname
const LONG = join(ROOT, 'e2e', 'long')

/** The script of each runtime, or what of it is not there. */
const SCRIPTS: Readonly<Record<string, () => Promise<Script | Missing>>> = {
  'psycopg, asyncpg, SQLAlchemy and Django': async () => {
    const found = await python()
    if ('missing' in found) return found
    return { file: found.python, args: [join(HERE, 'python_habits.py')] }
  },
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

  // PDO gives out SQLSTATE and message alone.
  if (name === 'PDO') continue
  test(`${name}: holds and refusals are told in fields`, async (t) => {
    const script = await scriptOf()
    if ('missing' in script) return t.skip(script.missing)
    await toldAsPromised(system, script)
  })
}
