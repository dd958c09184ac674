import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnRule, Effect, MaskingRulesDefined } from '@countersign/contracts'
import type { Described } from './name-meaning.ts'
import {
  namesakesIn,
  namesKnown,
  type OwnChanges,
  ownChangesOf,
  ownPlanOf,
  type SeenColumn,
  type SeenRelation,
  undescribedAmong,
} from './own-changes.ts'

type DescribedRelation = Described['relations'][number]

const described = (
  oid: number,
  name: string,
  columns: string[],
  more: Partial<DescribedRelation> = {},
): DescribedRelation => ({
  ...{ oid, schema: 'shop', name, kind: 'table', dependsOn: [], inherits: [], computed: [] },
  ...{ digest: '', reaches: [], runsCode: false },
  columns: columns.map((column, index) => ({
    ...{ attnum: index + 1, name: column, typeOid: TEXT, label: null, origin: null, fields: [] },
  })),
  ...more,
})

/** Its last column is of a type of the target. */
const withType = (relation: DescribedRelation): DescribedRelation => ({
  ...relation,
  columns: relation.columns.map((each, at, all) =>
    at === all.length - 1 ? { ...each, typeOid: 20_500 } : each,
  ),
})

const column = (attnum: number, name: string, more: Partial<SeenColumn> = {}): SeenColumn => ({
  ...{ attnum, name, typeOid: TEXT, label: null, isGenerated: false },
  ...more,
})

const seen = (
  oid: number,
  name: string,
  columns: readonly (string | SeenColumn)[],
  more: Partial<SeenRelation> = {},
): SeenRelation => ({
  ...{ oid, schema: 'shop', name, kind: 'r', isTemporary: false, inherits: [] },
  ...{ hasRules: false, hasNewRules: false, hasHeirs: false },
  columns: columns.map((each, index) =>
    typeof each === 'string' ? column(index + 1, each) : each,
  ),
  ...more,
})

const TEXT = 25
const [PLAIN, VAULT, VIEW, PARENT, OTHER, CHILD, SINGLE, TYPED] = [
  20_001, 20_002, 20_003, 20_004, 20_005, 20_006, 20_007, 20_008,
] as const
const NEW = 30_000

const relations: readonly DescribedRelation[] = [
  described(PLAIN, 'plain', ['id', 'note']),
  described(VAULT, 'vault', ['id', 'note']),
  described(VIEW, 'view', ['id', 'note'], { kind: 'view' }),
  described(PARENT, 'parent', ['id', 'note']),
  described(OTHER, 'plain', ['id', 'note'], { schema: 'other' }),
  described(CHILD, 'child', ['id', 'note'], { inherits: [PARENT] }),
  described(SINGLE, 'single', ['id', 'note']),
  withType(described(TYPED, 'typed', ['id', 'kind'])),
]
const RULE: ColumnRule = {
  ...{ schema: null, table: null, column: 'email', tag: 'email', method: 'Redact' },
  masksInference: false,
}
const rules = { columns: [RULE], passwordLike: null } as unknown as MaskingRulesDefined
const plan = {
  columns: [{ tableOid: VAULT, attnum: 2, tag: 'secret', method: 'Redact' as const }],
}

const changesOf = (of: readonly SeenRelation[], gone: readonly number[] = []): OwnChanges =>
  ownChangesOf(of, { described: { relations }, plan, rules, gone })

/** The verdict: is all clear, the readable relations, the hidden ones. */
const told = (of: readonly SeenRelation[], gone: readonly number[] = []) => {
  const { isClear, hidden, relations: own } = changesOf(of, gone)
  return [isClear, own.map(({ name }) => name), [...hidden]]
}

