import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { failed, ok } from '@countersign/kernel'
import {
  authenticationOf,
  backendKeyOf,
  cellsOf,
  everyCell,
  type Column,
  columnsOf,
  commandTagOf,
  copyDataOf,
  copyFormatsOf,
  errorFieldsOf,
  notificationOf,
  parameterStatusOf,
  parameterTypesOf,
  receiveServer,
  rowCountOf,
  type ServerFrame,
  serverSide,
  type ServerSide,
  serverSslAnswer,
  toClient,
  transactionStatusOf,
  type Violation,
  violation,
} from './index.ts'

const MALFORMED = failed(violation('Malformed'))

const frameOf = (bytes: Buffer): ServerFrame => {
  const [frame] = receiveServer(serverSide(), bytes)[1]
  assert(frame && frame.tag !== 'Violation')
  return frame
}

const raw = (letter: string, body: string): Buffer =>
  Buffer.concat([
    Buffer.from(letter, 'latin1'),
    Buffer.from([0, 0, 0, 4 + body.length]),
    Buffer.from(body, 'latin1'),
  ])

const COLUMNS: readonly Column[] = [
  {
    name: 'id',
    tableOid: 4_000_000_000,
    columnAttribute: 1,
    typeOid: 20,
    typeSize: 8,
    typeModifier: -1,
    format: 'binary',
  },
  {
    name: 'Größe',
    tableOid: 0,
    columnAttribute: 0,
    typeOid: 25,
    typeSize: -1,
    typeModifier: -1,
    format: 'text',
  },
]

const CELLS = [Buffer.from('1'), null, Buffer.alloc(0), Buffer.from([0, 255])]

test('what we write to a client reads back as it was', () => {
  assert.deepEqual(columnsOf(frameOf(toClient.rowDescription(COLUMNS))), ok(COLUMNS))
  assert.deepEqual(cellsOf(frameOf(toClient.dataRow(CELLS))), ok(CELLS))
  assert.deepEqual(
    copyDataOf(frameOf(toClient.copyData(Buffer.from('a\n')))),
    ok(Buffer.from('a\n')),
  )
  assert.deepEqual(
    parameterStatusOf(frameOf(toClient.parameterStatus('TimeZone', 'UTC'))),
    ok({ name: 'TimeZone', value: 'UTC' }),
  )
  assert.deepEqual(commandTagOf(frameOf(toClient.commandComplete('INSERT 0 3'))), ok('INSERT 0 3'))
  assert.deepEqual(
    notificationOf(frameOf(toClient.notificationResponse(9, 'jobs', 'x'))),
    ok({ processId: 9, channel: 'jobs', payload: 'x' }),
  )
  for (const status of ['I', 'T', 'E'] as const)
    assert.deepEqual(transactionStatusOf(frameOf(toClient.readyForQuery(status))), ok(status))
  const key = { processId: 7, secretKey: Buffer.alloc(32, 1) }
  assert.deepEqual(backendKeyOf(frameOf(toClient.backendKeyData(key))), ok(key))
})

test('every cell of a row is tested where it stands, and a malformed row passes no test', () => {
  const cell = fc.option(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)))
  fc.assert(
    fc.property(fc.array(cell, { maxLength: 5 }), fc.nat(40), (cells, cut) => {
      const row = toClient.dataRow(cells)
      const seen: (Buffer | null)[] = cells.map(() => null)
      const passed = everyCell(frameOf(row), cells.length, (column, start, end) => {
        seen[column] = row.subarray(start, end)
        return true
      })
      assert.equal(passed, true)
      assert.deepEqual(seen, cells)
      assert.equal(
        everyCell(frameOf(row), cells.length + 1, () => true),
        false,
      )
      const short = Buffer.from(row.subarray(0, Math.max(5, row.length - 1 - cut)))
      assert.equal(
        everyCell({ tag: 'D', raw: short }, cells.length, () => true),
        false,
      )
      assert.equal(
        everyCell({ tag: 'D', raw: Buffer.concat([row, Buffer.of(0)]) }, cells.length, () => true),
        false,
      )
    }),
  )
})

