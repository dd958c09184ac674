import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaskingMethod } from '@countersign/contracts'
import fc from 'fast-check'
import { DETECTORS } from './detect.ts'
import type { MaskingPlan } from './plan.ts'
import { maskedCells, passesUnseen, type ResultColumn, rowMask } from './row.ts'

const KEY = Buffer.alloc(32, 7)

const OID = {
  text: 25,
  bpchar: 1042,
  json: 114,
  jsonb: 3802,
  bytea: 17,
  uuid: 2950,
  int4: 23,
  int8: 20,
  numeric: 1700,
  textArray: 1009,
  timestamp: 1114,
  enum: 16_500,
}

test('a tagged column is masked by its method, in a form that its type can have', () => {
  const rows: readonly [MaskingMethod, number, string, string | null | RegExp][] = [
    ['Redact', OID.text, 'Ana', '[masked]'],
    ['Partial', OID.text, 'ana@shop.example', 'a…@shop.example'],
    ['Partial', OID.text, 'a@shop.example', '…@shop.example'],
    ['Partial', OID.text, '4111 1111 1111 1111', '…1111'],
    ['Partial', OID.text, 'Lovelace', 'L…'],
    ['Partial', OID.text, 'Ana', '[masked]'],
    ['Pseudonym', OID.text, 'Ana', /^p_[a-z2-7]{16}$/],
    ['Null', OID.text, 'Ana', null],
    ['Redact', OID.json, '{"a":1}', '"[masked]"'],
    ['Pseudonym', OID.jsonb, '{"a":1}', /^"p_[a-z2-7]{16}"$/],
    ['Redact', OID.bytea, '\\x414243', `\\x${Buffer.from('[masked]').toString('hex')}`],
    ['Redact', OID.uuid, '8b5b1b1e-0000-4000-8000-000000000000', null],
    [
      'Pseudonym',
      OID.uuid,
      '8b5b1b1e-0000-4000-8000-000000000000',
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ],
    ...[OID.int4, OID.int8, OID.numeric, OID.timestamp, OID.textArray, OID.enum].flatMap((oid) =>
      (['Redact', 'Partial', 'Pseudonym', 'Null'] as const).map(
        (method): [MaskingMethod, number, string, null] => [method, oid, '1', null],
      ),
    ),
  ]
  for (const [method, typeOid, value, expected] of rows) {
    const got = textOf(tagged(method), column({ typeOid }), value)
    if (expected instanceof RegExp) assert.match(got ?? '', expected)
    else assert.equal(got, expected, `${method} of ${typeOid}`)
  }
})

test('text and binary form of a value have the same pseudonym', () => {
  const plan = tagged('Pseudonym')
  const uuid = '8b5b1b1e-0000-4000-8000-000000000000'
  const binary = masked(
    plan,
    column({ typeOid: OID.uuid, format: 'binary' }),
    Buffer.from(uuid.replaceAll('-', ''), 'hex'),
  )
  assert.equal(
    textOf(plan, column({ typeOid: OID.uuid }), uuid)?.replaceAll('-', ''),
    binary?.toString('hex'),
  )
  const jsonb = masked(
    plan,
    column({ typeOid: OID.jsonb, format: 'binary' }),
    Buffer.from('\x01{"a": 1}'),
  )
  assert.equal(jsonb?.toString(), `\x01${textOf(plan, column({ typeOid: OID.jsonb }), '{"a": 1}')}`)
  assert.equal(
    textOf(plan, column({ typeOid: OID.bpchar }), 'Ana   '),
    textOf(plan, column({}), 'Ana'),
  )
})

test('taint masks computed columns only: an untagged column of a table stays', () => {
  assert.equal(textOf(DETECTING, column({ tableOid: 8 }), 'Lovelace', true), 'Lovelace')
})

test('a row as a whole is masked where a column of it is, or where the statement is tainted', () => {
  const row = { columnAttribute: 0, typeOid: 16_700, tableOid: 8 }
  for (const format of ['text', 'binary'] as const)
    for (const method of ['Redact', 'Partial', 'Pseudonym', 'Null'] as const) {
      const { columns } = tagged(method)
      const inTable = columns[0]?.tableOid ?? 0
      const own = { ...row, format, tableOid: inTable }
      assert.equal(textOf(tagged(method), column(own), '(1,Lovelace)'), null, method)
    }
  assert.equal(
    textOf(DETECTING, column({ ...row, typeOid: OID.text }), 'Lovelace', true),
    '[masked]',
  )
  assert.equal(textOf(DETECTING, column({ ...row, typeOid: OID.text }), 'Lovelace'), 'Lovelace')
  const ctid = { ...row, columnAttribute: -1, typeOid: OID.text }
  assert.equal(textOf(DETECTING, column(ctid), '(0,1)', true), '(0,1)')
})

