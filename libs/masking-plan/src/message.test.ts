import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DETECTORS } from './detect.ts'
import { maskMessage } from './message.ts'
import type { MaskingPlan } from './plan.ts'

const PLAN: MaskingPlan = {
  columns: [],
  untagged: 'Pass',
  tainted: 'Redact',
  detectors: DETECTORS.map((name) => ({ name, method: 'Pseudonym' })),
  passwordLike: null,
  relations: [],
}

const message = (fields: Record<string, string>): Map<string, string> =>
  new Map(Object.entries({ S: 'ERROR', V: 'ERROR', F: 'int.c', R: 'f', ...fields }))

const shown = (fields: Record<string, string>, isClosed: boolean, plan = PLAN): string =>
  JSON.stringify([...maskMessage(plan, message(fields), isClosed)])

const CANARY = 'gerbil'

test('of a closed statement no word of the target stays, wherever it stands', () => {
  for (const letter of 'MDHWqstcdnZ') {
    for (const F of ['pl_exec.c', 'xml.c', 'int.c', 'acl.c', 'parse_type.c']) {
      for (const V of ['ERROR', 'NOTICE', 'WARNING', 'LOG']) {
        const fields = { V, C: '22P02', F, M: 'said', [letter]: `x ${CANARY} y` }
        assert.ok(!shown(fields, true).includes(CANARY), `${letter} of ${F}`)
      }
    }
  }
})

test('SQLSTATE, severity and names of constraints stay', () => {
  const told = maskMessage(
    PLAN,
    message({
      C: '23505',
      F: 'nbtinsert.c',
      M: `duplicate ${CANARY}`,
      D: `Key (email)=(${CANARY}) already exists.`,
      s: 'shop',
      t: 'customers',
      n: 'customers_email_key',
    }),
    true,
  )
  assert.equal(told.get('C'), '23505')
  assert.equal(told.get('n'), 'customers_email_key')
  assert.equal(told.get('t'), 'customers')
  assert.ok(told.get('M')?.includes('customers_email_key'))
  assert.equal(told.get('D'), undefined)
})

test('what the server says while it parses stays, with its position', () => {
  const fields = { C: '42703', F: 'parse_relation.c', P: '8', M: 'column "emial" does not exist' }
  assert.equal(maskMessage(PLAN, message(fields), true).get('M'), fields.M)
  assert.equal(maskMessage(PLAN, message(fields), true).get('P'), '8')
  for (const inside of ['W', 'q', 'p'])
    assert.ok(!shown({ ...fields, M: CANARY, [inside]: '1' }, true).includes(CANARY), inside)
  assert.ok(!shown({ ...fields, M: CANARY, P: '' }, true).includes(CANARY))
})

test('what the server says before it reads a row stays, also without a position', () => {
  for (const [F, C, M] of [
    ['parse_relation.c', '42712', 'table name "h" specified more than once'],
    ['parse_relation.c', '42P10', 'table "h" has 1 columns available but 2 columns specified'],
    [
      'parse_clause.c',
      '42703',
      'column "x" specified in USING clause does not exist in left table',
    ],
    ['analyze.c', '0A000', 'FOR UPDATE is not allowed with GROUP BY clause'],
    ['copy.c', '42703', 'column "nope" of relation "harmless" does not exist'],
    ['copyto.c', '42809', 'cannot copy from view "v"'],
    ['copyfrom.c', '42809', 'cannot copy to view "v"'],
  ] as const) {
    const fields = { F, C, M, H: 'Try the COPY (SELECT ...) TO variant.' }
    const told = maskMessage(PLAN, message(fields), true)
    assert.deepEqual([told.get('M'), told.get('H'), told.get('C')], [M, fields.H, C])
    for (const inside of ['W', 'q', 'p'])
      assert.ok(!shown({ F, C, M: CANARY, [inside]: '1' }, true).includes(CANARY), inside)
    assert.ok(!shown({ F, C, M: CANARY, V: 'NOTICE' }, true).includes(CANARY), 'a notice')
  }
})

test('what functions say of names that they read does not stay', () => {
  for (const [F, C] of [
    ['guc.c', '42704'],
    ['namespace.c', '42P01'],
    ['namespace.c', '3F000'],
    ['parse_type.c', '42704'],
    ['parse_func.c', '42883'],
    ['parse_oper.c', '42883'],
    ['objectaddress.c', '42704'],
    ['regproc.c', '42883'],
    ['varlena.c', '42602'],
    ['scan.l', '42601'],
    ['copy.c', '22P04'],
    ['copyto.c', '22P04'],
    ['copyfrom.c', '22P04'],
    ['copyfromparse.c', '22P04'],
    ['copyfrom.c', '23502'],
    ['pl_exec.c', '42712'],
    ['', '42712'],
  ] as const)
    assert.ok(!shown({ F, C, M: CANARY }, true).includes(CANARY), `${F} ${C}`)
})