// Seen to fail when a condition of ownChangesOf, ownRelation, isAsDescribed or hide is left out.
const CASES: readonly {
  says: string
  of: readonly SeenRelation[]
  gone?: readonly number[]
  then: [boolean, string[], number[]]
}[] = [
  { says: 'nothing', of: [], then: [true, [], []] },
  { says: 'a new table', of: [seen(NEW, 'made', ['id'])], then: [true, ['made'], []] },
  {
    says: 'a new column of a table without tags',
    of: [seen(PLAIN, 'plain', ['id', 'note', 'more'])],
    then: [true, ['plain'], []],
  },
  {
    says: 'a new column of a table with tags, whose own columns are as described',
    of: [seen(VAULT, 'vault', ['id', 'note', 'more'])],
    then: [true, [], []],
  },
  {
    says: 'a column that is gone',
    of: [seen(VAULT, 'vault', [column(2, 'note')])],
    then: [true, [], []],
  },
  {
    says: 'a tagged column under another name',
    of: [seen(VAULT, 'vault', ['id', 'title'])],
    then: [false, [], []],
  },
  {
    says: 'columns with tags that swap their names',
    of: [seen(VAULT, 'vault', ['note', 'id'])],
    then: [false, [], []],
  },
  {
    says: 'a table with tags under another name',
    of: [seen(VAULT, 'safe', ['id', 'note'])],
    then: [false, [], []],
  },
  {
    says: 'a table with tags in another schema',
    of: [seen(VAULT, 'vault', ['id', 'note'], { schema: 'public' })],
    then: [false, [], []],
  },
  {
    says: 'a table without tags under another name',
    of: [seen(SINGLE, 'renamed', ['id', 'title'])],
    then: [true, ['renamed'], []],
  },
  {
    says: 'a name that uncovers another table',
    of: [seen(PLAIN, 'old', ['id', 'note'])],
    then: [false, ['old'], []],
  },
  {
    says: 'a table that is gone and uncovers another',
    of: [],
    gone: [PLAIN],
    then: [false, [], []],
  },
  { says: 'a table that is gone', of: [], gone: [VAULT], then: [true, [], []] },
  {
    says: 'a new table with the name of a described one',
    of: [seen(NEW, 'vault', ['id', 'note'])],
    then: [true, ['vault'], []],
  },
  {
    says: 'a new table with the name of a described one and a tag',
    of: [seen(NEW, 'vault', ['id', 'email'])],
    then: [false, ['vault'], []],
  },
  {
    says: 'a new view',
    of: [seen(NEW, 'seen', ['id'], { kind: 'v', hasRules: true, hasNewRules: true })],
    then: [true, [], []],
  },
  {
    says: 'a new view with the name of a described table',
    of: [seen(NEW, 'vault', ['id'], { kind: 'v', hasRules: true, hasNewRules: true })],
    then: [false, [], []],
  },
  {
    says: 'a view that is replaced',
    of: [seen(VIEW, 'view', ['id', 'note'], { kind: 'v', hasRules: true, hasNewRules: true })],
    then: [false, [], [VIEW]],
  },
  {
    says: 'a view with other rights',
    of: [seen(VIEW, 'view', ['id', 'note'], { kind: 'v', hasRules: true })],
    then: [true, [], []],
  },
  {
    says: 'a new rule of a table',
    of: [seen(PLAIN, 'plain', ['id', 'note'], { hasRules: true, hasNewRules: true })],
    then: [false, [], [PLAIN]],
  },
  {
    says: 'a column of a type of the target',
    of: [seen(NEW, 'made', [column(1, 'kind', { typeOid: 20_500 })])],
    then: [true, [], []],
  },
  {
    says: 'a described column that gets a type of the target',
    of: [seen(PLAIN, 'plain', ['id', column(2, 'note', { typeOid: 20_500 })])],
    then: [false, [], []],
  },
  {
    says: 'a generated column beside a tagged one',
    of: [seen(NEW, 'made', ['email', column(2, 'more', { isGenerated: true })])],
    then: [true, [], []],
  },
  {
    says: 'a generated column beside plain ones, which may have come with LIKE from elsewhere',
    of: [seen(NEW, 'made', ['title', column(2, 'more', { isGenerated: true })])],
    then: [true, [], []],
  },
  {
    says: 'a column of a table with tags that a generated one replaces',
    of: [seen(VAULT, 'vault', [column(2, 'note'), column(3, 'id', { isGenerated: true })])],
    then: [false, [], [VAULT]],
  },
  {
    says: 'a column of a table with tags that another one replaces',
    of: [seen(VAULT, 'vault', [column(2, 'note'), column(3, 'id')])],
    then: [false, [], []],
  },
  {
    says: 'a generated column of a table with tags, whose expression may be another',
    of: [seen(VAULT, 'vault', [column(1, 'id', { isGenerated: true }), column(2, 'note')])],
    then: [false, [], [VAULT]],
  },
  {
    says: 'a table with tags that inherits, and all above it',
    of: [seen(VAULT, 'vault', ['id', 'note'], { inherits: [CHILD] })],
    then: [false, [], [CHILD, PARENT]],
  },
  {
    says: 'a table with tags that inherits through a new one',
    of: [
      seen(NEW, 'made', ['id', 'note'], { inherits: [PARENT], hasHeirs: true }),
      seen(VAULT, 'vault', ['id', 'note'], { inherits: [NEW] }),
    ],
    then: [false, [], [NEW, PARENT]],
  },
  {
    says: 'a table that inherits no more',
    of: [seen(CHILD, 'child', ['id', 'note'])],
    then: [false, [], []],
  },
  {
    says: 'a new foreign table',
    of: [seen(NEW, 'made', ['id'], { kind: 'f' })],
    then: [true, [], []],
  },
  {
    says: 'a new table from which others inherit',
    of: [seen(NEW, 'made', ['id'], { hasHeirs: true })],
    then: [true, [], []],
  },
  {
    says: 'a new table beside a temporary view of the same name',
    of: [
      seen(NEW, 'made', ['id']),
      seen(NEW + 1, 'made', ['id'], { schema: 'pg_temp_3', kind: 'v', isTemporary: true }),
    ],
    then: [true, [], []],
  },
  {
    says: 'a column of a table with tags that is of another type of PostgreSQL',
    of: [seen(VAULT, 'vault', [column(1, 'id', { typeOid: 20 }), 'note'])],
    then: [true, [], []],
  },
  {
    says: 'a column of a table with tags that is of a type of the target',
    of: [seen(VAULT, 'vault', [column(1, 'id', { typeOid: 20_500 }), 'note'])],
    then: [false, [], []],
  },
  {
    says: 'a table without tags and with a generated column, that is as described',
    of: [seen(PLAIN, 'plain', ['id', column(2, 'note', { isGenerated: true })])],
    then: [true, [], []],
  },
  {
    says: 'a table without tags that inherits from another',
    of: [seen(PLAIN, 'plain', ['id', 'note'], { inherits: [PARENT] })],
    then: [false, [], []],
  },
  {
    says: 'a new tagged column of a table without tags',
    of: [seen(SINGLE, 'single', ['id', 'email'])],
    then: [true, ['single'], []],
  },
  {
    says: 'a table with a column of a type of the target, as described',
    of: [seen(TYPED, 'typed', ['id', column(2, 'kind', { typeOid: 20_500 })])],
    then: [true, ['typed'], []],
  },
  {
    says: 'a temporary table in front of a described one',
    of: [seen(NEW, 'single', ['id'], { schema: 'pg_temp_3', isTemporary: true })],
    then: [false, ['single'], []],
  },
  {
    says: 'a new partition',
    of: [
      seen(NEW, 'made', ['id', 'note'], { inherits: [PARENT] }),
      seen(PARENT, 'parent', ['id', 'note'], { hasHeirs: true }),
    ],
    then: [true, [], []],
  },
]

