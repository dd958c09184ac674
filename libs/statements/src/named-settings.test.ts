import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { namedSettings } from './named-settings.ts'
import { loadStatements } from './parser.ts'

before(loadStatements)

const EXAMPLES: Readonly<Record<string, readonly string[] | null>> = {
  "set app.tenant = '7'": ['app.tenant'],
  'set local "App.Tenant" to 7': ['app.tenant'],
  "set datestyle = 'iso'": [],
  'reset app.tenant': ['app.tenant'],
  "select set_config('app.tenant', '7', false)": ['app.tenant'],
  "with x as (select pg_catalog.set_config('a.b', '7', true)) select * from x": ['a.b'],
  'set a.b = 1; select 1; set c.d = 2': ['a.b', 'c.d'],
  "select 'set app.tenant'": [],
  "select set_config('app.tenant'::text, '7', false)": ['app.tenant'],
  "select set_config('app.' || 'tenant', '7', false)": null,
  'select set_config(n, $1, false) from t': null,
  'set does not parse': null,
  [`set app.tenant = '7' /* ${'x'.repeat(17_000)} */`]: null,
  // Known limit.
  'select f()': [],
}

for (const [sql, names] of Object.entries(EXAMPLES)) {
  test(`${sql.slice(0, 60)} sets ${names === null ? 'what cannot be known' : names.join() || 'nothing of an application'}`, () => {
    assert.deepEqual(namedSettings(sql), names)
  })
}

test('of a long text they are known to whoever may parse it', () => {
  // More rows than a call may have arguments.
  const rows = `insert into t values ${"('set a.b'),".repeat(200_000)}('offset')`
  assert.deepEqual(namedSettings(rows, [], Infinity), [])
  assert.deepEqual(namedSettings(`set app.tenant = 7; ${rows}`, [], Infinity), ['app.tenant'])
  assert.equal(namedSettings(rows), null)
})

test('the name may be a parameter', () => {
  const sql = 'select set_config($2, $1, false)'
  assert.deepEqual(namedSettings(sql, [Buffer.from('7'), Buffer.from('app.tenant')]), [
    'app.tenant',
  ])
  assert.deepEqual(
    namedSettings('select set_config($1::text, $2, false)', [Buffer.from('app.tenant')]),
    ['app.tenant'],
  )
  assert.equal(namedSettings(sql, [Buffer.from('7'), null]), null)
  assert.equal(namedSettings(sql), null)
})
