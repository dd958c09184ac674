import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { complexityOf, EMPTY_CATALOG, isParserBroken, loadStatements, understand } from './index.ts'

before(loadStatements)

/** Texts that nest or chain without end, one for each way of the grammar to do so. */
const DEEP: Readonly<Record<string, (n: number) => string>> = {
  parentheses: (n) => `select ${'('.repeat(n)}1${')'.repeat(n)}`,
  arrays: (n) => `select array${'['.repeat(n)}1${']'.repeat(n)}`,
  subscripts: (n) => `select a${'[1]'.repeat(n)}`,
  sums: (n) => `select 1${'+1'.repeat(n)}`,
  concatenations: (n) => `select a${" || 'x'".repeat(n)}`,
  'spaced signs': (n) => `select ${'- '.repeat(n)}1`,
  'signs in a row': (n) => `select ${'+'.repeat(n)}1`,
  'operators of 60 signs': (n) => `select ${`${'-+'.repeat(30)} `.repeat(Math.ceil(n / 20))}1`,
  'named operators': (n) => `select 1${' operator(pg_catalog.+) 1'.repeat(n)}`,
  arrows: (n) => `select a${"->'b'".repeat(n)}`,
  comparisons: (n) => `select a${' < (b'.repeat(n)}${')'.repeat(n)}`,
  casts: (n) => `select a${'::int'.repeat(n)}`,
  'cast()': (n) => `select ${'cast('.repeat(n)}1${' as int)'.repeat(n)}`,
  negations: (n) => `select ${'not '.repeat(n)}a`,
  'null tests': (n) => `select a${' is null'.repeat(n)}`,
  isnull: (n) => `select a${' isnull'.repeat(n)}`,
  collations: (n) => `select a${' collate "C"'.repeat(n)}`,
  'time zones': (n) => `select a${" at time zone 'utc'".repeat(n)}`,
  'and in or': (n) => `select 1 where ${'a and (b or '.repeat(n)}c${')'.repeat(n)}`,
  'in lists': (n) => `select ${'a in ('.repeat(n)}1${')'.repeat(n)}`,
  case: (n) => `select ${'case when a then 1 else '.repeat(n)}2${' end'.repeat(n)}`,
  calls: (n) => `select ${'f('.repeat(n)}1${')'.repeat(n)}`,
  rows: (n) => `select ${'row('.repeat(n)}1${')'.repeat(n)}`,
  xml: (n) => `select ${'xmlelement(name a,'.repeat(n)}1${')'.repeat(n)}`,
  'sub-selects': (n) => `select ${'(select '.repeat(n)}1${')'.repeat(n)}`,
  'sub-selects in from': (n) => `${'select 1 from ('.repeat(n)}select 1${') x'.repeat(n)}`,
  exists: (n) => `select 1${' where exists (select 1'.repeat(n)}${')'.repeat(n)}`,
  with: (n) => `${'with a as ('.repeat(n)}select 1${') select 1'.repeat(n)}`,
  joins: (n) => `select 1 from t${' cross join t'.repeat(n)}`,
  'joins on': (n) => `select 1 from t${' join u on a = b'.repeat(n)}`,
  'natural joins': (n) => `select 1 from t${' natural left join t'.repeat(n)}`,
  'joins in parentheses': (n) => `select 1 from ${'('.repeat(n)}t${' join u on true)'.repeat(n)}`,
  unions: (n) => `select 1${' union all select 1'.repeat(n)}`,
  'unions of values': (n) => `values (1)${' except values (1)'.repeat(n)}`,
  'nested comments': (n) => `select 1 ${'/*'.repeat(n)}${'*/'.repeat(n)}`,
  'comments without end': (n) => `select 1 ${'/*'.repeat(n)}`,
  'comments in a row': (n) => `select 1 ${'/**/'.repeat(n)}`,
  'grouping sets': (n) => `select 1 group by ${'grouping sets ('.repeat(n)}a${')'.repeat(n)}`,
}

