import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { heldRows, plantEmail, promisesOf, stepsOf } from '../support/driver.ts'
import { observe } from '../support/ledger.ts'
import { pgx } from '../support/parts.ts'

const system = await arena('pgx')

const ROUNDS = [7, 8, 9, 10, 11, 12]

const EXPECTED: Readonly<Record<string, unknown>> = {
  'cached statements': ROUNDS,
  'cached descriptions': ROUNDS,
  'described, then run': ROUNDS,
  run: ROUNDS,
  'simple protocol': ROUNDS,
  values: true,
  batch: 19_900,
  'batch with an error': ['22012', 0],
  pipeline: Array.from({ length: 20 }, (_, index) => index + 1).join(' '),
  prepared: true,
  'copy from': 3_000,
  'copy from given up': [true, 0],
  'copy to': [40, 40],
  'cancelled by a deadline': ['57014', 1],
  'deadline closes': [true, true, 0],
  'failed transaction': ['22012', '25P02', true, 0],
  savepoint: 1,
  pool: true,
  ...promisesOf('pgx'),
}

test('every step of pgx gives what PostgreSQL gives', async (t) => {
  const found = await pgx(system.instance.dir, 'session')
  if ('missing' in found) return t.skip(found.missing)
  await plantEmail(system)
  await using log = await observe(system)
  const { steps, stderr } = await stepsOf(system, log, {
    file: found.program,
    args: [],
    names: ['pgx'],
  })
  assert.deepEqual(steps, EXPECTED, stderr)
  assert.deepEqual(await heldRows(system, 'pgx'), { countersigned: 1, denied: 0 })
})
