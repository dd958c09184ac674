// Seen to fail when `parsed` takes the text as it is, and when every comment behind a
// literal counts as between its parts.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { continued } from './continuation.ts'
import { EMPTY_CATALOG, loadStatements, rendering, understand } from './index.ts'

before(loadStatements)

test('comments between the parts of a literal are blanks, wherever PostgreSQL reads on', () => {
  for (const [text, expected] of [
    ["select 'a' -- c\n 'b'", "select 'a'     \n 'b'"],
    ["select 'a'--c\n\n -- d\r\n'b' -- e\n", "select 'a'   \n\n     \r\n'b' -- e\n"],
    ["select 'ä' -- öß\n 'b', 'c' -- d\n 'e'", `select 'ä'${' '.repeat(8)}\n 'b', 'c'     \n 'e'`],
    ["select E'a' -- c\n 'b\\'c'", "select E'a'     \n 'b\\'c'"],
    [
      "select b'1' -- c\n '0', x'1' --\n '0', U&'a' -- c\n 'b'",
      "select b'1'     \n '0', x'1'   \n '0', U&'a'     \n 'b'",
    ],
  ] as const)
    assert.equal(continued(text), expected)
})

test('other comments stay', () => {
  for (const text of [
    "select 'a' /* c */\n 'b'",
    "select 'a' -- c\n , 'b'",
    "select '-- c\n' , 'b'",
    `select "a' -- c\n 'b"`,
    "select $$a' -- c\n 'b$$",
    "select 'a' -- c\n -- d",
    "select 'a' -- c 'b'",
  ])
    assert.equal(continued(text), text)
})

test('a literal in parts is understood, and hidden whole', () => {
  const text = "select E'a' -- c\n 'b\\'secret \\' d' from t"
  assert.equal(understand(text, EMPTY_CATALOG).effects[0]?.effect, 'read')
  assert.equal(rendering(text), "select '?' from t")
})