describe('what would overflow the grammar, or keep its lexer busy, never reaches it', () => {
  for (const [name, deep] of Object.entries(DEEP))
    test(name, () => {
      const text = deep(20_000)
      assert.notEqual(complexityOf(text), null)
      assert.notEqual(understand(text, EMPTY_CATALOG).tooComplex, null)
      // As deep as the limits allow, with 50 frames of the stack in use already.
      for (let n = 10; complexityOf(deep(n)) === null; n = Math.ceil(n * 1.1))
        inDepth(50, () => understand(deep(n), EMPTY_CATALOG))
      assert.equal(isParserBroken(), false)
    })
})

const inDepth = (frames: number, run: () => unknown): unknown =>
  frames === 0 ? run() : inDepth(frames - 1, run)

/** Texts that people and drivers write, and that generators write for them. */
const ORDINARY: Readonly<Record<string, string>> = {
  'a banner': `/${'*'.repeat(200)}\n * Orders\n ${'*'.repeat(200)}/\nselect 1 -- ${'-'.repeat(200)}`,
  'a hundred banners': `/*${'='.repeat(100)}*/\nselect 1;\n`.repeat(100),
  'a comment in a comment': '/* a /* b /* c */ */ */ select 1',
  'a bulk insert': `insert into t values ${"(1, -2.5, 'it''s', null, now()),".repeat(10_000)}(1, 2, 'x', null, now())`,
  'a long list': `delete from t where id in (${'1,'.repeat(50_000)}1)`,
  'a long condition': `select 1 from t where ${"(a = 1 and b <> 'x') or ".repeat(5_000)}false`,
  'many statements': 'update t set a = a + 1 where b = 2; '.repeat(5_000),
  'a union of rows': `insert into t ${'select 1, 2 union all '.repeat(900)}select 1, 2`,
  'a wide table': `create table t (${'a int not null default (1 + 2), '.repeat(1_500)}b int)`,
  'a large body': `create function f() returns int language sql as $$ ${'select 1 + '.repeat(5_000)} 1 $$`,
  'an hour of minuses in a text': `select '${'-'.repeat(50_000)}'`,
  'thirty joins': `select 1 from t ${'left join u on u.a = t.b and u.c = 1 '.repeat(30)}`,
}

describe('what is ordinary passes, however long it is', () => {
  for (const [name, text] of Object.entries(ORDINARY))
    test(name, () => {
      assert.equal(complexityOf(text), null)
    })
})

describe('what names cost is counted', () => {
  const cross = (columns: number, relations: number): string =>
    `select ${Array.from({ length: columns }, (_, n) => `c${n}`).join()} from ${Array.from({ length: relations }, (_, n) => `t${n}`).join()}`
  const cases: Readonly<Record<string, string>> = {
    'columns and relations': cross(3_000, 2_500),
    'qualified columns': `select ${'x.y, '.repeat(3_000)}1 from ${Array.from({ length: 2_500 }, (_, n) => `t${n}`).join()}`,
    stars: `select ${'*, '.repeat(3_000)}1 from ${Array.from({ length: 2_500 }, (_, n) => `t${n}`).join()}`,
    // Seen to fail with a limit of 100,000.
    'the columns and relations of a short text': cross(300, 90),
    'expressions of WITH': `with ${Array.from({ length: 3_000 }, (_, n) => `w${n} as (select 1)`).join()} select 1`,
  }
  for (const [name, text] of Object.entries(cases))
    test(`${name} are refused when there are too many of both`, () =>
      assert.notEqual(understand(text, EMPTY_CATALOG).tooComplex, null))
  test('a hundred columns of twenty relations are few', () =>
    assert.equal(understand(cross(100, 20), EMPTY_CATALOG).tooComplex, null))
  test('a caller may allow less', () => {
    assert.notEqual(understand(cross(100, 21), EMPTY_CATALOG, { workMax: 2_000 }).tooComplex, null)
    assert.equal(understand(cross(50, 20), EMPTY_CATALOG, { workMax: 2_000 }).tooComplex, null)
  })
})

