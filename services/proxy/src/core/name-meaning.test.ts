// Seen to fail when meanOthers compares the versions alone, when it compares nothing, and for each part that it leaves out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Described, meanOthers } from './name-meaning.ts'

const relation = (oid: number, schema: string, name: string): Described['relations'][number] => ({
  ...{ oid, schema, name, kind: 'table', columns: [], dependsOn: [] },
  ...{ inherits: [], computed: [], digest: '', reaches: [], runsCode: false },
})
const routine = (oid: number, schema: string, name: string): Described['routines'][number] => ({
  ...{ oid, schema, name, volatility: 'volatile', securityDefiner: false, language: 'sql' },
  ...{ overloads: 'always', plain: false, digest: '' },
})
const type = (oid: number, plain: boolean): Described['types'][number] => ({
  ...{ oid, schema: 'shop', name: 'price', kind: 'domain', of: 25, parts: [] },
  ...{ plain, composed: false, runsWhenRead: false, digest: '' },
})
const before: Described = {
  targetVersion: 't1',
  relations: [relation(1, 'public', 'customers'), relation(2, 'public', 'Order Lines')],
  routines: [routine(3, 'public', 'refund')],
  types: [type(4, true)],
  eventTriggers: '',
}
const now = (change: Partial<Described>): Described => ({
  ...before,
  targetVersion: 't2',
  ...change,
})
const isOther = (sql: string | null, change: Partial<Described>): boolean =>
  meanOthers({ texts: [sql], values: [] }, before, now(change))
const withRelation = (schema: string, name: string): Partial<Described> => ({
  relations: [...before.relations, relation(9, schema, name)],
})

const DELETE = 'delete from customers where id = 1'

test('a table of another name gives none of a text another meaning', () => {
  assert.equal(isOther(DELETE, withRelation('app', 'imports_2026')), false)
  assert.equal(isOther(DELETE, { relations: before.relations.slice(0, 2), routines: [] }), false)
  assert.equal(meanOthers({ texts: [DELETE], values: [] }, before, before), false)
})

test('names mean others where what they stand for, or stood for, is another', () => {
  assert.ok(isOther(DELETE, withRelation('app', 'customers')))
  assert.ok(isOther('DELETE FROM "Customers"', withRelation('app', 'Customers')))
  assert.ok(isOther('delete from Customers', withRelation('app', 'customers')))
  assert.ok(isOther(DELETE, { relations: [relation(8, 'public', 'customers')] }))
  assert.ok(isOther(DELETE, { relations: [] }))
  assert.ok(isOther('select refund(1)', { routines: [routine(7, 'public', 'refund')] }))
  assert.ok(isOther('table "Order Lines"', { relations: [relation(8, 'public', 'Order Lines')] }))
})

// Seen to fail when only relations that are named are compared.
test('names mean others where a view below, or a table that inherits, is another', () => {
  const view = (oid: number, name: string, below: number): Described['relations'][number] => ({
    ...{ ...relation(oid, 'public', name), kind: 'view' },
    dependsOn: [{ relationOid: below, attnum: 0 }],
  })
  const child = { ...relation(13, 'public', 'audit'), inherits: [1] }
  const grandchild = { ...relation(14, 'public', 'audit_2026'), inherits: [13] }
  const layered = [...before.relations, view(10, 'lower_view', 1), view(11, 'upper_view', 10)]
  const moved = [...before.relations, view(10, 'lower_view', 2), view(11, 'upper_view', 10)]
  const isOtherThan = (relations: Described['relations'], then: Described['relations']): boolean =>
    meanOthers(
      { texts: ['delete from upper_view'], values: [] },
      { ...before, relations },
      now({ relations: then }),
    )
  assert.ok(isOtherThan(layered, moved))
  assert.equal(isOtherThan(layered, [...layered, relation(12, 'public', 'imports')]), false)
  assert.ok(isOther(DELETE, { relations: [...before.relations, child] }))
  assert.ok(
    meanOthers(
      { texts: [DELETE], values: [] },
      { ...before, relations: [...before.relations, child] },
      now({ relations: [...before.relations, child, grandchild] }),
    ),
  )
})

type DescribedRelation = Described['relations'][number]
const orders: DescribedRelation = { ...relation(20, 'public', 'orders'), digest: 'd1' }
const lines: DescribedRelation = { ...relation(21, 'public', 'lines'), digest: 'd2' }
const ledger: DescribedRelation = { ...relation(22, 'public', 'ledger'), digest: 'd3' }
const mood: Described['types'][number] = {
  ...{ ...type(30, true), name: 'mood', kind: 'enum', of: 0, digest: 'm1' },
}
const moods = { ...type(31, true), name: '_mood', kind: 'array', of: 30 }
const odd: Described['routines'][number] = { ...routine(40, 'public', 'odd'), digest: 'o1' }
const withColumn = (of: DescribedRelation, typeOid: number): DescribedRelation => ({
  ...of,
  columns: [{ attnum: 1, name: 'x', typeOid, label: null, origin: null, fields: [] }],
})
const anew = { digest: 'other' }

