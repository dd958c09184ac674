import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  CompositeField,
  MaskingRulesDefined,
  Relation,
  TargetDescribed,
} from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import { planFor } from './plan.ts'
import { rowMask } from './row.ts'

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

test('a column of a view has the tag of the one that it shows, whatever it is called, also through another view', () => {
  const base = relation(1, ['id', 'email', 'city'], [])
  const view = showing(relation(2, ['city', 'email', 'n'], [1]), [of(1, 2), of(1, 3), of(1, 1)])
  const above = showing(relation(3, ['a', 'b', 'n'], [2]), [of(2, 1), of(2, 2), of(2, 3)])
  // SELECT email AS city, city AS email: a column that is called email is masked by its name as well.
  assert.deepEqual(tagsOf([above, view, base]), [
    '3.1 email Partial',
    '3.2 email Partial',
    '2.1 email Partial',
    '2.2 email Partial',
    '1.2 email Partial',
  ])
})

test('a column that holds composite values is masked as what is computed of the fields that are tagged', () => {
  const table = relation(1, ['id', 'contact', 'place'], [])
  const [id, contact, place] = table.columns
  assert.ok(id !== undefined && contact !== undefined && place !== undefined)
  const field = (name: string, label: string | null = null): CompositeField => ({
    ...{ schema: 'public', type: 'person', name, label },
  })
  const columns = [
    { ...id, fields: [field('first'), field('last')] },
    { ...contact, fields: [field('phone'), field('email'), field('password')] },
    { ...place, fields: [field('street', 'MASKED WITH VALUE NULL')] },
  ]
  assert.deepEqual(tagsOf([{ ...table, columns }]), ['1.2 email Null', '1.3 masked Null'])
})

test('a table and its partitions have the same tags, whichever of them a rule names', () => {
  const column = (table: string): MaskingRulesDefined => ({
    ...RULES,
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
  })
  const parent = relation(1, ['id', 'full_name'], [])
  const partition = { ...relation(2, ['full_name', 'id'], []), inherits: [1] }
  const below = { ...relation(3, ['id', 'full_name'], []), inherits: [2] }
  const view = showing(relation(4, ['full_name'], [3]), [of(3, 2)])
  const all = ['1.2 name Redact', '2.1 name Redact', '3.2 name Redact', '4.1 name Redact']
  for (const named of ['r1', 'r3'])
    assert.deepEqual(tagsOf([parent, partition, below, view], column(named)), all)
  const beside = { ...relation(5, ['full_name'], []), inherits: [1] }
  assert.deepEqual(tagsOf([parent, below, beside], column('r5')), [
    '1.2 name Redact',
    '5.1 name Redact',
  ])
})

test('of what is said about a table and its partitions the strictest counts, whoever says it', () => {
  const parent = relation(1, ['id', 'email'], [])
  const child = { ...relation(2, ['id', 'email'], []), inherits: [1] }
  const METHODS = ['Null', 'Redact', 'Pseudonym', 'Partial'] as const
  for (const [strict, loose] of METHODS.flatMap((one, at) =>
    METHODS.slice(at).map((other) => [one, other] as const),
  ))
    for (const [first, second] of [
      ['r1', 'r2'],
      ['r2', 'r1'],
    ] as const) {
      const said = (table: string, method: typeof strict, masksInference: boolean) => ({
        ...{ schema: null, table, column: 'email', tag: `of ${table}`, method, masksInference },
      })
      const columns = [said(first, strict, false), said(second, loose, true)]
      const planned = planFor({ ...RULES, columns }, target([parent, child])).columns
      assert.deepEqual(
        planned.map(({ method }) => method),
        [strict, strict],
      )
    }
})

test('what a view may compute of a tagged column is masked as tainted, whatever it is called', () => {
  const base = relation(1, ['id', 'email', 'city'], [])
  // SELECT id, upper(email) AS city, city AS x
  const view = showing(relation(2, ['id', 'city', 'x'], [1]), [of(1, 1), null, of(1, 3)])
  assert.deepEqual(tagsOf([base, view]), ['1.2 email Partial', '2.2 derived Null'])
})

test('what a view computes of untagged columns is not masked', () => {
  const base = relation(1, ['id', 'email', 'city'], [])
  const view = relation(2, ['city', 'n'], [1])
  const dependsOn = [1, 3].map((attnum) => ({ relationOid: 1, attnum }))
  assert.deepEqual(tagsOf([base, { ...view, dependsOn }]), ['1.2 email Partial'])
})

