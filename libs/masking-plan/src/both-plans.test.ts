import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bothPlans, maskDifferently } from './both-plans.ts'
import type { MaskingPlan } from './plan.ts'
import { type ResultColumn, rowMask } from './row.ts'

const PLAN: MaskingPlan = {
  columns: [{ tableOid: oidOf(1), attnum: 1, tag: 'email', method: 'Partial' }],
  untagged: 'Pass',
  tainted: 'Redact',
  detectors: [{ name: 'email', method: 'Partial' }],
  passwordLike: null,
  relations: [
    { oid: oidOf(1), attnumMax: 2 },
    { oid: oidOf(2), attnumMax: 1 },
  ],
  masksNothing: false,
}

/** The changes of the new plan, each with a column and the form in which both plans together show its value. */
const CHANGES: readonly {
  readonly name: string
  readonly now: Partial<MaskingPlan>
  readonly column: readonly [table: number, attnum: number]
  readonly shows: string | null
}[] = [
  { name: 'nothing else', now: {}, column: [1, 2], shows: 'value' },
  { name: 'nothing else', now: {}, column: [1, 1], shows: 'v…' },
  { name: 'no tag', now: { columns: [] }, column: [1, 1], shows: '[masked]' },
  {
    name: 'another method',
    now: { columns: [{ tableOid: oidOf(1), attnum: 1, tag: 'email', method: 'Pseudonym' }] },
    column: [1, 1],
    shows: '[masked]',
  },
  {
    name: 'one more tag',
    now: { columns: [...PLAN.columns, tagged(1, 2)] },
    column: [1, 2],
    shows: '[masked]',
  },
  {
    name: 'a tag on another relation',
    now: { columns: [...PLAN.columns, tagged(2, 1)] },
    column: [1, 2],
    shows: 'value',
  },
  { name: 'a rule for all', now: { untagged: 'Redact' }, column: [1, 2], shows: '[masked]' },
  {
    name: 'a relation less',
    now: { relations: [{ oid: oidOf(1), attnumMax: 2 }] },
    column: [2, 1],
    shows: '[masked]',
  },
  {
    name: 'a column more',
    now: { relations: [...PLAN.relations.slice(1), { oid: oidOf(1), attnumMax: 3 }] },
    column: [1, 3],
    shows: '[masked]',
  },
]

for (const { name, now, column, shows } of CHANGES) {
  test(`${name} instead of a plan shows ${shows} of column ${column.join('.')}, whichever came first`, () => {
    const other = { ...PLAN, ...now }
    for (const plan of [bothPlans(PLAN, other), bothPlans(other, PLAN)]) {
      const [mask] = rowMask(plan, [columnOf(...column)], false, Buffer.alloc(32, 1))
      const cell = Buffer.from('value')
      assert.equal(String(mask?.mask?.(cell) ?? cell), shows)
    }
  })
}

test('plans mask differently when a tag, a method or a rule for all is another, and in whatever order they are not', () => {
  assert.equal(maskDifferently(PLAN, { ...PLAN, columns: [...PLAN.columns].reverse() }), false)
  assert.equal(maskDifferently(PLAN, { ...PLAN, relations: [] }), false)
  const columns = [...PLAN.columns, tagged(3, 1)]
  const added = { oid: oidOf(3), attnumMax: 1 }
  assert.equal(
    maskDifferently(PLAN, { ...PLAN, columns, relations: [...PLAN.relations, added] }),
    false,
  )
  const inPlace = [...PLAN.relations.slice(0, 1), added]
  assert.equal(maskDifferently(PLAN, { ...PLAN, columns, relations: inPlace }), true)
  for (const other of [
    { columns: [] },
    { untagged: 'Redact' },
    { tainted: 'Null' },
    { detectors: [] },
    { passwordLike: 'Redact' },
    { masksNothing: true },
  ] as const)
    assert.equal(maskDifferently(PLAN, { ...PLAN, ...other }), true, JSON.stringify(other))
})

function oidOf(number: number): number {
  return 20_000 + number
}

function tagged(table: number, attnum: number): MaskingPlan['columns'][number] {
  return { tableOid: oidOf(table), attnum, tag: 'new', method: 'Redact' }
}

const columnOf = (table: number, attnum: number): ResultColumn => ({
  name: 'label',
  tableOid: oidOf(table),
  columnAttribute: attnum,
  typeOid: 25,
  format: 'text',
})
