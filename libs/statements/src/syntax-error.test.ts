import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import { syntaxErrorOf } from './syntax-error.ts'

before(loadStatements)

const EXAMPLES: Readonly<Record<string, [message: string, position: number] | null>> = {
  'selec 1': ['syntax error at or near "selec"', 1],
  'select 1 +': ['syntax error at end of input', 11],
  'select 1;\n selec 2': ['syntax error at or near "selec"', 12],
  "select 'é' from ü where )": ['syntax error at or near ")"', 25],
  "select 'x": [`unterminated quoted string at or near "'x"`, 8],
  'select /* ééé */ 1 )': ['syntax error at or near ")"', 20],
  "select 1 where 1 not /* ü */ in ('x') )": ['syntax error at or near ")"', 39],
  'select 1': null,
  'select 1 where 1 not -- over\n in (1)': null,
  '': null,
  // Another answer than a syntax error.
  "select U&'\\zzzz'": null,
}

for (const [sql, expected] of Object.entries(EXAMPLES)) {
  test(`PostgreSQL's answer to ${JSON.stringify(sql)} is known without it`, () => {
    const found = syntaxErrorOf(sql)
    assert.deepEqual(found === null ? null : [found.message, found.position], expected)
  })
}

test('a text that others would wait for is not looked at', () => {
  assert.equal(syntaxErrorOf(`selec ${'1 '.repeat(20_000)}`), null)
  assert.equal(syntaxErrorOf(`selec ${'('.repeat(5_000)}`), null)
})
