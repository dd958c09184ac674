// Tools set a role back that they never changed (Flyway: SET ROLE to current_user, pools: RESET ROLE). That changes nothing, so
// it is no change of privileges; every other role is one, and the same words may mean another role while one is raised.
// Seen to fail when `keepsRole` says that RESET ROLE always keeps it.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { EMPTY_CATALOG, loadStatements, type OwnRoles, understand } from './index.ts'

before(loadStatements)

const PLAIN: OwnRoles = { own: 'cs_1', atLogin: 'cs_1', acting: 'cs_1' }
/** A session whose base roles may create objects: it acts as another role than its own. */
const MAKER: OwnRoles = { own: 'cs_1', atLogin: 'cs_maker', acting: 'cs_maker' }
const MAKER_RAISED: OwnRoles = { ...MAKER, acting: 'cs_1' }

const [P, M, R, NOBODY] = ['plain', 'maker', 'raised', 'nobody'] as const

/** The sessions for which a text keeps the role, by text. */
const KEEPS: Readonly<Record<string, readonly string[]>> = {
  'set role cs_1': [P, R],
  "SET ROLE 'cs_1'": [P, R],
  'set role "cs_1"': [P, R],
  'set role CS_1': [P, R],
  'set role "CS_1"': [],
  'set local role cs_1': [P, R],
  'set session role cs_1': [P, R],
  'set role = cs_1': [P, R],
  'set role none': [P, R],
  "set role 'none'": [P, R],
  'set role cs_maker': [M],
  'set role to default': [P, M],
  'set local role to default': [P, M],
  'reset role': [P, M],
  'set session authorization default': [P],
  'reset session authorization': [P],
  'set session authorization cs_1': [P],
  'set local session authorization cs_1': [P],
  'set session authorization cs_maker': [],
  'set role cs_2': [],
  'set role shop_prod_owner': [],
  'set session authorization postgres': [],
  'set role from current': [],
  "select set_config('role', 'cs_2', false)": [],
  'set role cs_1; set role shop_prod_owner': [],
}

test('going to the role that a session has changes no privilege', () => {
  const sessions = { [P]: PLAIN, [M]: MAKER, [R]: MAKER_RAISED, [NOBODY]: null }
  for (const [sql, kept] of Object.entries(KEEPS))
    for (const [name, ownRoles] of Object.entries(sessions)) {
      const { effects, settings } = understand(sql, EMPTY_CATALOG, { ownRoles })
      const found = effects.map(({ effect }) => effect)
      const expected = kept.includes(name)
        ? ['session-change']
        : ['privilege-change', 'session-change']
      assert.deepEqual(found.sort(), expected, `${sql}, ${name}`)
      assert.match(settings.join(), /^(?:role|session_authorization)$/, sql)
    }
})