for (const { says, of, gone, then } of CASES)
  test(`own changes: ${says}`, () => assert.deepEqual(told(of, gone), then))

test('the columns of own relations are tagged by the rules, and by labels of the target', () => {
  const { relations: own } = changesOf([
    seen(NEW, 'made', ['id', 'email', column(3, 'city', { label: 'place' })]),
  ])
  assert.deepEqual(ownPlanOf(own), {
    version: ownPlanOf(own).version,
    relations: [{ oid: NEW, attnumMax: 3 }],
    columns: [
      { tableOid: NEW, attnum: 2, tag: 'email', method: 'Redact' },
      { tableOid: NEW, attnum: 3, tag: 'place', method: 'Redact' },
    ],
  })
})

test('a request is known where each relation that it reads or writes is described or its own', () => {
  const { relations: own } = changesOf([
    seen(NEW, 'made', ['id']),
    seen(NEW + 1, 'scratch', ['id'], { schema: 'pg_temp_3', isTemporary: true }),
  ])
  const isKnown = (...effects: Effect[]): boolean => namesKnown({ relations }, effects, own)
  const on = (effect: string, schema: string | null, table: string | null): Effect => ({
    ...{ effect, schema, table },
  })
  assert.ok(isKnown(on('read', 'shop', 'vault'), on('write', null, 'made'), on('read', null, null)))
  assert.ok(isKnown(on('read', 'pg_catalog', 'pg_class'), on('schema-change', 'shop', 'any')))
  assert.ok(isKnown(on('read', 'pg_temp', 'scratch'), on('delete', null, 'scratch')))
  assert.equal(isKnown(on('read', 'shop', 'made'), on('read', null, 'any')), false)
  assert.equal(isKnown(on('write', 'other', 'made')), false)
  assert.equal(isKnown(on('opaque', null, null)), false)
  const among = (...undescribed: Effect[]) =>
    undescribedAmong({ undescribed }, own)?.map(({ name }) => name) ?? null
  assert.deepEqual(among(on('read', null, 'made')), ['made'])
  assert.equal(among(on('read', null, 'made'), on('read', 'shop', 'plain')), null)
  assert.equal(among(), null)
})

test('names that stand for several relations along the path are asked for', () => {
  assert.deepEqual(namesakesIn({ relations }, ['shop', 'public']), [])
  assert.deepEqual(namesakesIn({ relations }, ['shop', 'other']), [PLAIN, OTHER])
})
