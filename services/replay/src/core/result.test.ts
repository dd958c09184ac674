import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { answersIn } from './result.ts'

const frame = (tag: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.write(tag, 'latin1')
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const column = (name: string, format: number): Buffer =>
  Buffer.concat([
    Buffer.from(`${name}\0`),
    int32(0),
    int16(0),
    int32(25),
    int16(0),
    int32(0),
    int16(format),
  ])
const columns = (...names: string[]): Buffer =>
  frame('T', Buffer.concat([int16(names.length), ...names.map((name) => column(name, 0))]))
const row = (...cells: (string | null)[]): Buffer =>
  frame(
    'D',
    Buffer.concat([
      int16(cells.length),
      ...cells.map((cell) =>
        cell === null
          ? int32(-1)
          : Buffer.concat([int32(Buffer.byteLength(cell)), Buffer.from(cell)]),
      ),
    ]),
  )
/** The results of these bytes. */
const resultsOf = (chunks: readonly Buffer[]) => answersIn(chunks, 100).map(({ result }) => result)

const tag = (text: string): Buffer => frame('C', Buffer.from(`${text}\0`))

const answer = Buffer.concat([
  columns('id', 'email'),
  row('1', 'a***'),
  row('2', null),
  tag('SELECT 2'),
])

test('a result has its columns, its rows with NULL as null, and its tag, however it was split', () => {
  const expected = {
    columns: ['id', 'email'],
    rows: [
      ['1', 'a***'],
      ['2', null],
    ],
    truncated: false,
    tag: 'SELECT 2',
    error: null,
  }
  fc.assert(
    fc.property(fc.array(fc.nat(answer.length), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), answer.length]
      const chunks = at.slice(1).map((end, index) => answer.subarray(at[index], end))
      assert.deepEqual(resultsOf(chunks), [expected])
    }),
  )
})

test('only the first 50 rows are kept, and it says so', () => {
  const rows = Array.from({ length: 51 }, (_, index) => row(String(index)))
  const [result] = resultsOf([columns('n'), ...rows, tag('SELECT 51')])
  assert.deepEqual([result?.rows.length, result?.truncated], [50, true])
})

test('an error is shown with its code', () => {
  const error = frame('E', Buffer.from('SERROR\0C42501\0Mpermission denied\0\0'))
  assert.equal(resultsOf([error])[0]?.error, 'ERROR: permission denied (42501)')
})

test('what follows bytes that are no frame is not shown', () => {
  assert.deepEqual(
    resultsOf([tag('BEGIN'), Buffer.from([0, 0, 0, 0, 0]), tag('COMMIT')]).map(({ tag }) => tag),
    ['BEGIN'],
  )
})

test('a request without a transcript has no result', () => {
  assert.deepEqual(resultsOf([]), [])
})

test('any bytes give a result or none, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void resultsOf([Buffer.from(bytes)])),
  )
})

// Seen to fail when only the last result is kept.
test('each statement that ends has a result of its own', () => {
  const bytes = [
    Buffer.concat([frame('1', Buffer.alloc(0)), columns('a'), row('1'), tag('SELECT 1')]),
    frame('I', Buffer.alloc(0)),
    Buffer.concat([columns('b'), row('2'), frame('s', Buffer.alloc(0))]),
    Buffer.concat([row('3'), frame('E', Buffer.from('SERROR\0C22012\0Mdivision by zero\0\0'))]),
    Buffer.concat([columns('c'), row('4')]),
  ]
  assert.deepEqual(
    answersIn(bytes, 100).map(({ result: { columns, rows, tag, error }, isEnded }) => [
      ...[columns, rows, tag, error, isEnded],
    ]),
    [
      [['a'], [['1']], 'SELECT 1', null, true],
      [[], [], null, null, true],
      [['b'], [['2']], null, null, true],
      [[], [['3']], null, 'ERROR: division by zero (22012)', true],
      [['c'], [['4']], null, null, false],
    ],
  )
  assert.equal(answersIn(bytes, 2).length, 2)
})

// Seen to fail when the description that came last is taken.
test('the columns of rows are not known where several statements were described before', () => {
  const [result] = resultsOf([columns('a'), columns('b'), row('1'), tag('SELECT 1')])
  assert.deepEqual([result?.columns, result?.rows], [[], [['1']]])
  const [same] = resultsOf([columns('a'), columns('a'), row('1'), tag('SELECT 1')])
  assert.deepEqual(same?.columns, ['a'])
})
