import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestSubject } from '@countersign/contracts'
import { SessionId } from '@countersign/kernel'
import { exactText } from './exact-request.ts'
import type { TargetTypes } from './postgres-value.ts'

const SUBJECT: RequestSubject = {
  protocol: 'Postgres',
  kind: 'Execute',
  text: Buffer.from(
    `update t set a = $1, b = $2, c = $3, "$1" = '$2', d = E'\\'$1' /* $1 */ where e = $4 -- $1`,
  ),
  parameterTypes: [25, 21, 1007, 16_384],
  valueTypes: [],
  executes: [],
  parameterFormats: [0, 1, 1, 1],
  parameters: [Buffer.from("it's"), Buffer.from('0898', 'hex'), null, Buffer.from('00ff', 'hex')],
  resultFormats: [],
  rowsMax: 0,
  sessionId: SessionId('01890000-0000-7000-8000-000000001234'),
  agent: 'ci-deploy',
  target: 'shop-prod',
  baseRoles: [],
  stateVersion: 0,
  policyVersion: '',
  salt: Buffer.alloc(16),
  settings: [],
  copyData: null,
}
const shown = (change: Partial<RequestSubject> = {}, types: TargetTypes = new Map()): string =>
  exactText({ status: 'seen', subject: { ...SUBJECT, ...change }, types }, (_style, text) => text)

test('reviewers see values by their types, and bytes where the type is not known', () => {
  const lines = shown().split('\n')
  assert.ok(lines.includes("    $1 text = 'it's'"), lines.join('\n'))
  assert.ok(lines.includes('    $2 smallint = 2200'))
  assert.ok(lines.includes('    $3 integer[] = NULL'))
  assert.ok(lines.includes("    $4 type 16384, binary, its bytes = '\\x00ff'"))
})

test('a value is read by the type that the target described, where the client declared none', () => {
  const change = { parameterTypes: [], parameterFormats: [1], valueTypes: [25, 23, 1007, 16_384] }
  const lines = shown({ ...change, parameters: [null, Buffer.from([0, 0, 0, 7])] }).split('\n')
  assert.ok(lines.includes('    $2 integer = 7'), lines.join('\n'))
})

test('values of types of the target are read as far as these are known', () => {
  const types: TargetTypes = new Map([
    [16_384, { name: 'shop.price', kind: 'composite', of: 0 }],
    [16_385, { name: 'shop.mood', kind: 'enum', of: 0 }],
    [16_386, { name: 'shop.amount', kind: 'domain', of: 16_387 }],
    [16_387, { name: 'shop.whole', kind: 'domain', of: 23 }],
    [16_388, { name: 'shop._price', kind: 'array', of: 16_384 }],
    [16_389, { name: 'shop.spell', kind: 'range', of: 16_386 }],
    [16_390, { name: 'shop.loop', kind: 'domain', of: 16_390 }],
    [16_391, { name: 'shop.made', kind: 'base', of: 0 }],
  ])
  const seven = '0000000400000007'
  const price = `00000002${'00004002'}${seven}${'00004001'}${'00000005'}${hexOf('happy')}`
  const size = (price.length / 2).toString(16).padStart(8, '0')
  const prices = `000000010000000000004000${'0000000100000001'}${size}${price}`
  for (const [oid, bytes, expected] of [
    [16_384, price, "shop.price = '(7,happy)'"],
    [16_385, hexOf('happy'), "shop.mood = 'happy'"],
    [16_386, '00000007', "shop.amount = '7'"],
    [16_388, prices, `shop._price = '{"(7,happy)"}'`],
    [16_389, `02${seven}${seven}`, "shop.spell = '[7,7)'"],
    [16_390, '00000007', "shop.loop, binary, its bytes = '\\x00000007'"],
    [16_391, '00', "shop.made, binary, its bytes = '\\x00'"],
    [16_384, '00', "shop.price, binary, its bytes = '\\x00'"],
  ] as const) {
    const parameters = [Buffer.from(bytes, 'hex')]
    const text = shown({ parameterTypes: [oid], parameterFormats: [1], parameters }, types)
    assert.ok(text.includes(`    $1 ${expected}\n`), `${expected} in ${text}`)
  }
})

const hexOf = (text: string): string => Buffer.from(text).toString('hex')

test('bytes that are no value of their type are shown as bytes', () => {
  const bad = shown({ parameters: [null, Buffer.from('00', 'hex'), null, null] })
  assert.match(bad, /^ {4}\$2 smallint, binary, its bytes = '\\x00'$/m)
})

test('the statement is shown with its values in place, and says that it is not what runs', () => {
  const text = shown()
  assert.match(text, /rendered +with the values in place, to read only:/)
  assert.ok(
    text.includes(
      `update t set a = 'it''s', b = 2200, c = NULL, "$1" = '$2', d = E'\\'$1' /* $1 */ where e = '\\x00ff' -- $1`,
    ),
    text,
  )
})

test('a value cannot draw another line', () => {
  const text = shown({ parameters: [Buffer.from("a\n    $9 = 'b'\u202e"), null, null, null] })
  assert.match(text, /^ {4}\$1 text = 'a\\n {4}\$9 = 'b'\\u202e'$/m)
})

// Seen to fail when nothing bounds what is rendered.
test('a long value in many places is shown once, and not rendered', () => {
  const value = 'long '.repeat(20_000)
  const change = { parameterTypes: [25], parameters: [Buffer.from(value)] }
  const text = shown({ ...change, text: Buffer.from(`select ${'$1,'.repeat(100)}1`) })
  assert.ok(text.includes(`$1 text = '${value}'`))
  assert.doesNotMatch(text, /rendered/)
  assert.match(shown({ ...change, text: Buffer.from('select $1, $1') }), /rendered/)
})
