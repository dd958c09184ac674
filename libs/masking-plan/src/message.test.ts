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
  assert.ok(!shown({ M: CANARY }, false, { ...PLAN, untagged: 'Redact' }).includes(CANARY))
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
