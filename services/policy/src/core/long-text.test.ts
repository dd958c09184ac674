// Seen to fail when a long text is not parsed for what it does to its transaction, for its PREPARE or EXECUTE, or for its COPY.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  executedName,
  isEndTold,
  loadStatements,
  LOOP_BYTES_MAX,
  preparedName,
  transactionTurn,
} from '@countersign/statements'
import { target } from './example-under-test.ts'
import { understood } from './understood.ts'

before(loadStatements)

const SHOP = target('shop-dev')
const LONG = 'x'.repeat(20_000)
/** The same text longer: `~` stands where it is padded. */
const padded = (sql: string, at: number): string => {
  const parts = sql.split('~')
  return parts.map((part, n) => (n === 0 ? part : (n === at ? LONG : '') + part)).join('')
}

/** Texts with places to make them long, in comments and literals, at the start, in the middle and at the end. */
const TEXTS = [
  "/*~*/ begin; update orders set note = '~' where id = 1; commit /*~*/",
  '--~\nbegin; select 1; /*~*/ rollback; --~',
  "begin /*~*/; savepoint a; select '~'; rollback to a; release a; commit; --~",
  "/*~*/ commit; select '~'",
  "/*~*/ commit and chain; select '~'",
  "select '~'; rollback and /*~*/ chain",
  "commit; select '~'; begin --~",
  "select '~'; start transaction --~",
  "savepoint /*~*/ a; select '~'",
  "/*~*/ begin; insert into orders (id, note) values (1, '~')",
  "select '~'; end",
  '/*~*/ abort',
  "select '~'; prepare transaction /*~*/ 'x'",
  "select 'commit; ~'",
  "/*~*/ prepare p as select '~' /*~*/",
  'prepare /*~*/ "P p" (int) as select $1 --~',
  "/*~*/ execute p('~') --~",
  'execute /*~*/ "P p"(1)',
  "prepare p as select '~'; execute p",
  "execute p('~'); delete from orders",
  "explain /*~*/ execute p('~')",
  "selec '~'",
] as const

test('of a long text is told what the proxy finds out of the short one', () => {
  for (const text of TEXTS) {
    const sql = padded(text, 0)
    const expected = {
      turn: transactionTurn(sql),
      endTold: isEndTold(sql),
      prepares: preparedName(sql),
      executes: executedName(sql),
    }
    assert.equal(understood(Buffer.from(sql), SHOP).longText, null, sql)
    for (let at = 1; at < text.split('~').length; at++) {
      const long = padded(text, at)
      assert.ok(long.length > LOOP_BYTES_MAX)
      assert.deepEqual(understood(Buffer.from(long), SHOP).longText, expected, `${at} of ${text}`)
    }
  }
})

test('a long text means what the short one means, with what it executes and copies', () => {
  const prepare = "prepare p as select id, note || '~' from orders where note <> '~' /*~*/"
  const facts = (sql: string, text: string | null = null) => {
    const executes = text === null ? null : { name: 'p', text }
    const { understanding, result, copyOut } = understood(Buffer.from(sql), SHOP, { executes })
    return [understanding.effects, understanding.copy, result.madeOf, copyOut]
  }
  for (const text of [
    "copy (select id, note from orders where note <> '~') to stdout --~",
    'copy /*~*/ orders (id) to stdout (format csv, header)',
    "copy (select * from orders where note <> '~') to stdout",
  ])
    for (const at of [1, 2])
      if (at < text.split('~').length) {
        const short = facts(padded(text, 0))
        assert.ok(short[3] !== null)
        assert.deepEqual(facts(padded(text, at)), short, text)
      }
  const executed = facts('execute p', padded(prepare, 0))
  assert.ok(JSON.stringify(executed).includes('orders'))
  for (const at of [1, 2, 3]) assert.deepEqual(facts('execute p', padded(prepare, at)), executed)
  assert.deepEqual(facts(`/*${LONG}*/ execute p --${LONG}`, padded(prepare, 0)), executed)
})

test('what a text executes counts only where it does nothing else', () => {
  const executes = { name: 'p', text: 'prepare p as select id from orders' }
  const madeOf = (sql: string) => understood(Buffer.from(sql), SHOP, { executes }).result.madeOf
  assert.equal(madeOf(`execute p --${LONG}`).length, 1)
  assert.deepEqual(madeOf(`execute p; select note from orders --${LONG}`), [])
  assert.deepEqual(madeOf(`select id, note from orders --${LONG}`).length, 2)
})