test('a pseudonym depends on the tag and the key, and there is none without a usable key', () => {
  const a = textOf(tagged('Pseudonym', 'name'), column({}), 'Ana')
  assert.notEqual(a, textOf(tagged('Pseudonym', 'city'), column({}), 'Ana'))
  const other = rowMask(tagged('Pseudonym', 'name'), [column({})], false, Buffer.alloc(32, 8))
  assert.notEqual(a, maskedCells(other, [Buffer.from('Ana')])?.[0]?.toString())
  const none = rowMask(tagged('Pseudonym', 'name'), [column({})], false, Buffer.alloc(0))
  assert.equal(maskedCells(none, [Buffer.from('Ana')])?.[0]?.toString(), '[masked]')
})

test('of very many hits in one text only the first have pseudonyms, the rest is masked whole', () => {
  const plan = { ...DETECTING, detectors: [{ name: 'email', method: 'Pseudonym' as const }] }
  const masked = textOf(plan, column({ tableOid: 8 }), 'a@b.io '.repeat(10_000))
  assert.equal(masked?.match(/p_[a-z2-7]{16}/g)?.length, 256)
  assert.equal(masked.match(/\[masked\]/g)?.length, 10_000 - 256)
})

test('the tag comes first, then taint, then the name, then the rule for the untagged', () => {
  const plan = { ...tagged('Partial'), tainted: 'Null', passwordLike: 'Redact' } as const
  assert.equal(textOf(plan, column({ name: 'password' }), 'Lovelace', true), 'L…')
  assert.equal(
    textOf(plan, column({ name: 'upper', tableOid: 0, columnAttribute: 0 }), 'Lovelace', true),
    null,
  )
  assert.equal(
    textOf(plan, column({ name: 'upper', tableOid: 0, columnAttribute: 0 }), 'Lovelace', false),
    'Lovelace',
  )
  for (const name of [
    'password',
    'user_pwd',
    'apiKey',
    'private_key',
    'session_token',
    'client_secret',
  ])
    assert.equal(textOf(plan, column({ name, tableOid: 8 }), 'Lovelace'), '[masked]', name)
  assert.equal(textOf(plan, column({ tableOid: 8 }), 'Lovelace'), 'Lovelace')
  assert.equal(
    textOf({ ...plan, untagged: 'Redact' }, column({ tableOid: 8 }), 'Lovelace'),
    '[masked]',
  )
})

test('an untagged value is masked where a detector finds something, in every type', () => {
  const rows: readonly [number, string, string | null][] = [
    [OID.text, 'to ana@shop.example!', 'to [masked]!'],
    [
      OID.json,
      '{"m":"ana\\u0040shop.example","n":12345678901234567890}',
      '{"m":"[masked]","n":12345678901234567890}',
    ],
    [OID.json, '{"card":4111111111111111}', '{"card":"[masked]"}'],
    [
      OID.bytea,
      `\\x${Buffer.from('ana@shop.example', 'utf16le').toString('hex')}`,
      `\\x${Buffer.from('[masked]').toString('hex')}`,
    ],
    [OID.bytea, 'ana@shop\\056example', `\\x${Buffer.from('[masked]').toString('hex')}`],
    [OID.int8, '4111111111111111', null],
    [OID.numeric, '4111111111111111', null],
    [701, '4.111111111111111e+15', null],
    [OID.textArray, '{a,ana@shop.example}', null],
    [OID.enum, 'ana@shop.example', null],
    [OID.int8, '4111111111111112', '4111111111111112'],
    [OID.timestamp, '2024-01-01 00:00:00', '2024-01-01 00:00:00'],
  ]
  for (const [typeOid, value, expected] of rows)
    assert.equal(
      textOf(DETECTING, column({ tableOid: 8, typeOid, name: 'card_number' }), value),
      expected,
      value,
    )
})

