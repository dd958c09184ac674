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

test('beside code that may do anything, columns are plain that operators alone make of plain ones', () => {
  for (const [sql, expected] of [
    ["select city || '!', shop.f(1) from shop.vault", [1]],
    [
      "select city || '!', case when id > 1 then 'a' end, coalesce(id, 0), 'x', shop.f(1) from shop.vault",
      [1, 2, 3, 4],
    ],
    // A text of a time shows settings, and a parameter of an EXECUTE may be any expression.
    ["select '2020-01-01'::timestamptz::text, id::text, shop.f(1) from shop.plans", []],
    ['select id + $1, shop.f(1) from shop.plans', []],
    ['select id + 1 from shop.plans where shop.f(id) > 1', [1]],
    ['select p.id + 1 from shop.plans p, shop.f(1) f(id)', [1]],
    ["select email || '!', shop.f(1) from shop.vault", []],
    ['select shop.f(1) + 1, shop.f(id) from shop.plans', []],
    ['select f.id + 1 from shop.plans p, shop.f(1) f(id)', []],
    ['select p.f + 1, p.nosuch from shop.plans p, shop.f(1)', []],
    ['select v.id + 1, shop.f(1) from shop.v', []],
    // Opaque code may tell by what is counted, by settings, and by what it writes.
    ['select count(*), shop.f(1) from shop.plans', []],
    ['select sum(id) from shop.plans where shop.f(id) > 1', []],
    ["select current_setting('a.b'), lower('x'), shop.f(1)", []],
    ['select (select id from shop.plans), exists (select), shop.f(1)', []],
    ['select id + 1 from shop.plans where shop.f(1) > 1 union select 1', []],
    ['with w as (select shop.f(1) as id) select id + 1 from w', []],
    ['select s.id + 1 from (select shop.f(1) as id) s', []],
    ['select id + 1 from shop.plans join shop.f(1) f(id) using (id)', []],
  ] as const) {
    const all = understood(Buffer.from(sql), TARGET)
    const tags = tagsOf(TARGET, RULES)
    assert.ok(tags.touchedBy(all.understanding), sql)
    assert.deepEqual(resultFacts(all, { tags, tainted: true }).plainColumns, expected, sql)
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
