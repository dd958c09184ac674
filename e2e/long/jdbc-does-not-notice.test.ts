// Seen to fail when `HARMLESS_ELSEWHERE` in libs/statements/src/functions.ts is empty.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { heldRows, plantEmail, promisesOf, stepsOf } from '../support/driver.ts'
import { observe } from '../support/ledger.ts'
import { jdbc } from '../support/parts.ts'

const system = await arena('jdbc')

const sums = (count: number, first: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index)

const EXPECTED: Readonly<Record<string, unknown>> = {
  'named after five runs': sums(12, 7),
  'its name': 1,
  'values as text': true,
  'values as binary': true,
  batch: 700,
  'batch with an error': '22012',
  'batch in one statement': 700,
  'fetch size': 200,
  'copy out': 40,
  'copy out binary': true,
  'copy in': 3_000,
  'copy in with an error': ['22P02', 1],
  'copy in given up': 0,
  tables: ['api_keys', 'customers', 'orders', 'products', 'customer_emails'],
  columns: ['id', 'customer_id', 'total_cents', 'status', 'note', 'created_at'],
  keys: ['id'],
  'foreign keys': ['customers'],
  indexes: ['orders_pkey'],
  schemas: ['shop'],
  'best row': ['id'],
  catalogs: true,
  functions: true,
  procedures: [],
  'procedure columns': [],
  types: true,
  privileges: true,
  keywords: true,
  'parameter type': 'int4',
  'column type': 'text',
  updatable: 1,
  cancel: ['57014', 1],
  'query timeout': ['57014', 1],
  transactions: ['22012', '25P02', '25006', 1],
  'several results': [1, 'updated 1', 3],
  'generated keys': 75,
  'is valid': true,
  // Refused: decisions look names up along the path that the session began with (docs/decisions/0012).
  'set schema': '42C02',
  'application name': 'by jdbc',
  'after deallocate all': 4,
  'mode simple': sums(7, 10),
  'mode extendedForPrepared': sums(7, 10),
  'mode extendedCacheEverything': sums(7, 10),
  autosave: ['22012', '42C01', 'ran', 1],
  'JDBC is told of the hold': true,
  ...promisesOf('JDBC'),
}

test('every step of JDBC gives what PostgreSQL gives', async (t) => {
  const found = await jdbc()
  if ('missing' in found) return t.skip(found.missing)
  await plantEmail(system)
  await using log = await observe(system)
  const { steps, stderr } = await stepsOf(system, log, {
    file: 'java',
    args: ['-cp', found.classPath, join(import.meta.dirname, 'jdbc', 'Session.java')],
    names: ['JDBC'],
  })
  assert.deepEqual(steps, EXPECTED, stderr)
  assert.deepEqual(await heldRows(system, 'JDBC'), { countersigned: 1, denied: 0 })
})