test('a number that looks like a card is one only where its name says so', () => {
  const number = '4111111111111111'
  for (const [name, expected] of [
    ['ean', number],
    ['order_id', number],
    ['panels', number],
    ['cardNumber', null],
    ['pan', null],
    ['ccnum', null],
    ['kreditkarte', null],
  ] as const) {
    for (const typeOid of [OID.int8, OID.numeric])
      assert.equal(
        textOf(DETECTING, column({ tableOid: 8, typeOid, name }), number),
        expected,
        name,
      )
    const list = textOf(DETECTING, column({ tableOid: 8, typeOid: 1016, name }), `{${number}}`)
    assert.equal(list, expected === null ? null : `{${number}}`, name)
    const json = `{"${name}" : ${number}}`
    const shown = expected === null ? `{"${name}" : "[masked]"}` : json
    assert.equal(textOf(DETECTING, column({ tableOid: 8, typeOid: OID.json }), json), shown, name)
  }
  assert.equal(textOf(DETECTING, column({ tableOid: 8, name: 'ean' }), number), '[masked]')
  for (const [composite, isNumber] of [
    [`(1,${number})`, true],
    [`(${number},"x y",)`, true],
    [`(-1,4001000001093.00,t)`, true],
    [`("${number} ",x)`, false],
    [`("a,${number},b",x)`, false],
    [`("a\\",${number},b",x)`, false],
    [`("(1,${number})",x)`, false],
    [`(card ${number})`, false],
    [`{${number}}`, false],
  ] as const)
    for (const name of ['made', 'card']) {
      const expected = isNumber && name === 'made' ? composite : null
      const shown = textOf(DETECTING, column({ tableOid: 8, typeOid: 2249, name }), composite)
      assert.equal(shown, expected, composite)
    }
})

test('binary values are looked into as well', () => {
  const int8 = Buffer.alloc(8)
  int8.writeBigInt64BE(4111111111111111n)
  const numeric = Buffer.from('00040003000000001007045704570457', 'hex')
  const float8 = Buffer.alloc(8)
  float8.writeDoubleBE(4111111111111111)
  numeric.writeInt16BE(4111, 8)
  for (const offset of [10, 12, 14]) numeric.writeInt16BE(1111, offset)
  const rows: readonly [number, Buffer][] = [
    [OID.int8, int8],
    [OID.numeric, numeric],
    [701, float8],
    [OID.enum, Buffer.from('\x00\x01ana@shop.example\xff', 'latin1')],
    [OID.textArray, Buffer.from('\x00\x00\x00\x10ana@shop.example', 'latin1')],
  ]
  for (const [typeOid, value] of rows)
    assert.equal(
      masked(
        DETECTING,
        column({ tableOid: 8, typeOid, name: 'card_number', format: 'binary' }),
        value,
      ),
      null,
      String(typeOid),
    )
  const jsonb = masked(
    DETECTING,
    column({ tableOid: 8, typeOid: OID.jsonb, format: 'binary' }),
    Buffer.from('\x01["ana@shop.example"]'),
  )
  assert.equal(jsonb?.toString(), '\x01["[masked]"]')
})

test('a detector that this version does not know lets nothing through', () => {
  const plan: MaskingPlan = { ...DETECTING, detectors: [{ name: 'iris', method: 'Redact' }] }
  assert.equal(textOf(plan, column({ tableOid: 8 }), 'green'), '[masked]')
})

test('a row of another width than its description is masked whole', () => {
  const mask = rowMask(DETECTING, [column({ tableOid: 8 })], false, KEY)
  assert.deepEqual(maskedCells(mask, [Buffer.from('a'), Buffer.from('b')]), [null, null])
})

test('nothing is copied where nothing is masked', () => {
  const mask = rowMask(
    DETECTING,
    [column({ tableOid: 8 }), column({ tableOid: 8, typeOid: OID.int4 })],
    false,
    KEY,
  )
  assert.equal(maskedCells(mask, [Buffer.from('green'), Buffer.from('1')]), null)
  assert.equal(maskedCells(mask, [null, null]), null)
})

test('random bytes in any type never throw', () => {
  const typeOid = fc.constantFrom(...Object.values(OID), 701, 19, 142)
  fc.assert(
    fc.property(
      typeOid,
      fc.constantFrom('text' as const, 'binary' as const),
      fc.constantFrom<MaskingMethod>('Redact', 'Partial', 'Pseudonym', 'Null'),
      fc.uint8Array({ maxLength: 200 }),
      (oid, format, method, bytes) => {
        masked(tagged(method), column({ typeOid: oid, format }), Buffer.from(bytes))
        masked(DETECTING, column({ tableOid: 8, typeOid: oid, format }), Buffer.from(bytes))
      },
    ),
  )
})