test('an error names severity, code and every field that is given', () => {
  const bytes = toClient.errorResponse({
    severity: 'ERROR',
    code: '42501',
    message: 'held by Countersign',
    detail: 'denied:\0no',
    hint: undefined,
    position: 8,
  })
  const fields = new Map([
    ['S', 'ERROR'],
    ['V', 'ERROR'],
    ['C', '42501'],
    ['M', 'held by Countersign'],
    ['D', 'denied:\uFFFDno'],
    ['P', '8'],
  ])
  assert.deepEqual(errorFieldsOf(frameOf(bytes)), ok(fields))
})

test('an error of a server keeps all its fields when it is written again', () => {
  const bytes = raw('E', 'SFEHLER\0VERROR\0C23505\0MKey exists\0zfuture\0\0')
  const fields = errorFieldsOf(frameOf(bytes))
  assert(fields.ok)
  assert.deepEqual(toClient.errorFrame('E', fields.value), bytes)
})

test('the short messages are the bytes of the standard', () => {
  const hex = (bytes: Buffer): string => bytes.toString('hex')
  assert.equal(hex(toClient.authenticationCleartextPassword()), '520000000800000003')
  assert.equal(hex(toClient.authenticationOk()), '520000000800000000')
  assert.equal(hex(toClient.emptyQueryResponse()), '4900000004')
  assert.equal(hex(toClient.parseComplete()), '3100000004')
  assert.equal(
    hex(toClient.negotiateProtocolVersion(0, ['_pq_.a'])),
    '760000001300030000000000015f70715f2e6100',
  )
  assert.equal(hex(toClient.sslAnswer('N')), '4e')
})

test('every question of authentication is understood', () => {
  const asked = (body: string) => authenticationOf(frameOf(raw('R', body)))
  assert.deepEqual(asked('\0\0\0\0'), ok({ tag: 'Ok' }))
  assert.deepEqual(asked('\0\0\0\x03'), ok({ tag: 'CleartextPassword' }))
  assert.deepEqual(asked('\0\0\0\x05salt'), ok({ tag: 'Md5Password', salt: Buffer.from('salt') }))
  assert.deepEqual(
    asked('\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0'),
    ok({ tag: 'Sasl', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] }),
  )
  assert.deepEqual(asked('\0\0\0\x0br=x'), ok({ tag: 'SaslContinue', data: 'r=x' }))
  assert.deepEqual(asked('\0\0\0\x0cv=x'), ok({ tag: 'SaslFinal', data: 'v=x' }))
  assert.deepEqual(asked('\0\0\0\x07'), ok({ tag: 'Unsupported', code: 7 }))
  assert.deepEqual(asked('\0\0'), MALFORMED)
})

test('copy responses tell their direction and formats', () => {
  const formats = { format: 'binary', columnFormats: [1, 0] }
  const body = '\x01\0\x02\0\x01\0\0'
  assert.deepEqual(copyFormatsOf(frameOf(raw('G', body))), ok({ direction: 'in', ...formats }))
  assert.deepEqual(copyFormatsOf(frameOf(raw('H', body))), ok({ direction: 'out', ...formats }))
  assert.deepEqual(copyFormatsOf(frameOf(raw('W', body))), ok({ direction: 'both', ...formats }))
})

test('parameter types above 2^31 stay positive', () => {
  const frame = frameOf(raw('t', '\0\x01\xee\x6b\x28\0'))
  assert.deepEqual(parameterTypesOf(frame), ok([4_000_000_000]))
})

test('a command tag tells its rows when it has any', () => {
  assert.deepEqual(['INSERT 0 3', 'SELECT 12', 'COPY 0', 'CREATE TABLE'].map(rowCountOf), [
    3,
    12,
    0,
    null,
  ])
})

test('rows are views of what was received, and letters nobody knows pass', () => {
  const chunk = Buffer.concat([toClient.dataRow(CELLS), raw('y', 'later')])
  const [, frames] = receiveServer(serverSide(), chunk)
  assert.deepEqual(
    frames.map((frame) => frame.tag),
    ['D', 'y'],
  )
  const [row] = frames
  assert(row && row.tag !== 'Violation')
  assert.equal(row.raw.buffer, chunk.buffer)
  const cells = cellsOf(row)
  assert(cells.ok)
  assert.equal(cells.value[0]?.buffer, chunk.buffer)
})

