// Seen to fail when functions of the class `session` keep nothing, and when `x.f` does not count as f(x).
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements, type TargetCatalog, understand } from './index.ts'
import { OTHER_FUNCTION_CLASSES } from './generated/pg-catalog.ts'

const CATALOG: TargetCatalog = {
  searchPath: ['shop'],
  relations: [
    {
      ...{ oid: 20_001, schema: 'shop', name: 'customers', kind: 'table', dependsOn: [] },
      columns: [
        { attnum: 1, name: 'id', typeOid: 23 },
        { attnum: 2, name: 'ssn', typeOid: 25 },
      ],
    },
  ],
  routines: [],
}

before(loadStatements)

const moves = (sql: string): boolean => understand(sql, CATALOG).movesData

test('what changes the session keeps its arguments where others see them', () => {
  const names = (OTHER_FUNCTION_CLASSES.session ?? '').trim().split(/\s+/)
  assert.ok(names.includes('pg_try_advisory_xact_lock_shared') && names.includes('setseed'))
  for (const name of names) {
    for (const sql of [
      `select ${name}(replace(ssn, '-', '')::bigint) from customers where id = 7`,
      `select ${name}((select ssn::bigint from customers where id = 7))`,
      `select pg_catalog.${name}(1, length(ssn)) from customers`,
      `select (ssn::bigint).${name} from customers`,
      `select * from customers c, lateral ${name}(c.ssn::bigint)`,
    ])
      assert.ok(moves(sql), sql)
    for (const sql of [`select ${name}(1)`, `select ${name}(1), id from customers`])
      assert.equal(moves(sql), false, sql)
  }
})