test('a canary in an untagged text, json or bytea does not come out in any encoding', () => {
  const canary = 'canary.7f3a@shop.example'
  const forms = [
    Buffer.from(canary),
    Buffer.from(canary, 'utf16le'),
    Buffer.from(canary, 'utf16le').swap16(),
    Buffer.from(Buffer.from(canary).toString('base64')),
    Buffer.from(Buffer.from(canary).toString('hex')),
  ]
  const space = Buffer.from(' ')
  fc.assert(
    fc.property(
      fc.constantFrom(...forms),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      (form, before, after) => {
        const cell = Buffer.concat([before, space, form, space, after])
        for (const [typeOid, format, value] of [
          [OID.bytea, 'binary', cell],
          [OID.bytea, 'text', Buffer.from(`\\x${cell.toString('hex')}`)],
          [OID.enum, 'binary', cell],
          [OID.text, 'text', cell],
        ] as const) {
          const out = masked(DETECTING, column({ tableOid: 8, typeOid, format }), value)
          for (const each of forms) {
            assert.ok(out === null || !out.includes(each), `${typeOid} ${format}`)
            assert.ok(out === null || !out.toString('latin1').includes(each.toString('hex')))
          }
        }
      },
    ),
  )
})

const DETECTING: MaskingPlan = {
  columns: [],
  untagged: 'Pass',
  tainted: 'Redact',
  detectors: DETECTORS.map((name) => ({ name, method: 'Redact' })),
  passwordLike: null,
  relations: [{ oid: 20_000, attnumMax: 2 }],
}

const tagged = (method: MaskingMethod, tag = 'tag'): MaskingPlan => ({
  ...DETECTING,
  columns: [{ tableOid: 7, attnum: 1, tag, method }],
})

test('what the plan does not know is masked whole: a later table, a later column; catalogs are known', () => {
  const seen = (tableOid: number, columnAttribute: number, tainted = false): string | null =>
    textOf(DETECTING, column({ tableOid, columnAttribute }), 'Lovelace', tainted)
  assert.equal(seen(20_000, 2), 'Lovelace')
  assert.equal(seen(20_000, -1), 'Lovelace')
  assert.equal(seen(20_000, 3), '[masked]')
  assert.equal(seen(20_001, 1), '[masked]')
  assert.equal(seen(16_384, 1), '[masked]')
  assert.equal(seen(1_259, 2), 'Lovelace')
  assert.equal(seen(0, 0), 'Lovelace')
})

test('a value that holds nothing passes unseen, others do not', () => {
  const passes = (value: string, one = column({ tableOid: 8 })): boolean => {
    const bytes = Buffer.from(value)
    return passesUnseen(rowMask(DETECTING, [one], false, KEY)[0], bytes, 0, bytes.length)
  }
  assert.equal(passes('sensor 17'), true)
  assert.equal(passes('42', column({ tableOid: 8, typeOid: OID.int4 })), true)
  assert.equal(passes('ana@shop.example'), false)
  assert.equal(passes('a\0b'), false)
  assert.equal(passes('green', column({ tableOid: 8, format: 'binary' })), false)
  const secret = rowMask(tagged('Redact', 'name'), [column({})], false, KEY)[0]
  assert.equal(passesUnseen(secret, Buffer.from('green'), 0, 5), false)
})

const column = (some: Partial<ResultColumn>): ResultColumn => ({
  name: 'c',
  tableOid: 7,
  columnAttribute: 1,
  typeOid: OID.text,
  format: 'text',
  ...some,
})

function masked(
  plan: MaskingPlan,
  one: ResultColumn,
  cell: Buffer,
  tainted = false,
): Buffer | null {
  const mask = rowMask(plan, [one], tainted, KEY)
  const cells = maskedCells(mask, [cell])
  // In each of the tests: a value that passes unseen is one that would not be changed.
  const inFrame = Buffer.concat([Buffer.from('\0@1234567890'), cell, Buffer.from('\0@1234567890')])
  if (passesUnseen(mask[0], inFrame, 12, 12 + cell.length)) assert.equal(cells, null)
  return cells === null ? cell : (cells[0] ?? null)
}

const textOf = (
  plan: MaskingPlan,
  one: ResultColumn,
  value: string,
  tainted = false,
): string | null => masked(plan, one, Buffer.from(value), tainted)?.toString() ?? null