test('a frame above the limit is refused by its header, and nothing is read after it', () => {
  const [engine, frames] = receiveServer(serverSide(100), Buffer.from('D\0\0\0\x64', 'latin1'))
  assert.deepEqual(frames, [violation('FrameTooLarge')])
  assert.deepEqual(receiveServer(engine, toClient.readyForQuery('I'))[1], [])
  assert.deepEqual(receiveServer(serverSide(100), Buffer.from('D\0\0\0\x63', 'latin1'))[1], [])
  assert.deepEqual(receiveServer(serverSide(), Buffer.from('\0\0\0\0\x04'))[1], [
    violation('UnknownMessage'),
  ])
  assert.deepEqual(receiveServer(serverSide(), Buffer.from('D\0\0\0\x03'))[1], [
    violation('FrameTooSmall'),
  ])
})

test('the answer to an SSLRequest is one byte and nothing more', () => {
  assert.equal(serverSslAnswer(Buffer.from('S')), 'S')
  assert.equal(serverSslAnswer(Buffer.from('N')), 'N')
  assert.deepEqual(serverSslAnswer(Buffer.from('E')), violation('UnknownMessage'))
  assert.deepEqual(serverSslAnswer(Buffer.from('SR')), violation('BytesBeforeAnswer'))
})

const DECODERS = {
  columnsOf,
  parameterTypesOf,
  parameterStatusOf,
  commandTagOf,
  notificationOf,
  transactionStatusOf,
  cellsOf,
  errorFieldsOf,
  backendKeyOf,
  copyFormatsOf,
}

const WHOLE: readonly (readonly [keyof typeof DECODERS, Buffer])[] = [
  ['columnsOf', toClient.rowDescription(COLUMNS)],
  ['parameterTypesOf', raw('t', '\0\x01\0\0\0\x17')],
  ['parameterStatusOf', toClient.parameterStatus('a', 'b')],
  ['commandTagOf', toClient.commandComplete('SELECT 1')],
  ['notificationOf', toClient.notificationResponse(1, 'a', 'b')],
  ['transactionStatusOf', toClient.readyForQuery('I')],
  ['cellsOf', toClient.dataRow(CELLS)],
  ['errorFieldsOf', toClient.errorResponse({ severity: 'ERROR', code: '42501', message: 'no' })],
  ['copyFormatsOf', raw('H', '\0\0\x01\0\0')],
]

for (const [name, bytes] of WHOLE) {
  test(`${name} refuses a frame that is cut short or has bytes left over`, () => {
    const body = bytes.toString('latin1', 5)
    const letter = bytes.toString('latin1', 0, 1)
    assert(DECODERS[name](frameOf(bytes)).ok)
    for (let end = 0; end < body.length; end++)
      assert.deepEqual(DECODERS[name](frameOf(raw(letter, body.slice(0, end)))), MALFORMED)
    assert.deepEqual(DECODERS[name](frameOf(raw(letter, `${body}\0`))), MALFORMED)
  })
}

test('any body under any letter is read or refused, and never throws', () => {
  const letters = fc.constantFrom(...'TtSCAZDENKGHWR')
  const anyBody = fc.uint8Array({ maxLength: 60 })
  fc.assert(
    fc.property(letters, anyBody, (letter, body) => {
      const frame = frameOf(raw(letter, Buffer.from(body).toString('latin1')))
      for (const decode of [...Object.values(DECODERS), authenticationOf])
        assert.equal(typeof decode(frame).ok, 'boolean')
    }),
    { numRuns: 1000 },
  )
})

test('splitting the bytes of a server anywhere gives the same frames', () => {
  const some = fc.array(fc.constantFrom(...WHOLE.map(([, bytes]) => bytes)), { maxLength: 10 })
  const sizesOfPieces = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 })
  fc.assert(
    fc.property(some, sizesOfPieces, (parts, sizes) => {
      const bytes = Buffer.concat(parts)
      const frames: (ServerFrame | Violation)[] = []
      let engine: ServerSide = serverSide()
      for (let at = 0, index = 0; at < bytes.length; index++) {
        const size = sizes[index % sizes.length] ?? 1
        const [next, received] = receiveServer(engine, bytes.subarray(at, at + size))
        frames.push(...received)
        engine = next
        at += size
      }
      assert.deepEqual(
        frames.map((frame) => (frame.tag === 'Violation' ? frame : frame.raw)),
        parts,
      )
    }),
  )
})
