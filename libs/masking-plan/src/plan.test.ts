import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaskingRulesDefined, Relation, TargetDescribed } from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import { planFor } from './plan.ts'

test('a column is tagged by the first rule that matches, its label, or its name', () => {
  const table = relation(1, ['id', 'Email', 'note', 'password'], [])
  const [id, email, note, password] = table.columns
  assert.ok(id !== undefined && email !== undefined && note !== undefined && password !== undefined)
  const columns = [id, email, { ...note, label: "MASKED WITH VALUE 'x'" }, password]
  assert.deepEqual(tagsOf([{ ...table, columns }]), [
    '1.2 email Partial',
    '1.3 masked Redact',
    '1.4 password-like Redact',
  ])
})

test('a view has the tag of the column with the same name, also through another view', () => {
  const base = relation(1, ['id', 'email'], [])
  const view = relation(2, ['email', 'id'], [1])
  const above = relation(3, ['id', 'email'], [2])
  assert.deepEqual(tagsOf([above, view, base]), [
    '3.2 email Partial',
    '2.1 email Partial',
    '1.2 email Partial',
  ])
})

test('a column of a view that may be made of a tagged one is masked as tainted', () => {
  const base = relation(1, ['id', 'email'], [])
  assert.deepEqual(tagsOf([base, relation(2, ['id', 'contact'], [1])]), [
    '1.2 email Partial',
    '2.2 derived Null',
  ])
})

test('a view that swaps the names gets the masks on the wrong columns, as the limits say', () => {
  const base = relation(1, ['city', 'email'], [])
  // SELECT email AS city, city AS email
  assert.deepEqual(tagsOf([base, relation(2, ['city', 'email'], [1])]), [
    '1.2 email Partial',
    '2.2 email Partial',
  ])
})

test('a table and its partitions have the same tags, whichever of them a rule names', () => {
  const column = (table: string): MaskingRulesDefined => ({
    ...RULES,
    columns: [{ schema: null, table, column: 'full_name', tag: 'name', method: 'Redact' }],
  })
  const parent = relation(1, ['id', 'full_name'], [])
  const partition = { ...relation(2, ['full_name', 'id'], []), inherits: [1] }
  const below = { ...relation(3, ['id', 'full_name'], []), inherits: [2] }
  const view = relation(4, ['full_name'], [3])
  const all = ['1.2 name Redact', '2.1 name Redact', '3.2 name Redact', '4.1 name Redact']
  for (const named of ['r1', 'r3'])
    assert.deepEqual(tagsOf([parent, partition, below, view], column(named)), all)
  const beside = { ...relation(5, ['full_name'], []), inherits: [1] }
  assert.deepEqual(tagsOf([parent, below, beside], column('r5')), [
    '1.2 name Redact',
    '5.1 name Redact',
  ])
})

test('views that depend on each other end', () => {
  assert.equal(tagsOf([relation(1, ['email'], [2]), relation(2, ['email'], [1])]).length, 2)
})

test('a plan names everything that it knows, tagged or not', () => {
  const known = target([relation(1, ['a', 'b'], []), relation(2, [], [])])
  for (const rules of [RULES, null])
    assert.deepEqual(planFor(rules, known).relations, [
      { oid: 1, attnumMax: 2 },
      { oid: 2, attnumMax: 0 },
    ])
})

test('without rules everything is redacted', () => {
  const plan = planFor(null, target([]))
  assert.deepEqual([plan.untagged, plan.tainted, plan.passwordLike], ['Redact', 'Redact', 'Redact'])
})

const RULES: MaskingRulesDefined = {
  type: 'MaskingRulesDefined',
  name: 'rules',
  version: 'rules-1',
  at: Instant(1),
  author: 'ana',
  signature: null,
  environments: [],
  columns: [{ schema: null, table: null, column: 'e*mail', tag: 'email', method: 'Partial' }],
  untagged: 'Pass',
  tainted: 'Null',
  detectors: [],
  passwordLike: 'Redact',
}

const relation = (oid: number, columns: readonly string[], below: readonly number[]): Relation => ({
  oid,
  schema: 'public',
  name: `r${oid}`,
  kind: below.length === 0 ? 'table' : 'view',
  columns: columns.map((name, i) => ({ attnum: i + 1, name, typeOid: 25, label: null })),
  dependsOn: below.map((relationOid) => ({ relationOid, attnum: 0 })),
  inherits: [],
})

const target = (relations: readonly Relation[]): TargetDescribed => ({
  type: 'TargetDescribed',
  sessionId: SessionId('01890000-0000-7000-8000-000000000001'),
  at: Instant(1),
  target: 'shop',
  targetVersion: 'target-1',
  serverVersion: '18',
  searchPath: [],
  relations,
  routines: [],
})

const tagsOf = (relations: readonly Relation[], rules = RULES): string[] =>
  planFor(rules, target(relations)).columns.map(
    ({ tableOid, attnum, tag, method }) => `${tableOid}.${attnum} ${tag} ${method}`,
  )