test('what a view computes beside a row that it uses as a whole is masked, and what runs code that may read any', () => {
  const base = relation(1, ['id', 'email', 'city'], [])
  const view = showing(relation(2, ['id', 'doc'], []), [of(1, 1), null])
  const reading = (...below: [number, number][]): Relation => ({
    ...view,
    kind: 'view',
    dependsOn: below.map(([relationOid, attnum]) => ({ relationOid, attnum })),
  })
  const ofView = (made: Relation) => tagsOf([base, made]).filter((each) => each.startsWith('2.'))
  assert.deepEqual(ofView(reading([1, 1])), [])
  assert.deepEqual(ofView(reading([1, 0], [1, 1])), ['2.2 derived Null'])
  assert.deepEqual(ofView(reading([0, 0], [1, 1])), ['2.2 derived Null'])
  // A broker of before says nothing of rows as a whole.
  assert.deepEqual(ofView({ ...reading([1, 1]), computed: null }), ['2.2 derived Null'])
})

test('a generated column that is made of a tagged one is masked as computed, in partitions and views too', () => {
  const made = (oid: number, of: readonly number[]): Relation => ({
    ...relation(oid, ['id', 'email', 'low', 'n'], []),
    computed: [
      { attnum: 3, of },
      { attnum: 4, of: [1] },
    ],
  })
  assert.deepEqual(tagsOf([made(1, [1, 2])]), ['1.2 email Partial', '1.3 derived Null'])
  assert.deepEqual(tagsOf([made(1, [1])]), ['1.2 email Partial'])
  assert.deepEqual(tagsOf([made(1, [0])]), ['1.2 email Partial', '1.3 derived Null'])
  // Each partition may compute it in its own way, and a view shows it under another name.
  const view = showing(relation(3, ['x', 'y'], [1]), [of(1, 3), of(1, 4)])
  assert.deepEqual(tagsOf([view, made(1, [1]), { ...made(2, [2]), inherits: [1] }]), [
    ...['3.1 derived Null', '1.2 email Partial', '1.3 derived Null'],
    ...['2.2 email Partial', '2.3 derived Null'],
  ])
})

