import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { MaskingRulesDefined } from '@countersign/contracts'
import { loadStatements, understand } from '@countersign/statements'
import { NOW, target } from './example-under-test.ts'
import { tagsOf } from './tags.ts'

before(loadStatements)

test('a partition is as sensitive as its table, and a table as its partitions', () => {
  const known = target('shop-prod')
  const [customers] = known.relations
  assert.ok(customers !== undefined)
  const partition = { ...customers, oid: 50, name: 'customers_2024', inherits: [customers.oid] }
  const described = { ...known, relations: [...known.relations, partition] }
  for (const named of ['customers', 'customers_2024']) {
    const tags = tagsOf(described, rulesFor(named))
    const isTainted = (sql: string): boolean => tags.touchedBy(understand(sql, described))
    for (const { name } of [customers, partition]) {
      assert.equal(isTainted(`SELECT upper(full_name) FROM ${name}`), true, `${named}: ${name}`)
      assert.equal(isTainted(`SELECT upper(city) FROM ${name}`), false, `${named}: ${name}`)
    }
    assert.deepEqual(tags.ofRelation({ oid: 50, schema: 'shop', name: 'customers_2024' }), ['name'])
  }
})

const rulesFor = (table: string): MaskingRulesDefined => ({
  type: 'MaskingRulesDefined',
  name: 'rules',
  version: 'rules-1',
  at: NOW,
  author: 'ana',
  signature: null,
  environments: [],
  columns: [
    {
      schema: null,
      table,
      column: 'full_name',
      tag: 'name',
      method: 'Redact',
      masksInference: false,
    },
  ],
  untagged: 'Pass',
  tainted: 'Redact',
  detectors: [],
  passwordLike: null,
  tags: [],
})
