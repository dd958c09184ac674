// Seen to fail when `behindHeader` in libs/masking-plan/src/copy.ts leaves the header of a binary copy out.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { heldRows, plantEmail, promisesOf, stepsOf } from '../support/driver.ts'
import { observe } from '../support/ledger.ts'
import { python } from '../support/parts.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('psycopg')

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index)

const EXPECTED: Readonly<Record<string, unknown>> = {
  pipeline: numbers(50),
  'pipeline with an error': ['22012', 0],
  'refused in a pipeline': ['42C01', 0],
  'copy out text': numbers(40, 1),
  'copy out binary': numbers(40, 1),
  'copy in text': 3_000,
  'copy in binary': 3_000,
  'copy in given up': ['given up', 0],
  'server cursor': 200,
  prepared: Array.from({ length: 8 }, () => true),
  'binary results': [5, true, false],
  streamed: 5_000,
  'asyncpg fetch': numbers(5, 1),
  'asyncpg cursor': 220,
  'asyncpg copy': 220,
  'asyncpg executemany': 2,
  'direct TLS': [1, true],
  'psycopg is told of the hold': true,
  ...promisesOf('psycopg'),
  ...promisesOf('asyncpg'),
  // asyncpg reads text only by COPY, which does not describe its columns, so they are masked whole.
  'asyncpg masked text': '[masked]',
}

test('every step of psycopg 3 and asyncpg gives what PostgreSQL gives', async (t) => {
  const found = await python()
  if ('missing' in found) return t.skip(found.missing)
  await plantEmail(system)
  await using log = await observe(system)
  const { steps, stderr } = await stepsOf(system, log, {
    file: found.python,
    args: [join(import.meta.dirname, 'psycopg_session.py')],
    names: ['psycopg', 'asyncpg'],
  })
  assert.deepEqual(steps, EXPECTED, stderr)
  for (const name of ['psycopg', 'asyncpg'])
    assert.deepEqual(await heldRows(system, name), { countersigned: 1, denied: 0 })
  const [row] = await askTarget(
    system,
    'select count(*)::int as n from shop.products where id >= 20000',
    'shop_dev',
  )
  assert.equal(row?.['n'], 6_000)
})
