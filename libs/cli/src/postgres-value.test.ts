import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { postgresValue } from './postgres-value.ts'

/** From PostgreSQL 18: the OID of a type, what its send function gives, and the value as text; a line of COPY each. */
const captured = readFileSync(new URL('../captures/postgres-values.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t').map(uncopied))

function uncopied(field: string): string {
  return field.replace(
    /\\(.)/g,
    (_, letter: string) => ({ n: '\n', t: '\t', r: '\r' })[letter] ?? letter,
  )
}

describe('a value in binary format reads as PostgreSQL writes it', () => {
  for (const [oid = '', bytes = '', cast = ''] of captured) {
    // The cast of an address to text says its mask; what psql shows does not, when it is whole.
    const text = oid === '869' ? cast.replace(/\/(32|128)$/, '') : cast
    test(`${oid}: ${text}`, () =>
      assert.equal(postgresValue(Number(oid), Buffer.from(bytes, 'hex')).text, text))
  }
  test('no line of the capture was lost', () => assert.ok(captured.length > 190))
})

test('the name of the type is told, and unknown types have none', () => {
  assert.deepEqual(postgresValue(21, Buffer.from('0898', 'hex')), {
    type: 'smallint',
    text: '2200',
  })
  assert.deepEqual(postgresValue(16_384, Buffer.from('x')), { type: null, text: null })
  assert.equal(postgresValue(1007, Buffer.from('')).type, 'integer[]')
})

test('bytes that are no value of the type are never shown as one, and never throw', () => {
  const oids = [...new Set(captured.map(([oid]) => Number(oid)))]
  fc.assert(
    fc.property(fc.constantFrom(...oids), fc.uint8Array({ maxLength: 60 }), (oid, bytes) => {
      postgresValue(oid, Buffer.from(bytes))
    }),
    { numRuns: 5_000 },
  )
  for (const [oid = '', bytes = ''] of captured) {
    const longer = Buffer.concat([Buffer.from(bytes, 'hex'), Buffer.from([0])])
    const isText = new Set(['17', '18', '19', '25', '114', '142', '1042', '1043', '3802', '4072'])
    if (!isText.has(oid)) assert.equal(postgresValue(Number(oid), longer).text, null, oid)
  }
})
