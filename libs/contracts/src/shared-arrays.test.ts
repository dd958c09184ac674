import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import { codecOf } from './index.ts'

const ITEMS = {
  type: 'array',
  items: {
    type: 'record',
    name: 'Item',
    fields: [
      { name: 'a', type: 'string' },
      { name: 'b', type: ['null', 'long'] },
    ],
  },
} as const
const message = (list: object) => ({
  type: 'record',
  name: 'Message',
  fields: [
    { name: 'before', type: 'string' },
    { name: 'list', type: list },
    { name: 'after', type: 'int' },
  ],
})
const shared = codecOf(message({ ...ITEMS, logicalType: 'shared' })).type
const ordinary = avro.Type.forSchema(message(ITEMS) as avro.Schema, { omitRecordMethods: true })

const anyMessage = fc.record({
  before: fc.string(),
  list: fc.array(
    fc.record({
      a: fc.string({ maxLength: 80 }),
      b: fc.option(fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
    }),
    { maxLength: 100 },
  ),
  after: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
})
const LONG_LIST = Array.from({ length: 500 }, (_, b) => ({ a: `item ${b}`, b }))

test('a shared array has the bytes of any other Avro array, both ways', () => {
  fc.assert(
    fc.property(anyMessage, (given) => {
      const value = structuredClone(given)
      assert.deepEqual(structuredClone(ordinary.fromBuffer(shared.toBuffer(value))), value)
      // The second time nothing is encoded again.
      assert.deepEqual(structuredClone(shared.fromBuffer(shared.toBuffer(value))), value)
      assert.deepEqual(structuredClone(shared.fromBuffer(ordinary.toBuffer(value))), value)
    }),
  )
})

test('the same bytes in other messages become the same array, others another', () => {
  const read = (value: object): { list: readonly object[] } =>
    shared.fromBuffer(shared.toBuffer(value))
  const first = read({ before: 'one', list: LONG_LIST, after: 1 })
  const second = read({ before: 'another', list: structuredClone(LONG_LIST), after: 2 })
  assert.equal(first.list, second.list)
  const third = read({ before: 'one', list: [...LONG_LIST, { a: 'one more', b: null }], after: 1 })
  assert.notEqual(first.list, third.list)
  assert.equal(third.list.length, LONG_LIST.length + 1)
})

test('a reader with other fields takes what is shared', () => {
  const [a] = ITEMS.items.fields
  const later = {
    ...ITEMS,
    items: { ...ITEMS.items, fields: [a, { name: 'c', type: 'int', default: 7 }] },
  }
  for (const list of [later, { ...later, logicalType: 'shared' }]) {
    const reader = codecOf(message(list)).type
    const bytes = shared.toBuffer({ before: '', list: LONG_LIST, after: 3 })
    const read = reader.fromBuffer(bytes, reader.createResolver(shared))
    assert.deepEqual(structuredClone(read), {
      before: '',
      list: LONG_LIST.map(({ a }) => ({ a, c: 7 })),
      after: 3,
    })
  }
})

test('a block whose size is not that of its items is an error', () => {
  const list = shared.toBuffer({ before: '', list: LONG_LIST, after: 3 })
  fc.assert(
    fc.property(fc.nat(list.length - 2), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Buffer.from(list)
      bytes.writeUInt8((bytes[at] ?? 0) ^ flip, at)
      const read = (type: avro.Type): unknown => {
        try {
          return type.fromBuffer(bytes)
        } catch {
          return 'unreadable'
        }
      }
      const found = read(shared)
      if (found !== 'unreadable')
        assert.deepEqual(structuredClone(found), structuredClone(read(ordinary)))
    }),
    { numRuns: 500 },
  )
})

test('an array that promises more items than there are bytes ends at once', () => {
  const long = avro.Type.forSchema('long')
  for (const type of [shared, ordinary])
    for (const count of [101, 2 ** 31, 2 ** 52, -(2 ** 31), -(2 ** 52)])
      for (const rest of [Buffer.alloc(0), Buffer.alloc(100)]) {
        const bytes = Buffer.concat([Buffer.of(0), long.toBuffer(count), rest])
        assert.throws(() => type.fromBuffer(bytes), /items|bytes|truncated|trailing|size|invalid/i)
      }
})