/** Members of a FROM, by the ways in which they may stand there. */
const MANY_RANGES: Readonly<Record<string, (count: number) => string>> = {
  'relations in a list': (count) => `select 1 from ${listOf(count, (n) => `t a${n}`)}`,
  'functions in a list': (count) => `select 1 from ${listOf(count, (n) => `now() a${n}`)}`,
  'functions in ROWS FROM': (count) =>
    `select 1 from ${listOf(count, (n) => `rows from (now()) a${n}`)}`,
  'sub-selects in a list': (count) => `select 1 from ${listOf(count, (n) => `(select 1) a${n}`)}`,
  'relations of sub-selects': (count) =>
    `select 1 from ${listOf(count / 100, (n) => `(select 1 from ${listOf(99, (m) => `t b${m}`)}) a${n}`)}`,
  'sub-selects of a condition': (count) =>
    `select 1 from t where ${Array.from({ length: count }, () => 'i in (select 1 from u)').join(' and ')}`,
  'a plan': (count) => `explain select 1 from ${listOf(count, (n) => `t a${n}`)}`,
  'a view': (count) => `create view v as select 1 from ${listOf(count, (n) => `t a${n}`)}`,
  'a cursor': (count) => `declare c cursor for select 1 from ${listOf(count, (n) => `t a${n}`)}`,
  'UPDATE … FROM': (count) => `update u set i = 1 from ${listOf(count, (n) => `t a${n}`)}`,
  'DELETE … USING': (count) => `delete from u using ${listOf(count, (n) => `t a${n}`)}`,
  'a common table expression': (count) =>
    `with c as (select 1 from ${listOf(count, (n) => `t a${n}`)}) select 1`,
}

function listOf(count: number, each: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => each(n)).join(', ')
}

for (const [what, sql] of Object.entries(MANY_RANGES)) {
  test(`the members of a FROM are bounded: ${what}`, () => {
    assert.equal(understand(sql(900), EMPTY_CATALOG).tooComplex, null)
    const { tooComplex } = understand(sql(1_100), EMPTY_CATALOG)
    assert.match(tooComplex ?? '', /reads more than 1000 relations/)
  })
}

/** Many members of a FROM that PostgreSQL plans one after the other. */
const MANY_APART: Readonly<Record<string, string>> = {
  'rows with a look-up each': `insert into t values ${listOf(5_000, (n) => `(${n}, (select id from c where n = 'a${n}'))`)}`,
  'sub-selects of an expression': `select ${listOf(5_000, () => '(select 1 from t)')}`,
  'arrays of sub-selects': `select ${listOf(5_000, () => 'array(select 1 from t)')}`,
  'a union of joins': Array.from({ length: 900 }, () => 'select 1 from t, u, v').join(
    ' union all ',
  ),
}

for (const [what, sql] of Object.entries(MANY_APART))
  test(`what is planned apart may be much: ${what}`, () => {
    assert.equal(understand(sql, EMPTY_CATALOG, { workMax: Infinity }).tooComplex, null)
  })

test('what is planned apart has a bound, too', () => {
  const sql = `select ${listOf(10_100, () => '(select 1 from t)')}`
  assert.match(
    understand(sql, EMPTY_CATALOG, { workMax: Infinity }).tooComplex ?? '',
    /10000 .* statement/,
  )
})

test('many statements with a FROM each are no large one', () => {
  const text = Array.from({ length: 1_500 }, () => 'select 1 from t').join('; ')
  assert.equal(understand(text, EMPTY_CATALOG).tooComplex, null)
})

// Seen not to end when each of two stars is followed: the innermost table was looked at 2^30 times.
test('the stars of many sub-selects are followed once each', () => {
  const nested = `${'select *, * from ('.repeat(30)}select * from t${') q'.repeat(30)}`
  const { effects } = understand(nested, EMPTY_CATALOG)
  assert.deepEqual(effects, understand('select * from t', EMPTY_CATALOG).effects)
})