test('an answer to a Parse keeps its words wherever it comes from, and one to SHOW the name of a setting', () => {
  const told = (
    fields: Record<string, string>,
    answersTo: 'Parse' | 'Setting' | 'Any',
  ): string | undefined => maskMessage(PLAN, message(fields), true, answersTo).get('M')
  const unknown = { F: 'guc.c', C: '42704', M: 'unrecognized configuration parameter "app.x"' }
  assert.equal(told(unknown, 'Setting'), unknown.M)
  assert.notEqual(told(unknown, 'Any'), unknown.M)
  const type = { F: 'parse_type.c', C: '42704', M: 'type "nope" does not exist' }
  assert.equal(told(type, 'Parse'), type.M)
  // The commit behind a SHOW may check rows.
  for (const F of ['ri_triggers.c', 'parse_type.c', 'int.c'])
    assert.notEqual(told({ ...type, F }, 'Setting'), type.M, F)
  assert.notEqual(told({ ...unknown, C: '22023' }, 'Setting'), unknown.M)
  for (const answersTo of ['Parse', 'Setting'] as const) {
    for (const inside of ['W', 'q', 'p'])
      assert.notEqual(told({ ...unknown, [inside]: '1' }, answersTo), unknown.M, inside)
    assert.notEqual(told({ ...unknown, V: 'NOTICE' }, answersTo), unknown.M)
  }
})

test('of a long text the beginning stays, without a value that the cut goes through', () => {
  const long = `syntax error at or near "ana@shop.example ${'x'.repeat(70_000)}"`
  const fields = { F: 'scan.l', C: '42601', P: '1', M: long }
  for (const isClosed of [true, false]) {
    const told = maskMessage(PLAN, message(fields), isClosed).get('M') ?? ''
    assert.ok(told.startsWith('syntax error at or near "[masked] xxx'), told.slice(0, 60))
    assert.ok(told.endsWith('x…'))
    assert.ok(told.length < 20_000)
  }
  for (const value of ['ana@shop.example', '4111 1111 1111 1111', '4111111111111111']) {
    for (const place of [
      16_380,
      16_384 - value.length + 1,
      65_536 - 8,
      65_536 - value.length + 1,
    ]) {
      const text = `${'. '.repeat(place / 2)}${' '.repeat(place % 2)}${value}${' .'.repeat(30_000)}`
      const told = maskMessage(PLAN, message({ ...fields, M: text }), true).get('M') ?? ''
      assert.ok(!/4111|ana/.test(told), `${value} at ${place}`)
      assert.ok(told.startsWith('. . '))
    }
  }
  const beyond = `${'x'.repeat(16_383)}${'🐘'.repeat(40_000)}`
  assert.ok(
    maskMessage(PLAN, message({ ...fields, M: beyond }), true)
      .get('M')
      ?.isWellFormed(),
  )
})

test('a cancel, an unknown cursor and an unknown prepared statement are told in the words of the server', () => {
  for (const [F, C, M] of [
    ['postgres.c', '57014', 'canceling statement due to user request'],
    ['postgres.c', '57014', 'canceling statement due to lock timeout'],
    ['portalcmds.c', '34000', 'cursor "one" does not exist'],
    ['prepare.c', '26000', 'prepared statement "two" does not exist'],
  ] as const) {
    assert.equal(maskMessage(PLAN, message({ F, C, M }), true).get('M'), M)
    // A function may make the name out of a value that it read.
    for (const inside of ['W', 'q', 'p'])
      assert.ok(!shown({ F, C, M: CANARY, [inside]: '1' }, true).includes(CANARY), inside)
  }
  const raised = {
    F: 'pl_exec.c',
    C: '34000',
    M: CANARY,
    W: 'PL/pgSQL function f() line 1 at RAISE',
  }
  assert.ok(!shown(raised, true).includes(CANARY))
})

test('all others keep the words of the target, through the detectors', () => {
  for (const [text, expected] of [
    ['Key (email)=(ana@shop.example) exists', 'Key (email)=([masked]) exists'],
    ['relation "shop.ordres" does not exist', 'relation "shop.ordres" does not exist'],
  ] as const)
    assert.equal(maskMessage(PLAN, message({ M: text }), false).get('M'), expected)
  const redacted = shown({ M: CANARY }, false, { ...PLAN, untagged: 'Redact' })
  assert.ok(!redacted.includes(CANARY))
  assert.match(redacted, /because columns without a tag are masked here/)
})

test('any fields give a message that can be sent', () => {
  for (const fields of [{ P: '1' }, { P: '1', M: '' }, { F: 'prepare.c' }, { R: 'aclcheck_error' }])
    assert.ok((maskMessage(PLAN, message(fields), true).get('M') ?? '').length > 0)
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...'SVCMDHPpqWstcdnFLR'), fc.string()), (fields) => {
      const told = maskMessage(PLAN, new Map(Object.entries(fields)), true)
      assert.ok((told.get('M') ?? '').length > 0)
    }),
  )
})