/** Two descriptions of a target, and true where `delete from orders` does something else by the second. */
const BEHIND_NAMES: Readonly<
  Record<string, readonly [Partial<Described>, Partial<Described>, boolean]>
> = {
  'what it does has changed': [
    { relations: [orders] },
    { relations: [{ ...orders, ...anew }] },
    true,
  ],
  'another table has changed': [
    { relations: [orders, lines] },
    { relations: [orders, { ...lines, ...anew }] },
    false,
  ],
  'a foreign key leads to another table, and that one has changed': [
    { relations: [{ ...orders, reaches: [21] }, { ...lines, reaches: [22] }, ledger] },
    {
      relations: [
        { ...orders, reaches: [21] },
        { ...lines, reaches: [22] },
        { ...ledger, ...anew },
      ],
    },
    true,
  ],
  'code of the target has changed that it does not run': [
    { relations: [orders], routines: [odd] },
    { relations: [orders], routines: [{ ...odd, ...anew }] },
    false,
  ],
  'it runs code of the target, and some has changed': [
    { relations: [{ ...orders, runsCode: true }], routines: [odd] },
    { relations: [{ ...orders, runsCode: true }], routines: [{ ...odd, ...anew }] },
    true,
  ],
  'a cascade leads to code of the target, and some has changed': [
    {
      relations: [
        { ...orders, reaches: [21] },
        { ...lines, runsCode: true },
      ],
      routines: [odd],
    },
    {
      relations: [
        { ...orders, reaches: [21] },
        { ...lines, runsCode: true },
      ],
      routines: [{ ...odd, ...anew }],
    },
    true,
  ],
  'the name stands for a view that calls functions, and one has changed': [
    { relations: [{ ...orders, dependsOn: [{ relationOid: 0, attnum: 0 }] }], routines: [odd] },
    {
      relations: [{ ...orders, dependsOn: [{ relationOid: 0, attnum: 0 }] }],
      routines: [{ ...odd, ...anew }],
    },
    true,
  ],
  'the labels of a type of its columns have changed, also in an array': [
    { relations: [withColumn(orders, 31)], types: [mood, moods] },
    { relations: [withColumn(orders, 31)], types: [{ ...mood, ...anew }, moods] },
    true,
  ],
  'the labels of another type have changed': [
    { relations: [withColumn(lines, 30), orders], types: [mood] },
    { relations: [withColumn(lines, 30), orders], types: [{ ...mood, ...anew }] },
    false,
  ],
  'the function behind an operator has changed': [
    { relations: [orders], routines: [{ ...odd, name: '@#@' }] },
    { relations: [orders], routines: [{ ...odd, ...anew, name: '@#@' }] },
    true,
  ],
  'there is an operator, and code of the target has changed': [
    { relations: [orders], routines: [{ ...odd, name: '@#@' }, routine(41, 'public', 'even')] },
    {
      relations: [orders],
      routines: [
        { ...odd, name: '@#@' },
        { ...routine(41, 'public', 'even'), ...anew },
      ],
    },
    false,
  ],
  'there is another event trigger': [{ relations: [orders] }, { eventTriggers: 'e1' }, true],
}

// Seen to fail when only names, kinds and columns are compared, and for each edge that is not followed.
for (const [what, [then, change, expected]] of Object.entries(BEHIND_NAMES))
  test(`a statement ${expected ? 'does something else' : 'does the same'} where ${what}`, () => {
    const none = { ...before, relations: [], routines: [], types: [] }
    const earlier = { ...none, ...then }
    assert.equal(
      meanOthers({ texts: ['delete from orders'], values: [] }, earlier, {
        ...earlier,
        ...change,
        targetVersion: 't2',
      }),
      expected,
    )
  })

test('a statement that names code, or a type, does something else where any code, or that type, has changed', () => {
  const isOtherThen = (
    sql: string,
    then: Partial<Described>,
    change: Partial<Described>,
  ): boolean =>
    meanOthers({ texts: [sql], values: [] }, { ...before, ...then }, now({ ...then, ...change }))
  const called = routine(41, 'public', 'even')
  const routines = [called, { ...odd, ...anew }]
  assert.ok(isOtherThen('select even(1)', { routines: [called, odd] }, { routines }))
  assert.equal(isOtherThen('select 1', { routines: [called, odd] }, { routines }), false)
  const inC = { ...called, language: 'c' }
  assert.equal(
    isOtherThen(
      'select even(1)',
      { routines: [inC, odd] },
      { routines: [inC, { ...odd, ...anew }] },
    ),
    false,
  )
  const types = [{ ...mood, ...anew }]
  assert.ok(isOtherThen("select 'sad'::mood", { types: [mood] }, { types }))
  assert.equal(isOtherThen("select 'sad'", { types: [mood] }, { types }), false)
})

