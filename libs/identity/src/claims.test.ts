import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityOf } from './claims.ts'

const isAgent = (claims: object, agentGroup?: string): boolean =>
  identityOf({ sub: 'ana', exp: 1, ...claims }, agentGroup).isAgent

test('who is delegated to is an agent', () => {
  assert.equal(isAgent({ act: { sub: 'ci-deploy' } }), true)
})

test('who got the token for itself is an agent, whatever groups it is in', () => {
  assert.equal(isAgent({ client_id: 'ana', groups: ['prod-reviewers'] }), true)
  assert.equal(isAgent({ azp: 'ana' }), true)
  assert.equal(isAgent({ idtyp: 'app', groups: ['prod-reviewers'] }), true)
  assert.equal(isAgent({ gty: 'client-credentials', groups: ['prod-reviewers'] }), true)
  assert.equal(isAgent({ idtyp: 'user', gty: 'password' }), false)
})

test('who is in the group of the agents is one, and that group has the name that it was given', () => {
  assert.equal(isAgent({ groups: ['prod-reviewers', 'agents'] }), true)
  assert.equal(isAgent({ groups: ['robots'] }, 'robots'), true)
  assert.equal(isAgent({ groups: ['agents'] }, 'robots'), false)
})

test('a person who logged in with a client is none', () => {
  assert.equal(isAgent({ client_id: 'web', azp: 'web', groups: ['prod-reviewers'] }), false)
  assert.equal(isAgent({}), false)
  assert.equal(isAgent({ act: { sub: 'ana' } }), false)
})

test('actors are read at any depth, the current one first', () => {
  const { agent, behalfOf, actors } = identityOf({
    sub: 'ana',
    iss: 'i',
    exp: 1,
    act: { sub: 'bot', iss: 'i', act: { sub: 'planner' } },
  })
  assert.deepEqual([agent, behalfOf, actors], ['bot', 'ana', ['ana', 'bot', 'planner']])
})

/** Values of an identity claim that a careless reader would pass over. */
const NOT_NAMES: readonly unknown[] = [
  '',
  ' ',
  ' ana',
  'ana ',
  'a\u0000na',
  'a\nna',
  'a\u200bna',
  '\u202eana',
  'a\u00a0na',
  'a\u0301na',
  'x'.repeat(256),
  7,
  true,
  null,
  {},
  { sub: 'ana' },
  ['ana'],
  [],
]
const NOT_ACTORS: readonly unknown[] = [
  null,
  true,
  0,
  7,
  '',
  'bot',
  [],
  ['bot'],
  [{ sub: 'bot' }],
  {},
  { client_id: 'bot' },
  { azp: 'bot' },
  { sub: 'bot', client_id: 'bot' },
  { sub: 'bot', groups: ['x'] },
  { sub: 'bot', iss: 'elsewhere' },
  { SUB: 'bot' },
  { email: 'bot@example.com' },
  { iss: 'i' },
  { sub: 'bot', iss: null },
  ...NOT_NAMES.map((sub) => ({ sub })),
]

test('a subject, client or group that is no name refuses the token', () => {
  for (const name of NOT_NAMES) {
    refuses({ sub: name })
    refuses({ client_id: name })
    refuses({ azp: name })
    refuses({ act: { sub: 'bot' }, azp: name })
    refuses({ groups: [name] })
    refuses({ groups: ['prod-reviewers', name] })
  }
  refuses({ sub: undefined })
  for (const groups of ['agents', '', null, {}, { 0: 'agents' }, 7, Array(1_001).fill('g')])
    refuses({ groups })
})

test('an actor that is not understood refuses the token, at any depth', () => {
  for (const act of NOT_ACTORS) {
    let nested = act
    for (let depth = 1; depth <= 8; depth++) {
      refuses({ act: nested })
      nested = { sub: 'bot', act: nested }
    }
  }
  let long: object = { sub: 'bot' }
  for (let depth = 1; depth < 9; depth++) long = { sub: 'bot', act: long }
  refuses({ act: long })
})

test('a token for another use, or with a condition on its use, is refused', () => {
  for (const claim of ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'cnf', '_claim_names'])
    for (const value of ['x', {}, { jkt: 'x' }, null]) refuses({ [claim]: value })
  for (const typ of ['ID', 'Refresh', 'Logout', '', 7, null]) refuses({ typ })
  assert.equal(identityOf({ sub: 'ana', exp: 1, typ: 'Bearer' }).subject, 'ana')
})

test('a time that is none refuses the token', () => {
  for (const exp of [undefined, null, '1', -1, Infinity, NaN, 1e300, 9e12]) refuses({ exp })
})

function refuses(claims: object): void {
  const payload = { sub: 'ana', iss: 'i', exp: 1, ...claims }
  assert.throws(
    () => identityOf(payload),
    { name: 'Problem', code: 'CS_AUTH_INVALID' },
    JSON.stringify(claims),
  )
}
