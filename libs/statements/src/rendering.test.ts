import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { loadStatements, rendering } from './index.ts'

before(loadStatements)

const RENDERINGS: Readonly<Record<string, string>> = {
  "select 'é', 5, 1.5, $1 -- secret\n from t": "select '?', ?, ?, $1 from t",
  "select E'O\\'B', $tag$secret$tag$, x'1f', b'01', N'q', U&'d'":
    "select '?', '?', '?', '?', N'?', '?'",
  'select /* secret /* nested */ */ "Column" from t': 'select "Column" from t',
  'do $$ begin perform 4111; end $$': "do '?'",
  "alter role x password 'secret'": "alter role x password '?'",
  'selec secret': '[unparsed statement, 12 bytes]',
  '': '',
}

for (const [sql, expected] of Object.entries(RENDERINGS))
  test(`the log shows ${expected || 'nothing'}`, () => assert.equal(rendering(sql), expected))

test('bytes that are no text are only counted', () => {
  assert.equal(rendering(Uint8Array.of(1, 0xff)), '[unparsed statement, 2 bytes]')
})

test('no literal survives, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]{6,12}$/),
      fc.integer({ min: 100_000 }),
      (word, number) => {
        const sql = `insert into t values ('zz${word}', ${number}, $q$zz${word}$q$) /* zz${word} */`
        assert.ok(!rendering(sql).includes(`zz${word}`) && !rendering(sql).includes(String(number)))
      },
    ),
  )
})
