import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements, type UnderstandOptions } from '@countersign/statements'
import { decided, target } from './example-under-test.ts'
import { understood } from './understood.ts'

before(loadStatements)

const SHOP = target('shop-dev')
/** Rows with words of statements that redefine names, in a text that the proxy does not parse. */
const ROWS = `insert into orders (id, note) values ${"(1, 'closed; the end'), ".repeat(1_000)}(2, 'execute')`

const facts = (sql: string, options?: UnderstandOptions) =>
  understood(Buffer.from(sql), SHOP, options)
const redefined = (sql: string, options?: UnderstandOptions) => facts(sql, options).redefines

// Seen to fail when `redefinitions` and `resultColumns` look for words in long texts.
test('the names that a long text redefines are told by the grammar, and so is its use of cursors', () => {
  for (const [sql, statements, portals, use] of [
    [ROWS, [], [], null],
    [`/* close all */ select case when id = 1 then 2 end from orders -- ${ROWS}`, [], [], null],
    [`${ROWS}; deallocate s`, ['s'], [], null],
    [`${ROWS}; deallocate all`, null, [], null],
    [`${ROWS}; close c`, [], ['c'], 'clear'],
    [`declare c cursor for select 1 -- ${ROWS}`, [], ['c'], 'declare'],
    [`discard all -- ${ROWS}`, null, null, 'clear'],
    [`commit -- ${ROWS}`, [], [], 'commit'],
    [`-- ${ROWS}`, [], [], null],
  ] as const) {
    const { redefines, result } = facts(sql)
    const name = sql.slice(0, 40)
    assert.deepEqual([redefines?.statements, redefines?.portals], [statements, portals], name)
    assert.equal(result.cursor?.use ?? null, use, name)
  }
})

test('of a text that the proxy parses itself nothing is told', () => {
  assert.equal(redefined('deallocate all'), null)
})

test('above a limit of names, and of their length, it may be any', () => {
  const closing = (count: number, settings = '') =>
    `${Array.from({ length: count }, (_, n) => `close c${n}; deallocate s${n}`).join(';')}${settings} -- ${ROWS}`
  assert.equal(redefined(closing(500))?.portals?.length, 500)
  assert.equal(redefined(closing(500))?.statements?.length, 500)
  assert.deepEqual(redefined(closing(501, '; set a.b = 1')), {
    ...{ statements: null, portals: null, settings: ['a.b'] },
  })
  const named = (length: number) =>
    redefined(`select set_config('a.${'b'.repeat(length)}', 'x', false) -- ${ROWS}`)
  assert.equal(named(198)?.settings?.length, 1)
  assert.equal(named(199)?.settings, null)
})

test('the settings that a long text sets are told where it changes the session', () => {
  const parameters = [Buffer.from('a.b')]
  const ofParameter = `select set_config($1, 'x', false) -- ${ROWS}`
  assert.equal(redefined(ROWS)?.settings, null)
  assert.deepEqual(redefined(`set local app.tenant = '7'; ${ROWS}`)?.settings, ['app.tenant'])
  assert.deepEqual(redefined(`set datestyle = 'iso' -- ${ROWS}`)?.settings, [])
  assert.deepEqual(redefined(ofParameter, { parameters })?.settings, ['a.b'])
  assert.equal(redefined(ofParameter)?.settings, null)
  const noName = [Buffer.from('canary.zebra@aviary.example')]
  assert.equal(redefined(ofParameter, { parameters: noName })?.settings, null)
  const text = `prepare p as select set_config('c.d', $1, false) /* ${'x'.repeat(17_000)} */`
  const executes = { name: 'p', text }
  assert.deepEqual(redefined("execute p('x')", { executes })?.settings, ['c.d'])
})

test('the error of a text that is no SQL is told, and only of such a text', () => {
  const at = { code: '42601', message: 'syntax error', length: 1 }
  assert.deepEqual(facts(`${ROWS},, (3)`).syntaxError, { ...at, position: ROWS.length + 2 })
  assert.deepEqual(facts('select 1 +').syntaxError, {
    ...{ code: '42601', message: 'syntax error', position: 11, length: 0 },
  })
  for (const sql of ['select 1', '', '-- none', ROWS, 'load $$x$$', 'set role other'])
    assert.equal(facts(sql).syntaxError, null, sql)
})

test('a decision tells both', () => {
  const allowed = decided('shop-dev', `select id from orders -- ${ROWS}`)
  assert.ok(allowed.type === 'RequestAllowed')
  assert.deepEqual(allowed.redefines, { statements: [], portals: [], settings: null })
  const held = decided('shop-prod', ROWS)
  assert.ok(held.type === 'ReviewRequired')
  assert.deepEqual(held.redefines, { statements: [], portals: [], settings: null })
  const blocked = decided('shop-dev', 'selec 1')
  assert.ok(blocked.type === 'RequestBlocked')
  assert.deepEqual(blocked.syntaxError, {
    ...{ code: '42601', message: 'syntax error', position: 1, length: 5 },
  })
})
