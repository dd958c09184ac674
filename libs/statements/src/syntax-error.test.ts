import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import { syntaxErrorIn, syntaxErrorOf } from './syntax-error.ts'

before(loadStatements)

const LONG = `insert into t values ${"(1, '🐘'), ".repeat(2_000)}`
const EXAMPLES: Readonly<Record<string, [message: string, position: number] | null>> = {
  'selec 1': ['syntax error at or near "selec"', 1],
  'select 1 +': ['syntax error at end of input', 11],
  'select 1;\n selec 2': ['syntax error at or near "selec"', 12],
  "select 'é' from ü where )": ['syntax error at or near ")"', 25],
  "select '🐘' from 🐘 wher 🐘 (": ['syntax error at or near "🐘"', 24],
  "select 'x": [`unterminated quoted string at or near "'x"`, 8],
  'select \'x " at or near "': [`unterminated quoted string at or near "'x " at or near ""`, 8],
  'select /* ééé */ 1 )': ['syntax error at or near ")"', 20],
  "select 1 where 1 not /* ü */ in ('x') )": ['syntax error at or near ")"', 39],
  [`${LONG}(1,, '')`]: ['syntax error at or near ","', [...LONG].length + 4],
  'select 1': null,
  'select 1 where 1 not -- over\n in (1)': null,
  '': null,
}

for (const [sql, expected] of Object.entries(EXAMPLES)) {
  test(`PostgreSQL's answer to ${JSON.stringify(sql.slice(-60))} is known without it`, () => {
    for (const text of [sql, Buffer.from(sql)]) {
      const found = syntaxErrorOf(text)
      assert.deepEqual(found && [syntaxErrorIn(sql, found), found.position], expected)
    }
  })
}

test('words of the text stand in no syntax error, and of a long literal only the beginning is quoted', () => {
  const sql = `select 'secret ${'x'.repeat(20_000)}`
  const found = syntaxErrorOf(sql)
  assert.deepEqual(found, {
    ...{ code: '42601', message: 'unterminated quoted string', position: 8, length: 16_384 },
  })
  assert.equal(
    syntaxErrorIn(sql, found).length,
    'unterminated quoted string at or near ""'.length + 16_384,
  )
})

test('a text that is too complex is not looked at', () => {
  assert.equal(syntaxErrorOf(`selec ${'('.repeat(5_000)}`), null)
})

// The SQLSTATEs, words and places are those that PostgreSQL 18.4 gave to these texts.
const BY_GRAMMAR: readonly (readonly [
  sql: string,
  code: string,
  words: string,
  position: number,
  kept?: string,
])[] = [
  ['copy t to program stdout', '42601', 'STDIN/STDOUT not allowed with PROGRAM', 0],
  [
    'alter table t alter constraint c not valid',
    '0A000',
    'constraints cannot be altered to be NOT VALID',
    34,
  ],
  [
    'select 1 fetch first 1 rows with ties',
    '42601',
    'WITH TIES cannot be specified without ORDER BY clause',
    29,
  ],
  ["select U&'\\zzzz'", '42601', 'invalid Unicode escape', 11],
  ["select U&'\\d800'", '42601', 'invalid Unicode surrogate pair', 16],
  ["select U&'\\0000'", '42601', 'invalid Unicode escape value', 11],
  ["select E'\\u12'", '22025', 'invalid Unicode escape', 10],
  [
    "select E'\\xff'",
    '22021',
    'invalid byte sequence for encoding "UTF8": 0xff',
    0,
    'invalid byte sequence for encoding',
  ],
  [
    'select * from a.b.c.d.e',
    '42601',
    'improper qualified name (too many dotted names): a.b.c.d.e',
    15,
    'improper qualified name (too many dotted names)',
  ],
  [
    'with a as (select 1) (with b as (select 2) select 3)',
    '42601',
    'multiple WITH clauses not allowed',
    1,
  ],
  ['create role r foo', '42601', 'unrecognized role option "foo"', 15, 'unrecognized role option'],
  ['create role none', '42939', 'role name "none" is reserved', 13, 'role name'],
  ['create assertion a check (1=1)', '0A000', 'CREATE ASSERTION is not yet implemented', 1],
  [
    'create table t (a int references b match partial)',
    '0A000',
    'MATCH PARTIAL not yet implemented',
    36,
  ],
  [
    'create recursive view v(a) as select 1 with check option',
    '0A000',
    'WITH CHECK OPTION not supported on recursive views',
    40,
  ],
  [
    'alter table t add check (a>1) deferrable',
    '0A000',
    'CHECK constraints cannot be marked DEFERRABLE',
    31,
  ],
  [
    'create aggregate f(out a int) (sfunc = x)',
    '0A000',
    'aggregates cannot have output arguments',
    20,
  ],
  ['select unique (select 1)', '0A000', 'UNIQUE predicate is not yet implemented', 8],
  ['select 1 limit 1,2', '42601', 'LIMIT #,# syntax is not supported', 10],
  ['select cast(1 as float(0))', '22023', 'precision for type float must be at least 1 bit', 24],
  [
    'select f(1) over (rows between 1 following and current row)',
    '42P20',
    'frame starting from following row cannot have preceding rows',
    48,
  ],
  [
    'create table t partition of p for values with (modulus 1, modulus 2)',
    '42710',
    'modulus for hash partition provided more than once',
    59,
  ],
  ['copy (select 1) to stdout where a', '42601', 'syntax error at or near "where"', 27],
  ['copy t to stdout where a > 1', '42601', 'WHERE clause not allowed with COPY TO', 18],
]

test('what else the grammar and the scanner say is told as PostgreSQL does, and a decision has no words of the text', () => {
  for (const [sql, code, words, position, kept = words] of BY_GRAMMAR) {
    const found = syntaxErrorOf(sql)
    assert.ok(found !== null, sql)
    assert.deepEqual(
      [found.code, syntaxErrorIn(sql, found), found.position],
      [code, words, position],
    )
    if (found.length === -1) assert.equal(found.message, kept)
    // Of a long text the words are not looked for.
    const long = `${sql} -- ${'x'.repeat(20_000)}`
    if (found.length === -1) assert.equal(syntaxErrorIn(long, found), kept)
  }
})
