import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identifier, literal } from './quote.ts'
import { handOver, handOverAs, handOverSchema, lend, unlock } from './role-statements.ts'

test('no name gets out of its quotes', () => {
  assert.equal(identifier('a"; DROP ROLE b; --'), '"a""; DROP ROLE b; --"')
  assert.equal(literal("it's"), "'it''s'")
  assert.equal(literal("\\'; --"), " E'\\\\''; --'")
})

test('a name that PostgreSQL would cut or end early is refused', () => {
  for (const name of ['', 'a\0b', 'x'.repeat(64), 'ü'.repeat(32)]) {
    assert.throws(() => identifier(name), RangeError)
  }
})

test('a lent role is inherited and can never be set', () => {
  assert.equal(
    lend('shop_owner', 'cs_x'),
    'GRANT "shop_owner" TO "cs_x" WITH INHERIT TRUE, SET FALSE',
  )
})

test('a role opens for one connection', () => {
  assert.match(unlock('cs_x', 'SCRAM-SHA-256$1:x', '2099-01-01'), / CONNECTION LIMIT 1$/)
})

test('functions, procedures and aggregates are altered as routines', () => {
  for (const type of ['function', 'procedure', 'aggregate']) {
    const owned = { type, schema: 's', identity: 's.f(integer)' }
    assert.equal(handOver(owned, 'o'), 'ALTER ROUTINE s.f(integer) OWNER TO "o"')
  }
})

test('the owner has the role of a session only while its schema is given to it', () => {
  const statements = handOverAs('cs_x', 'o', handOverSchema('s', 'o'))
  assert.equal(statements[0], 'GRANT "cs_x" TO "o" WITH INHERIT TRUE, SET FALSE')
  assert.equal(statements.at(-1), 'REVOKE "cs_x" FROM "o"')
})