test('of a table in a description that looked at no generated columns any column may be computed of a tagged one', () => {
  const table = { ...relation(1, ['id', 'email', 'low'], []), computed: null }
  const other = { ...relation(2, ['id', 'city'], []), computed: null }
  assert.deepEqual(tagsOf([table, other]), [
    ...['1.1 derived Null', '1.2 email Partial', '1.3 derived Null'],
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
  columns: [
    {
      schema: null,
      table: null,
      column: 'e*mail',
      tag: 'email',
      method: 'Partial',
      masksInference: false,
    },
  ],
  untagged: 'Pass',
  tainted: 'Null',
  detectors: [],
  passwordLike: 'Redact',
  tags: [],
}

const relation = (oid: number, columns: readonly string[], below: readonly number[]): Relation => ({
  oid,
  schema: 'public',
  name: `r${oid}`,
  kind: below.length === 0 ? 'table' : 'view',
  columns: columns.map((name, i) => ({
    attnum: i + 1,
    name,
    typeOid: 25,
    label: null,
    origin: null,
    fields: [],
  })),
  dependsOn: below.map((relationOid) => ({ relationOid, attnum: 0 })),
  inherits: [],
  computed: [],
  digest: '',
  reaches: [],
  runsCode: false,
})

const typed = (made: Relation, typeOids: readonly number[]): Relation => ({
  ...made,
  columns: made.columns.map((column, i) => ({ ...column, typeOid: typeOids[i] ?? 25 })),
})

type Origin = Relation['columns'][number]['origin']

const of = (relationOid: number, attnum: number): Origin => ({ relationOid, attnum })

const showing = (view: Relation, origins: readonly Origin[]): Relation => ({
  ...view,
  columns: view.columns.map((column, i) => ({ ...column, origin: origins[i] ?? null })),
})

const target = (relations: readonly Relation[]): TargetDescribed => ({
  type: 'TargetDescribed',
  requestId: null,
  sessionId: SessionId('01890000-0000-7000-8000-000000000001'),
  at: Instant(1),
  target: 'shop',
  targetVersion: 'target-1',
  serverVersion: '18',
  searchPath: [],
  relations,
  routines: [],
  types: [],
  systemColumns: [],
  eventTriggers: '',
})

const tagsOf = (relations: readonly Relation[], rules = RULES): string[] =>
  planFor(rules, target(relations)).columns.map(
    ({ tableOid, attnum, tag, method }) => `${tableOid}.${attnum} ${tag} ${method}`,
  )

test('what PostgreSQL itself keeps of the values of users is masked by the OIDs of the server, unless a rule names it', () => {
  const system = (relationOid: number, attnum: number, relation: string, column: string) => ({
    ...{ relationOid, attnum, schema: 'pg_catalog', relation, column },
  })
  const view = showing(relation(1, ['bounds', 'length'], [12_001]), [of(12_001, 10), null])
  const described: TargetDescribed = {
    ...target([view]),
    systemColumns: [
      system(12_001, 10, 'pg_stats', 'histogram_bounds'),
      system(12_002, 3, 'pg_stat_activity', 'query'),
    ],
  }
  const planned = (rules: MaskingRulesDefined) =>
    planFor(rules, described).columns.map(
      ({ tableOid, attnum, tag, method }) => `${tableOid}.${attnum} ${tag} ${method}`,
    )
  const masked = ['1.1 system-values Redact', '1.2 derived Null', '12001.10 system-values Redact']
  assert.deepEqual(planned(RULES), [...masked, '12002.3 system-values Redact'])
  const rule = { schema: 'pg_catalog', table: 'pg_stat_activity', column: null, tag: 'sql' }
  assert.deepEqual(
    planned({ ...RULES, columns: [{ ...rule, method: 'Null', masksInference: false }] }),
    [...masked, '12002.3 sql Null'],
  )
})

test('rules that mask nothing mask nothing and taint nothing; a label of the target masks', () => {
  const nothing: MaskingRulesDefined = {
    ...RULES,
    ...{ columns: [], detectors: [], passwordLike: null, untagged: 'Pass' },
  }
  const table = relation(20_001, ['id', 'password'], [])
  const column = (tableOid: number, columnAttribute: number, name = 'password') => ({
    ...{ name, tableOid, columnAttribute, typeOid: 25, format: 'text' as const },
  })
  const passes = (rules: MaskingRulesDefined, described: TargetDescribed) => {
    const plan = planFor(rules, described)
    // A column of the table, one of a table that is not described, and a computed one.
    const columns = [column(20_001, 2), column(30_000, 1), column(0, 0)]
    return rowMask(plan, columns, true, Buffer.alloc(32)).map(({ mask }) => mask === null)
  }
  assert.deepEqual(passes(nothing, target([table])), [true, true, true])
  // A rule that masks, even if it masks nothing of this target yet, leaves all other masks in place.
  const column2 = {
    schema: null,
    table: null,
    column: 'nowhere',
    tag: 'x',
    method: 'Redact' as const,
    masksInference: false,
  }
  assert.deepEqual(passes({ ...nothing, columns: [column2] }, target([table])), [
    true,
    false,
    false,
  ])
  const labelled = table.columns.map((each) => ({ ...each, label: 'secret' }))
  const described = target([{ ...table, columns: labelled }])
  assert.deepEqual(passes(nothing, described), [false, false, false])
})

test('what views of extensions show of other sessions is masked whatever its column is called, unless a rule masks it otherwise', () => {
  const view = typed(
    {
      ...relation(7, ['queryid', 'query', 'calls'], []),
      ...{ schema: 'monitoring', name: 'pg_stat_statements' },
    },
    [20, 25, 20],
  )
  const own = { ...relation(8, ['query'], []), name: 'saved_queries' }
  const planned = (rules: MaskingRulesDefined) =>
    planFor(rules, target([view, own])).columns.map(
      ({ tableOid, attnum, tag, method }) => `${tableOid}.${attnum} ${tag} ${method}`,
    )
  const nothing = { ...RULES, columns: [] }
  assert.deepEqual(planned(nothing), ['7.2 system-values Redact'])
  // A number, a text, a list of texts, a JSON, a time, a type of the target.
  const columns = ['bucket', 'top_query', 'relations', 'hist', 'bucket_start_time', 'new']
  for (const [schema, name] of [
    ['public', 'pg_stat_monitor'],
    ['cron', 'job_run_details'],
  ] as const) {
    const other = { ...relation(9, columns, []), schema, name }
    const described = target([typed(other, [20, 25, 1009, 3802, 1184, 70_000])])
    assert.deepEqual(
      planFor(nothing, described).columns.map(({ attnum }) => attnum),
      [2, 3, 4, 6],
    )
  }
  const [first] = RULES.columns
  assert.ok(first !== undefined)
  const rule = { ...first, table: 'pg_stat_statements', column: 'query', tag: 'sql' }
  assert.deepEqual(planned({ ...RULES, columns: [rule] }), ['7.2 sql Partial'])
})
