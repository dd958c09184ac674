import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Relation } from '@countersign/contracts'
import { sha256 } from '@countersign/kernel'
import type { Description } from './describe-target.ts'
import { tooLarge } from './descriptions.ts'

/** A target with so many tables of 40 columns, whose names are made by this. */
function described(tables: number, name: (table: number, column: number) => string): Description {
  const relations = Array.from({ length: tables }, (_, table): Relation => ({
    oid: 16_384 + table,
    schema: 'shop',
    name: `table_${table}`,
    kind: 'table',
    columns: Array.from({ length: 40 }, (_, column) => ({
      attnum: column + 1,
      name: name(table, column),
      typeOid: 25,
      label: null,
      origin: null,
      fields: [],
    })),
    dependsOn: [],
    inherits: [],
    computed: [],
    digest: '',
    reaches: [],
    runsCode: false,
  }))
  return {
    ...{ target: 'shop', targetVersion: 'v', serverVersion: '18', searchPath: ['shop'] },
    ...{ relations, routines: [], types: [], systemColumns: [], eventTriggers: '' },
  }
}

const ordinary = (table: number, column: number): string => `column_${column}_of_${table % 50}`

test('what fits into a record of the log is no problem', async () => {
  assert.equal(await tooLarge(described(10, ordinary)), null)
  assert.equal(await tooLarge(described(5_000, ordinary)), null)
})

test('a description that is too large says how large it is, and what to do', async () => {
  const long = await tooLarge(described(21_000, ordinary))
  assert.equal(long?.code, 'CS_CREDENTIAL_FAILED')
  assert.match(
    long?.message ?? '',
    /21000 relations with 840000 columns.*a record may have 16777216/,
  )
  assert.match(long?.hint ?? '', /^Drop relations/)
})

test('a description that cannot be compressed is too large sooner', async () => {
  const random = (table: number, column: number): string => sha256(`${table}/${column}`)
  const found = await tooLarge(described(2_000, random))
  assert.match(found?.message ?? '', /compressed it has \d+ bytes/)
})
