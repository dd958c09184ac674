import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { freshShapeKey, shapeKey } from './keys.ts'
import { loadStatements } from './parser.ts'
import { freshRendering, rendering } from './rendering.ts'
import { templateOf } from './template.ts'

before(loadStatements)

/** Statements in which a value counts, or does not; `?` is a number and `!` a string. */
const PATTERNS: readonly string[] = [
  'select id, name from shop.products where id = ?;',
  'select * from t where a = ! and b in (?, ?, ?) or c like !',
  'select * from t where a = ? limit ? offset ?',
  'select a, b from t order by ?, ?',
  'select a from t group by ?',
  'select cast(a as float(?)) from t',
  'select a::varchar(?) from t',
  'select a::numeric(?, ?) from t',
  'select lower(!), current_setting(!), f(!, ?)',
  'select interval ! second(?), date !',
  'select set_config(!, !, false)',
  'select $1, ? + .?, t.? from t',
  'update t set a = !, b = ? where c = -? and d = ?.?',
  'insert into t (a, b) values (?, !), (?, !)',
  'delete from t where a = ?',
  'select ?; select !',
  'set search_path = !',
  'select * from t tablesample bernoulli(?) repeatable (?)',
  'select sum(a) over (order by b rows ? preceding) from t',
  'select ! ! , e! , b!, x!, n!, u&!',
  'select ?e?, ?_?, 0x?, ?.?.?',
  'select a at time zone ! from t fetch first ? rows only',
  'select json_value(a, !) from t where ! = any (array[!, !])',
  'select extract(! from a), substring(a from ? for ?), a between ? and ?',
  'select (array[?, ?])[?]',
  'delete from t where !::bool or ? = ? or ! like !',
  'with x as (select ! = !) select * from t where (table x) and a > ?',
  'select (?).f, (?).abs',
]

const number = fc.oneof(
  fc.nat().map(String),
  fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
  fc.stringMatching(/^[0-9]{1,12}(\.[0-9]{0,3})?$/),
)
const string = fc
  .oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 }))
  .map((text) => `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`)
/** One pattern, filled in twice. */
const pairs = fc
  .constantFrom(...PATTERNS)
  .chain((pattern) => fc.tuple(filled(pattern), filled(pattern)))

function filled(pattern: string): fc.Arbitrary<string> {
  const parts = pattern.split(/([?!])/)
  return fc
    .tuple(
      ...parts.map((part) => (part === '?' ? number : part === '!' ? string : fc.constant(part))),
    )
    .map((chosen) => chosen.join(''))
}

describe('a template', () => {
  it('gives no statement another shape than the grammar does', () => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        // The first may make the template known; the second then goes by it.
        assert.equal(shapeKey(one), freshShapeKey(one))
        assert.equal(shapeKey(Buffer.from(other)), freshShapeKey(other))
      }),
      { numRuns: 3_000 },
    )
  })

  it('gives no statement another rendering than the scanner does', () => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        shapeKey(one)
        assert.equal(rendering(one), freshRendering(one))
        assert.equal(rendering(Buffer.from(other)), freshRendering(other))
      }),
      { numRuns: 3_000 },
    )
  })

  it('is the same for statements that differ only in plain literals', () => {
    assert.equal(
      templateOf("select * from t where a = 1 and b = 'x'")?.text,
      templateOf("select * from t where a = 23456 and b = 'it''s'")?.text,
    )
  })

  const BEYOND = [
    "select E'a'",
    "select 'a\\' from t",
    'select 1e5',
    'select 1234567890',
    'select $$a$$',
    'select 1 -- 2',
    'select /* 1 */ 2',
    'select "a1"',
    "select 'é'",
    "select U&'a'",
    'select 0x1F',
    "select 'a",
  ]
  for (const statement of BEYOND)
    it(`is not made for ${statement}`, () => assert.equal(templateOf(statement), null))
})
