// Seen to fail when `valueOf` in query.ts knows constants only, and when PREPARE leaves the parameters of the message in place.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { loadStatements } from '@countersign/statements'
import { decided } from './example-under-test.ts'

before(loadStatements)

type Bound = {
  kind: 'Prepare' | 'Execute'
  types?: number[]
  values?: (string | null)[]
  binary?: true
}

const brief = (sql: string, { kind, types = [], values = [], binary }: Bound): string => {
  const parameters = values.map((value) => (value === null ? null : Buffer.from(value)))
  const parameterFormats = binary ? [1] : []
  const decision = decided('shop-prod', sql, {
    subject: { kind, parameterTypes: types, parameters, parameterFormats },
  })
  if (decision.type === 'RequestBlocked') return decision.code
  const effects = decision.effects.map(({ effect }) => effect).sort()
  const tainted = decision.type === 'RequestAllowed' && decision.tainted ? ' tainted' : ''
  return `${effects.join()}${tainted}`
}

describe('what a parameter decides is decided when its value is known', () => {
  const SETS = 'SELECT set_config($1, $2, false)'
  const READS = 'SELECT current_setting($1)'
  const EXAMPLES: readonly [sql: string, bound: Bound, expected: string][] = [
    [SETS, { kind: 'Prepare' }, 'session-change'],
    [SETS, { kind: 'Execute', values: ['work_mem', '8MB'] }, 'session-change'],
    [
      SETS,
      { kind: 'Execute', values: ['work_mem', '8MB'], types: [25, 25], binary: true },
      'session-change',
    ],
    [SETS, { kind: 'Execute', values: ['search_path', 'shop'] }, 'session-change'],
    [SETS, { kind: 'Execute', values: ['search_path', 'evil'] }, 'CS_REQUEST_UNKNOWN'],
    [
      SETS,
      { kind: 'Execute', values: ['SEARCH_PATH', 'evil'], types: [1043, 25] },
      'CS_REQUEST_UNKNOWN',
    ],
    [SETS, { kind: 'Execute', values: ['role', 'shop_prod_owner'] }, 'CS_REQUEST_BLOCKED'],
    [
      SETS,
      { kind: 'Execute', values: ['standard_conforming_strings', 'off'] },
      'CS_REQUEST_UNKNOWN',
    ],
    [SETS, { kind: 'Execute', values: [null, 'x'] }, 'CS_REQUEST_UNKNOWN'],
    [SETS, { kind: 'Execute', values: [] }, 'CS_REQUEST_UNKNOWN'],
    // Only the server knows which text a number becomes.
    [SETS, { kind: 'Execute', values: ['work_mem', '8'], types: [23, 23] }, 'CS_REQUEST_UNKNOWN'],
    [
      'SELECT set_config($2, $1, false)',
      { kind: 'Execute', values: ['8MB', 'work_mem'] },
      'session-change',
    ],
    [
      'SELECT set_config($1::text, $2::varchar, false)',
      { kind: 'Execute', values: ['work_mem', '8MB'] },
      'session-change',
    ],
    // A cast that cuts the value off makes another text.
    [
      'SELECT set_config($1::varchar(4), $2, false)',
      { kind: 'Execute', values: ['roles', 'x'] },
      'CS_REQUEST_UNKNOWN',
    ],
    ["SELECT set_config('role', $1, false)", { kind: 'Prepare' }, 'session-change'],
    ["SELECT set_config('role', 'x', false)", { kind: 'Prepare' }, 'CS_REQUEST_BLOCKED'],
    [READS, { kind: 'Execute', values: ['server_version'] }, ''],
    [READS, { kind: 'Execute', values: ['server_version'], types: [19], binary: true }, ''],
    [READS, { kind: 'Execute', values: ['app.secret'] }, 'read tainted'],
    [READS, { kind: 'Execute', values: [] }, 'read tainted'],
    [
      'PREPARE p (text, text) AS SELECT set_config($1, $2, false)',
      { kind: 'Execute', values: ['work_mem', '8MB'] },
      'CS_REQUEST_UNKNOWN',
    ],
  ]
  for (const [sql, bound, expected] of EXAMPLES)
    test(`${bound.kind} of ${sql} with ${JSON.stringify(bound.values ?? [])} ${bound.types?.join() ?? ''}`, () =>
      assert.equal(brief(sql, bound), expected))
})

