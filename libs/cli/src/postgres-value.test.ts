import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  LENGTH_OF_BYTE_MAX,
  postgresValue,
  TEXT_LENGTH_MAX,
  type TargetTypes,
} from './postgres-value.ts'

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
    // The cast of an address to text shows its mask; psql leaves the mask out where it covers the whole address.
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

test('names of the catalogs, cursors, vectors, lexemes and snapshots are read', () => {
  const place = (...numbers: number[]): Buffer => {
    const bytes = Buffer.alloc(numbers.length * 2)
    numbers.forEach((number, index) => bytes.writeUInt16BE(number, index * 2))
    return bytes
  }
  const vectorOf = (oid: number, elements: readonly Buffer[]): Buffer =>
    Buffer.concat([
      ...[int4(1), int4(0), int4(oid), int4(elements.length), int4(0)],
      ...elements.map(sized),
    ])
  const snapshot = Buffer.from(
    '00000002' + '000000000000000a' + '0000000000000014' + '000000000000000a' + '000000000000000f',
    'hex',
  )
  const lexemes = Buffer.concat([
    ...[int4(2), Buffer.from("a'b\\\0"), place(2, 1, 0xc002), Buffer.from('c\0'), place(0)],
  ])
  const read: readonly (readonly [number, Buffer, string, string])[] = [
    ...([24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191] as const).map(
      (oid) => [oid, int4(-2), '4294967294', 'reg'] as const,
    ),
    [2210, arrayOf(2205, [1], [int4(5)]), '{5}', 'regclass[]'],
    [1790, Buffer.from('my cursor'), 'my cursor', 'refcursor'],
    [2275, Buffer.from('a'), 'a', 'cstring'],
    [22, vectorOf(21, [place(1), place(3)]), '1 3', 'int2vector'],
    [30, vectorOf(26, [int4(1), int4(23)]), '1 23', 'oidvector'],
    [30, vectorOf(26, []), '', 'oidvector'],
    [3614, lexemes, "'a''b\\\\':1,2A 'c'", 'tsvector'],
    [5038, snapshot, '10:20:10,15', 'pg_snapshot'],
    [2970, snapshot, '10:20:10,15', 'txid_snapshot'],
  ]
  for (const [oid, bytes, text, type] of read) {
    const value = postgresValue(oid, bytes)
    assert.equal(value.text, text, String(oid))
    assert.ok(value.type?.startsWith(type), String(oid))
    const isText = oid === 1790 || oid === 2275
    if (!isText)
      assert.equal(postgresValue(oid, Buffer.concat([bytes, int4(0)])).text, null, String(oid))
  }
  assert.deepEqual(postgresValue(3615, int4(0)), { type: 'tsquery', text: null })
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

const int4 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const sized = (bytes: Buffer): Buffer => Buffer.concat([int4(bytes.length), bytes])
const arrayOf = (oid: number, sizes: readonly number[], elements: readonly Buffer[]): Buffer =>
  Buffer.concat([
    ...[int4(sizes.length), int4(0), int4(oid)],
    ...sizes.flatMap((size) => [int4(size), int4(1)]),
    ...elements.map(sized),
  ])
const recordOf = (fields: readonly (readonly [oid: number, bytes: Buffer])[]): Buffer =>
  Buffer.concat([
    int4(fields.length),
    ...fields.flatMap(([oid, bytes]) => [int4(oid), sized(bytes)]),
  ])

const RECORD = 2249
const RECORDS = 2287
const TEXT = 25
const TEXTS = 1009
const QUOTES = Buffer.from('"\\"\\')

/** A value nested in so many others. */
function nested(depth: number, around: (bytes: Buffer) => Buffer, first: Buffer): Buffer {
  return Array.from({ length: depth }).reduce<Buffer>(around, first)
}

// Seen to fail, by the end of the process, when the type of the elements is taken from the bytes and nothing bounds the depth.
test('a value in many others is shown as its bytes', () => {
  const arrays = nested(30, (bytes) => arrayOf(TEXTS, [1], [bytes]), arrayOf(TEXT, [1], [QUOTES]))
  assert.equal(postgresValue(TEXTS, arrays).text, null)
  const records = nested(30, (bytes) => recordOf([[RECORD, bytes]]), recordOf([[TEXT, QUOTES]]))
  assert.equal(postgresValue(RECORD, records).text, null)
  const few = nested(
    2,
    (bytes) => recordOf([[RECORD, bytes]]),
    recordOf([[TEXT, Buffer.from('a b')]]),
  )
  assert.equal(postgresValue(RECORD, few).text, '("(""(""""a b"""")"")")')
})

test('an array has elements of its own type, as PostgreSQL demands, and no more empty dimensions than none', () => {
  assert.equal(postgresValue(1007, arrayOf(TEXT, [1], [QUOTES])).text, null)
  assert.equal(postgresValue(1007, arrayOf(TEXT, [], [])).text, null)
  assert.equal(postgresValue(1007, arrayOf(23, [2], [int4(1), int4(2)])).text, '{1,2}')
  // Written dimension by dimension this would be 10^5 times {}.
  assert.equal(postgresValue(TEXTS, arrayOf(TEXT, [10, 10, 10, 10, 10, 0], [])).text, '{}')
  assert.equal(postgresValue(TEXTS, arrayOf(TEXT, [2_000_000_000, 0], [])).text, '{}')
})

// Seen to fail when `bounded` lets everything pass, and when the bound does not grow with the bytes.
test('whatever the bytes: the text is no longer than its bound, and a long value that is honest is read', () => {
  const zeros = Buffer.from('00007fff00007fff', 'hex')
  const types: TargetTypes = new Map([
    [20_000, { name: 'shop.pair', kind: 'composite', of: 0 }],
    [20_001, { name: 'shop.pair[]', kind: 'array', of: 20_000 }],
    [20_002, { name: 'shop.self[]', kind: 'array', of: 20_002 }],
  ])
  const { value } = fc.letrec<{ value: readonly [number, Buffer] }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 12, depthSize: 'max' },
      fc.nat({ max: 2_000 }).map((times) => [TEXT, Buffer.alloc(times, QUOTES)] as const),
      fc.constant([1700, zeros] as const),
      fc
        .tuple(fc.constantFrom(RECORD, 20_000), fc.array(tie('value'), { maxLength: 4 }))
        .map(([oid, fields]) => [oid, recordOf(fields)] as const),
      fc
        .tuple(
          fc.constantFrom([RECORDS, RECORD], [20_001, 20_000], [20_002, 20_002], [1231, 1700]),
          fc.array(tie('value'), { maxLength: 4 }),
        )
        .map(([[oid = 0, of = 0], elements]) => {
          const own = elements.flatMap(([element, bytes]) => (element === of ? [bytes] : []))
          return [oid, arrayOf(of, [own.length], own)] as const
        }),
    ),
  }))
  fc.assert(
    fc.property(value, ([oid, bytes]) => {
      const { text } = postgresValue(oid, bytes, types)
      const max = Math.max(TEXT_LENGTH_MAX, bytes.length * LENGTH_OF_BYTE_MAX)
      assert.ok((text ?? '').length <= max)
    }),
    { numRuns: 300 },
  )
  const many = Array.from({ length: 50_000 }, () => zeros)
  assert.equal(postgresValue(1231, arrayOf(1700, [many.length], many)).text, null)
  const numbers = Array.from({ length: 50_000 }, (_, index) => -2_000_000_000 - index)
  const honest = arrayOf(23, [numbers.length], numbers.map(int4))
  assert.equal(postgresValue(1007, honest).text, `{${numbers.join(',')}}`)
})
