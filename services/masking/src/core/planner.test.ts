import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode, type MaskingRulesDefined, type TargetDescribed } from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import { planner } from './planner.ts'

const SESSION = SessionId('018f0000-0000-7000-8000-000000000000')

const RULES: MaskingRulesDefined = {
  type: 'MaskingRulesDefined',
  name: 'all',
  version: 'r1',
  at: Instant(1),
  author: 'olga',
  signature: null,
  environments: [],
  columns: [
    {
      schema: null,
      table: null,
      column: 'c*',
      tag: 'personal-data.financial.account',
      method: 'Pseudonym',
      masksInference: false,
    },
  ],
  untagged: 'Pass',
  tainted: 'Null',
  detectors: [],
  passwordLike: null,
  tags: [],
}

/** A target with so many tables of 100 columns. */
const target = (tables: number): TargetDescribed => ({
  ...{ type: 'TargetDescribed', sessionId: SESSION, at: Instant(0), requestId: null },
  ...{ target: 'shop', targetVersion: `t${tables}`, serverVersion: '18', searchPath: ['shop'] },
  ...{ routines: [], types: [], systemColumns: [], eventTriggers: '' },
  relations: Array.from({ length: tables }, (_, table) => ({
    ...{ oid: 16_384 + table, schema: 'shop', name: `t${table}`, kind: 'table' },
    columns: Array.from({ length: 100 }, (_, column) => ({
      ...{ attnum: column + 1, name: `c${column}`, typeOid: 25, label: null, origin: null },
      fields: [],
    })),
    ...{ dependsOn: [], inherits: [], computed: [], digest: '', reaches: [], runsCode: false },
  })),
})

test('a plan that would not fit into a record masks everything instead', () => {
  const plan = planner()
  const small = plan(RULES, target(10))
  assert.equal(small.columns.length, 1_000)
  const large = plan(RULES, target(1_100))
  assert.deepEqual([large.columns, large.untagged, large.masksNothing], [[], 'Redact', false])
  assert.equal(large.relations.length, 1_100)
  assert.equal(large.rulesVersion, 'r1')
  for (const made of [plan(RULES, target(1_000)), large]) {
    const about = { sessionId: SESSION, at: Instant(0) }
    const bytes = encode({ type: 'MaskingPlanned', ...about, ...made })
    assert.ok(bytes.length < 8_000_000, `${bytes.length} bytes`)
  }
})