describe('a renamed table hides others only where it may be temporary', () => {
  const swapped = (sql: string, mayHaveTemporary: boolean): string => {
    const decision = decided('shop-prod', sql, { mayHaveTemporary })
    return decision.type === 'RequestBlocked' ? decision.code : decision.type
  }
  const HIDING = 'ALTER TABLE made_since RENAME TO orders'
  for (const [sql, without, withTemporary] of [
    [HIDING, 'ReviewRequired', 'CS_REQUEST_UNKNOWN'],
    ['ALTER TABLE shop.made_since RENAME TO orders', 'ReviewRequired', 'ReviewRequired'],
    ['ALTER TABLE archive RENAME TO orders', 'ReviewRequired', 'ReviewRequired'],
    ['ALTER TABLE pg_temp.made_since RENAME TO orders', 'CS_REQUEST_UNKNOWN', 'CS_REQUEST_UNKNOWN'],
    [
      `CREATE TEMP TABLE made_since (id int); ${HIDING}`,
      'CS_REQUEST_UNKNOWN',
      'CS_REQUEST_UNKNOWN',
    ],
    [`ALTER TABLE orders RENAME TO orders_old; ${HIDING}`, 'ReviewRequired', 'CS_REQUEST_UNKNOWN'],
  ] as const)
    test(sql, () =>
      assert.deepEqual([swapped(sql, false), swapped(sql, true)], [without, withTemporary]),
    )
})

describe('values of users in the catalogs of PostgreSQL are tainted', () => {
  const isTainted = (sql: string): boolean => {
    const decision = decided('shop-prod', sql)
    assert.equal(decision.type, 'RequestAllowed', sql)
    return decision.type === 'RequestAllowed' && decision.tainted
  }
  for (const sql of [
    "SELECT histogram_bounds FROM pg_stats WHERE attname = 'password_hash'",
    'SELECT upper(most_common_vals::text) FROM pg_catalog.pg_stats',
    'SELECT s FROM pg_stats s',
    'SELECT row_to_json(s) FROM pg_stats s',
    'SELECT (s).histogram_bounds FROM pg_stats s',
    'TABLE pg_stats',
    'SELECT x.h FROM (SELECT histogram_bounds::text AS h FROM pg_stats) x',
    'SELECT h FROM pg_stats AS s (a, b, c, d, e, f, g, h)',
    'SELECT stavalues1::text FROM pg_statistic',
    'SELECT m.values FROM pg_statistic_ext_data d, pg_mcv_list_items(d.stxdmcv) m',
    'SELECT lower(query) FROM pg_stat_activity',
    'SELECT query FROM pg_stat_get_activity(NULL)',
    'SELECT pg_stat_get_backend_activity(1)',
    'SELECT pg_get_functiondef(1)',
    'SELECT lower(prosrc) FROM pg_proc',
    "SELECT routine_definition || '' FROM information_schema.routines",
    "SELECT array_to_string(setconfig, ',') FROM pg_db_role_setting",
    "SELECT proname, array_to_string(proconfig, ',') FROM pg_proc",
    'SELECT * FROM pg_user_mappings',
    "SELECT option_value || '' FROM information_schema.user_mapping_options",
    "SELECT current_setting('app.secret')",
    'SELECT lower(of_a_version_to_come) FROM pg_class',
    'SELECT * FROM pg_prepared_statements',
  ])
    test(sql, () => assert.equal(isTainted(sql), true))

  for (const sql of [
    'SELECT schemaname, tablename, attname FROM pg_stats',
    'SELECT lower(relname), pg_get_expr(relpartbound, oid) FROM pg_class',
    'SELECT pg_get_viewdef(oid), pg_get_indexdef(oid) FROM pg_class',
    'SELECT lower(column_default) FROM information_schema.columns',
    'SELECT pid, lower(state) FROM pg_stat_activity',
    'SELECT c.*, a.attname, c.xmin, a.tableoid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid',
    "SELECT setting FROM pg_settings WHERE name = 'max_index_keys'",
  ])
    test(`not by ${sql}`, () => assert.equal(isTainted(sql), false))
})
