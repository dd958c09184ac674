// Seen to fail when a write has only the tags of the relation that it names.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { MaskingRulesDefined, Relation, TargetDescribed } from '@countersign/contracts'
import { loadStatements } from '@countersign/statements'
import { NOW, relation, target } from './example-under-test.ts'
import { resultFacts } from './result-facts.ts'
import { tagsOf } from './tags.ts'
import { understood } from './understood.ts'

before(loadStatements)

test('a write that may reach rows with masked columns is known, whichever relation it names', () => {
  for (const [sql, expected] of [
    ["update shop.vault set city = 'x'", true],
    ["update shop.v set city = 'x'", true],
    ["update shop.v_of_v set city = 'x'", true],
    ['delete from shop.v', true],
    ["insert into shop.v values (1, 'x')", true],
    ['merge into shop.v using shop.plans p on p.id = v.id when matched then delete', true],
    ['copy shop.v from stdin', true],
    ['with w as (delete from shop.v returning id) select id from w', true],
    // Its rows may be those of a table that inherits, with more columns.
    ['update shop.parent set id = 1', true],
    ['update shop.v_parent set id = 1', true],
    ['update shop.plans set id = 1', false],
    ['update shop.v_plans set id = 1', false],
    ['select id from shop.v', false],
  ] as const) {
    const all = understood(Buffer.from(sql), TARGET)
    const tags = tagsOf(TARGET, RULES)
    const tainted = tags.touchedBy(all.understanding)
    const facts = resultFacts(all, { tags, tainted })
    assert.equal(facts.writesTagged, expected, sql)
  }
})

type Made = { readonly columns: readonly string[]; readonly of?: number; readonly in?: number }

const made = (oid: number, name: string, { columns, ...more }: Made): Relation =>
  relation(oid, name, [...columns], {
    kind: more.of === undefined ? 'table' : 'view',
    dependsOn: more.of === undefined ? [] : [{ relationOid: more.of, attnum: 1 }],
    inherits: more.in === undefined ? [] : [more.in],
  })

const TARGET: TargetDescribed = {
  ...target('shop-prod'),
  relations: [
    made(1, 'vault', { columns: ['id', 'email', 'city'] }),
    made(2, 'v', { columns: ['id', 'city'], of: 1 }),
    made(3, 'v_of_v', { columns: ['id', 'city'], of: 2 }),
    made(4, 'parent', { columns: ['id'] }),
    made(5, 'child', { columns: ['id', 'email'], in: 4 }),
    made(6, 'v_parent', { columns: ['id'], of: 4 }),
    made(7, 'plans', { columns: ['id'] }),
    made(8, 'v_plans', { columns: ['id'], of: 7 }),
  ],
}

const RULES: MaskingRulesDefined = {
  ...{ type: 'MaskingRulesDefined', name: 'rules', version: 'rules-1', at: NOW, author: 'ana' },
  ...{ signature: null, environments: [], untagged: 'Pass', tainted: 'Redact', detectors: [] },
  ...{ passwordLike: null, tags: [] },
  columns: [
    {
      ...{ schema: null, table: null, column: 'email', tag: 'email', method: 'Redact' },
      masksInference: false,
    },
  ],
}
