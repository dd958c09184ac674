// Seen to fail when `parsed` takes the text as it is, and when only comments between the parts of a literal are blanks.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { continued } from './continuation.ts'
import { EMPTY_CATALOG, loadStatements, rendering, understand } from './index.ts'
import { parsed } from './parser.ts'

before(loadStatements)

test('comments between the parts of a literal are blanks, wherever PostgreSQL reads on', () => {
  for (const [text, expected] of [
    ["select 'a' -- c\n 'b'", "select 'a'     \n 'b'"],
    ["select 'a'--c\n\n -- d\r\n'b' -- e\n", "select 'a'   \n\n     \r\n'b'     \n"],
    ["select 'ä' -- öß\n 'b', 'c' -- d\n 'e'", `select 'ä'${' '.repeat(8)}\n 'b', 'c'     \n 'e'`],
    ["select E'a' -- c\n 'b\\'c'", "select E'a'     \n 'b\\'c'"],
    [
      "select b'1' -- c\n '0', x'1' --\n '0', U&'a' -- c\n 'b'",
      "select b'1'     \n '0', x'1'   \n '0', U&'a'     \n 'b'",
    ],
  ] as const)
    assert.equal(continued(text), expected)
})

test('a comment that PostgreSQL does not read on over stays, and so do literals that look like comments', () => {
  for (const text of [
    "select 'a' /* c */\n 'b'",
    "select 'a'\n /* c */ /* d */ 'b'",
    "select '-- c\n' , 'b'",
    `select "a' -- c\n 'b"`,
    "select $$a' -- c\n 'b$$",
    'select $a$ /* c */ $b$ -- $a$ from t',
    "select E'\\' /* c */ ', 1",
    "select 'a /* never ends",
  ])
    assert.equal(continued(text), text)
})

test('every other comment is blanks', () => {
  for (const [text, expected] of [
    ["select 'a' /* c */, 'b'", "select 'a'        , 'b'"],
    ["select 'a' -- c\n , 'b'", "select 'a'     \n , 'b'"],
    ["select 'a' -- c\n -- d", "select 'a'     \n     "],
    ["select 'a' -- c 'b'", "select 'a'         "],
    ["select 'a' -- c\n /* d */ 'b'", "select 'a'     \n /* d */ 'b'"],
    ["select 'a' /* c */ E'b' -- d\n 'c'", "select 'a'         E'b'     \n 'c'"],
    ['select 1 /* ä /* b */ */ +-- c', 'select 1                  +    '],
  ] as const)
    assert.equal(continued(text), expected)
})

/** Texts in which a keyword means something only with the next one, and some others. */
const PAIRS: readonly string[] = [
  "select 1 from t where status not in ('paid') and a not between 1 and 2",
  "select 1 from t where a not like 'x' and a not ilike 'x' and a not similar to 'x'",
  'select a from t order by a nulls first , b desc nulls last',
  'create table t ( a timestamp with time zone , b time without time zone )',
  "select '1' :: timestamp with time zone , cast ( 1 as time ( 3 ) without time zone )",
  'select * from f ( ) with ordinality',
  'select json ( a format json ) , json_object ( 1 : 2 with unique keys ) from t',
  "select U&'a!0062' uescape '!' , U&\"d!0061\" uescape '!' from t",
  'with q as ( select 1 ) update t set ( a , b ) = ( select 1 , 2 ) from q where not a is not null',
  "insert into t values ( 1 , 'x' ) on conflict do nothing returning *",
]

test('a comment between any two words is read as blanks are', () => {
  const comments = fc.constantFrom('/* c */', '-- c\n', '/* ä\n /* not */ */', "-- '\n", "/* ' */")
  const places = fc.array(fc.option(comments), { minLength: 60, maxLength: 60 })
  fc.assert(
    fc.property(fc.constantFrom(...PAIRS), places, (text, chosen) => {
      const words = text.split(' ')
      const withThe = (filler: (comment: string) => string): string =>
        words.map((word, at) => word + filler(chosen[at] ?? '') + ' ').join('')
      const commented = parsed(withThe((comment) => ` ${comment}`))
      const blank = parsed(withThe((comment) => ' '.repeat(Buffer.byteLength(comment) + 1)))
      assert.ok(blank.ok, text)
      assert.deepEqual(commented, blank)
    }),
    { numRuns: 2_000 },
  )
})

test('a literal in parts is understood, and hidden whole', () => {
  const text = "select E'a' -- c\n 'b\\'secret \\' d' from t"
  assert.equal(understand(text, EMPTY_CATALOG).effects[0]?.effect, 'read')
  assert.equal(rendering(text), "select '?' from t")
})
