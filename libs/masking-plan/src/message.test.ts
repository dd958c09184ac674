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

test('of a tainted statement everything quoted goes', () => {
  for (const [text, expected] of [
    ['Key (email)=(Ana) already exists.', 'Key [masked] already exists.'],
    [
      'invalid input syntax for type integer: "Ana"',
      'invalid input syntax for type integer: [masked]',
    ],
    ['syntax: "in"ner secret""', 'syntax: [masked]'],
    ['Failing row contains (1, Ana (x), y).', 'Failing row contains [masked].'],
    ['ungültige Syntax: »Ana«', 'ungültige Syntax: [masked]'],
    ['cut off: "Ana', 'cut off: [masked]'],
    ['COPY t, line 1, column email: "A(n"a) x', 'COPY t, line 1, column email: [masked] x'],
  ] as const)
    assert.equal(maskMessage(PLAN, text, true), expected)
})

test('of any statement the detectors mask what they find, without a pseudonym', () => {
  assert.equal(
    maskMessage(PLAN, 'Key (email)=(ana@shop.example) exists', false),
    'Key (email)=([masked]) exists',
  )
  assert.equal(
    maskMessage(PLAN, 'relation "orders" does not exist', false),
    'relation "orders" does not exist',
  )
})

test('what a function raises without quotes stays, as the limits say', () => {
  assert.equal(maskMessage(PLAN, 'customer Ana is blocked', true), 'customer Ana is blocked')
})

test('nothing between quotes survives a tainted statement', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const masked = maskMessage(PLAN, `value: "«CANARY${value}CANARY»" is wrong`, true)
      assert.ok(!masked.includes('CANARY'))
    }),
  )
})
