import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_CODES, type ErrorCode } from '@countersign/kernel'
import { NOTICES, sqlStateOf } from './sql-states.ts'

const codes = Object.keys(ERROR_CODES) as ErrorCode[]

test('every error code and every notice has a SQLSTATE of its own', () => {
  const all = [...codes.map(sqlStateOf), ...Object.values(NOTICES)]
  assert.deepEqual(
    all.filter((state, at) => all.indexOf(state) !== at),
    [],
  )
})

/** The situations of PostgreSQL itself; programs know them by its SQLSTATE. */
const OF_POSTGRESQL: Readonly<Partial<Record<ErrorCode, string>>> = {
  CS_REQUEST_CANCELLED: '57014',
  CS_STATEMENT_UNKNOWN: '26000',
  CS_PORTAL_UNKNOWN: '34000',
  CS_TRANSACTION_FAILED: '25P02',
}

test('none of them is one of PostgreSQL, but those of its own situations', () => {
  for (const code of codes) {
    const own = OF_POSTGRESQL[code]
    if (own !== undefined) assert.equal(sqlStateOf(code), own)
    else assert.match(sqlStateOf(code), /^[0-9A-Z]{2}C[0-9]{2}$/, code)
  }
  for (const state of Object.values(NOTICES)) assert.match(state, /^0[01]C[0-9]{2}$/)
})