test('a name is compared as PostgreSQL keeps it: its first 63 bytes, at a whole character', () => {
  const long = 'c'.repeat(63)
  assert.equal(
    isOther(`insert into t values ('${'f'.repeat(64)}')`, withRelation('app', 'x')),
    false,
  )
  assert.ok(isOther(`delete from ${long}d`, withRelation('app', long)))
  assert.ok(isOther(`delete from ${'c'.repeat(62)}é`, withRelation('app', 'c'.repeat(62))))
})

test('what a text leads to without its name counts always', () => {
  assert.ok(isOther(DELETE, { types: [type(4, false)] }))
  assert.ok(isOther(DELETE, { routines: [...before.routines, routine(9, 'public', '+')] }))
  assert.ok(isOther(DELETE, { routines: [...before.routines, routine(9, 'pg_catalog', 'text')] }))
})

/** The table that came meanwhile has a name of no text. */
const isInDoubt = (sql: string | null): boolean => isOther(sql, withRelation('app', 'imports_2026'))

test('a text that may write its names otherwise is in doubt', () => {
  for (const sql of [
    null,
    'delete from U&"cust\\006fmers"',
    "select nextval(E'\\x73eq')",
    "select U&'\\0073eq'::regclass",
    "select u&'!0073eq' uescape '!'",
    "select ('se'||'q')::regclass",
    "select 'se'\n'q'::regclass",
    "select ('se'||'q') --' '\n::regclass",
    "select cast('se'||'q' as regclass)",
    "select nextval('se'||'q')",
    'select setval(name, 1) from sequences',
    "select pg_catalog.setval('se' 'q'::text, 1)",
    'select $a$seq$a$::regclass',
    "select query_to_xml(concat('select * from ', 'seq'), true, false, '')",
  ])
    assert.ok(isInDoubt(sql), sql ?? 'null')
})

test('names that stand in a text as they are leave it without doubt', () => {
  for (const sql of [
    "insert into t values (nextval('seq'), currval('seq'::regclass), $1)",
    "select 'shop.seq'::regclass, $1::regclass, setval('seq', 5), nextval($1)",
    "select 'it''s', 'x' || y, pg_backend_pid()",
    'select 1 /* of it */ -- and of nothing',
  ])
    assert.equal(isInDoubt(sql), false, sql)
})

// Seen to fail, with 3.6 s of the loop for 65,535 values of 300 bytes, when all of them are searched.
test('of what is long it is not looked which names stand in it', () => {
  const change = withRelation('app', 'imports_2026')
  const isOtherWith = (values: Buffer[]): boolean =>
    meanOthers({ texts: [DELETE], values }, before, now(change))
  assert.equal(isOtherWith(Array.from({ length: 200 }, () => Buffer.alloc(300, 'x'))), false)
  assert.equal(isOtherWith([Buffer.alloc(1_000_000, 'x')]), false)
  assert.equal(isOtherWith(Array.from({ length: 300 }, () => Buffer.alloc(300, 'x'))), true)
  assert.equal(isInDoubt(`${DELETE} or note = '${'x'.repeat(70_000)}'`), true)
  assert.equal(
    meanOthers({ texts: [DELETE], values: [Buffer.from('imports_2026')] }, before, now(change)),
    true,
  )
})

// Seen to fail when only the names of texts are cut, and when they are cut in small letters alone.
test('a name whose small letters take more or fewer bytes is found', () => {
  for (const [name, written] of [
    ['\u0130'.repeat(31), '\u0130'.repeat(31)],
    ['\u212a'.repeat(21), '\u212a'.repeat(30)],
  ] as const)
    assert.ok(isOther(`delete from "${written}"`, withRelation('app', name)), name)
})

test('a text that says CASCADE may do something else after any change', () => {
  const now = { ...before, targetVersion: 't2' }
  for (const [text, expected] of [
    ['truncate orders', false],
    ['truncate orders CASCADE', true],
    ['drop table orders cascade', true],
    ['drop schema shop /* all of it */ Cascade', true],
    ['alter table orders drop column note cascade', true],
  ] as const)
    assert.equal(meanOthers({ texts: [text], values: [] }, before, now), expected, text)
  assert.equal(
    meanOthers({ texts: ['truncate orders cascade'], values: [] }, before, before),
    false,
  )
})
