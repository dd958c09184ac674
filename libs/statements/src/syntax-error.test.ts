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
  // Another answer than a syntax error.
  "select U&'\\zzzz'": null,
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
  assert.deepEqual(found, { message: 'unterminated quoted string', position: 8, length: 16_384 })
  assert.equal(
    syntaxErrorIn(sql, found).length,
    'unterminated quoted string at or near ""'.length + 16_384,
  )
})

test('a text that is too complex is not looked at', () => {
  assert.equal(syntaxErrorOf(`selec ${'('.repeat(5_000)}`), null)
})
