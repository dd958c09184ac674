import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import libpgQuery from 'libpg-query'
import { EMPTY_CATALOG, loadStatements, understand } from './index.ts'
import { continued } from './continuation.ts'
import { eachToken } from './lexer.ts'

before(loadStatements)

/** The places of literals and comments by our lexer; null when it does not come to the end. */
function ours(text: string): string[] | null {
  const found: string[] = []
  const isWhole = eachToken(text, (kind, start, end) => {
    if (kind === 'string' || kind === 'comment' || kind === 'number')
      found.push(text.slice(start, end))
  })
  return isWhole ? found : null
}

const hasGap = (text: string): boolean => {
  let found = false
  eachToken(
    text,
    () => undefined,
    () => (found = true),
  )
  return found
}

/** The same by the lexer of PostgreSQL; null when that refuses the text. */
function theirs(text: string): string[] | null {
  const bytes = Buffer.from(text)
  try {
    return libpgQuery
      .scanSync(text)
      .tokens.filter(({ tokenType }) => LITERALS.has(tokenType))
      .map(({ start, end }) => bytes.toString('utf8', start, end))
  } catch {
    return null
  }
}

const LITERALS: ReadonlySet<number> = new Set([260, 261, 262, 263, 264, 266, 275, 276])

const fragments = [
  ...["'a'", "''", "'it''s'", "'\\'", "E'\\''", "e'a\\\\'", "E'x", "'", "U&'\\0061'", "u&'"],
  ...["B'01'", "x'1F'", "N'n'", '"a"', '"a""b"', '"', 'U&"q\'"', 'a', 'e', 'E', 'u', 'select', 'é'],
  ...[
    '$$',
    '$a$',
    '$a',
    '$1',
    '$',
    '$é$',
    'a$b$',
    '1',
    '1.5',
    '.5',
    '1e9',
    '1e',
    '0x1F',
    '1_000',
    '0b1',
  ],
  ...[
    '--',
    '-- x',
    '/*',
    '*/',
    '/**/',
    '/* x */',
    '/',
    '*',
    '-',
    '+',
    '<->',
    '@',
    ':',
    '::',
    '.',
    '..',
  ],
  ...[' ', '\n', '\r', '\t', '\f', '\v', ';', '(', ')', ',', '\\', '\u00a0', '\u2028'],
]

test('literals and comments end where they end for PostgreSQL', () => {
  let compared = 0
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 12 }), (parts) => {
      const text = parts.join('')
      // The one difference that is known: comments between the parts of a literal.
      if (hasGap(text)) return
      const expected = theirs(text)
      if (expected === null) return
      // A literal goes on behind such a comment and never ends; their lexer ends it before.
      if (ours(text) === null && /'\s*--/.test(text)) return
      compared++
      assert.deepEqual(ours(text), expected, JSON.stringify(text))
    }),
    { numRuns: 20_000 },
  )
  assert.ok(compared > 1_000)
})

test('a comment between the parts of a literal is no part of the statement', () => {
  for (const text of [
    "select 'a' -- é\n'b' from t",
    "select 'a'\n -- one\n -- two\n\t'b' from t",
    "select E'a' --\n '\\'; delete from u; --' from t",
  ]) {
    const { effects, statements } = understand(text, EMPTY_CATALOG)
    assert.deepEqual([effects.map(({ effect }) => effect), statements.length], [['read'], 1], text)
    assert.equal(Buffer.byteLength(continued(text)), Buffer.byteLength(text))
  }
})
