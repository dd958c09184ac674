// EXECUTE of what PREPARE named does what that text does, with these values; where it is not known what the name stands for,
// it is opaque. Seen to fail when `execute` in utility.ts does not compare the name, and when `understand` leaves `executes` in a
// text of two statements; the values of parameters while those of every type were known.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  EMPTY_CATALOG,
  executedName,
  seemsToExecute,
  loadStatements,
  preparedName,
  type TargetCatalog,
  understand,
} from './index.ts'

before(loadStatements)

const CATALOG: TargetCatalog = { ...EMPTY_CATALOG, searchPath: ['shop'] }

const did = (sql: string, prepare: string | null, name = 'p') => {
  const executes = prepare === null ? null : { name, text: prepare }
  const { effects, unbounded } = understand(sql, CATALOG, { executes })
  const said = effects.map(({ effect, relation }) =>
    relation === null ? effect : `${effect} ${relation.name}`,
  )
  return [...new Set(said), ...unbounded.map(({ tag }) => `every ${tag}`)].sort().join(', ')
}

const EXAMPLES: readonly [sql: string, prepare: string | null, does: string][] = [
  ['execute p', null, 'opaque'],
  ['execute p', 'prepare p as select * from orders', 'read orders'],
  ['execute p(1)', 'prepare p (int) as delete from orders where id = $1', 'delete orders'],
  ['EXECUTE p', 'prepare p as delete from orders', 'delete orders, every DELETE'],
  ['execute "P"', 'prepare p as select 1', 'opaque'],
  ['execute q', 'prepare p as select 1', 'opaque'],
  ['execute p', 'prepare q as select 1', 'opaque'],
  ['execute p', 'prepare p as select 1; prepare p as delete from orders', 'opaque'],
  ['execute p', 'select 1', 'opaque'],
  ['select 1; execute p', 'prepare p as select 1', 'opaque'],
  ['execute p; execute p', 'prepare p as select 1', 'opaque'],
  // Its values are computed too, and its types run their code.
  ['execute p(pay(1))', 'prepare p (int) as select $1', 'opaque'],
  ['execute p(1)', 'prepare p (of_the_target) as select $1', 'opaque'],
  ['execute p', 'prepare p as select pay(1)', 'opaque'],
  [
    "execute p('role')",
    "prepare p (text) as select set_config($1, 'x', false)",
    'privilege-change, session-change',
  ],
  ["execute p('jit')", "prepare p (text) as select set_config($1, 'x', false)", 'session-change'],
  [
    'execute p(upper(1))',
    "prepare p (text) as select set_config($1, 'x', false)",
    'privilege-change, session-change, unknown',
  ],
  // Its value is converted on the way to the text: of a relation in the search_path, the name alone is left.
  [
    "execute p('shop.role')",
    "prepare p (regclass) as select set_config($1::text, 'x', false)",
    'privilege-change, session-change, unknown',
  ],
  [
    "execute p('shop.role')",
    "prepare p as select set_config($1::text, 'x', false) from (select $1::regclass) s",
    'privilege-change, session-change, unknown',
  ],
  ['explain execute p', 'prepare p as delete from orders', 'read orders'],
  ['explain analyze execute p', 'prepare p as delete from orders where id = 1', 'delete orders'],
  [
    'create table c as execute p',
    'prepare p as select * from orders',
    'read orders, schema-change c',
  ],
]

test('an EXECUTE does what the statement of its name does', () => {
  for (const [sql, prepare, does] of EXAMPLES)
    assert.equal(did(sql, prepare), does, `${sql} of ${prepare}`)
})

test('PREPARE counts as the statement that it names', () => {
  assert.equal(
    did('prepare p as delete from orders', null),
    'delete orders, every DELETE, session-change',
  )
  assert.equal(did('prepare p as select pay(1)', null), 'opaque, session-change')
})

test('a name is that of a text which does nothing else', () => {
  const long = 'x'.repeat(64)
  for (const [sql, executed, prepared] of [
    ['execute p(1, $1)', 'p', null],
    ['/* */ EXECUTE "a b" ;', 'a b', null],
    ['prepare p (int) as select $1', null, 'p'],
    ['execute p; select 1', null, null],
    ['explain execute p', null, null],
    ["select 'execute p'", null, null],
    [`execute ${long}`, null, null],
    [`prepare ${long} as select 1`, null, null],
    ['execute (', null, null],
    [null, null, null],
  ] as const) {
    assert.equal(executedName(sql), executed, String(sql))
    assert.equal(preparedName(sql), prepared, String(sql))
  }
})

test('a parameter that another place may give its type is not known by its value', () => {
  const did = (sql: string, parameterTypes: readonly number[] = []) => {
    const parameters = [Buffer.from('shop.role')]
    const { effects } = understand(sql, CATALOG, { parameters, parameterTypes })
    return effects.some(({ effect }) => effect === 'unknown') ? 'unknown' : 'known'
  }
  const once = "select set_config($1::text, 'x', false)"
  assert.equal(did(once), 'known')
  // 25 is text, 2205 is regclass.
  for (const beside of [' from (select $1::regclass) s', ', $01::regclass']) {
    assert.equal(did(once + beside), 'unknown', beside)
    assert.equal(did(once + beside, [25]), 'known', beside)
  }
  assert.equal(did(once, [2205]), 'unknown')
})

test('a long text seems to execute a name only where nothing but parameters follows', () => {
  const padding = `/*${'x'.repeat(17_000)}*/`
  for (const [sql, name] of [
    [`execute p ${padding}`, 'p'],
    [`execute p; ${padding}`, 'p'],
    [`execute p; -- ${'x'.repeat(17_000)}`, 'p'],
    [`execute p (1, '${'x'.repeat(17_000)}')`, 'p'],
    [`execute U&"s!0061" uescape '!' ${padding}`, null],
    [`execute U&"s!0061" ${padding} uescape '!'`, null],
    [`execute p; select 1 ${padding}`, null],
    [`execute p; execute q ${padding}`, null],
  ] as const)
    assert.equal(seemsToExecute(sql), name, sql.slice(0, 40))
})
