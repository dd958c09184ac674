import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityOf } from './token.ts'

const isAgent = (claims: object, agentGroup?: string): boolean =>
  identityOf({ sub: 'ana', exp: 1, ...claims }, agentGroup).isAgent

test('who is delegated to is an agent', () => {
  assert.equal(isAgent({ act: { sub: 'ci-deploy' } }), true)
})

test('who got the token for itself is an agent, whatever groups it is in', () => {
  assert.equal(isAgent({ client_id: 'ana', groups: ['prod-reviewers'] }), true)
  assert.equal(isAgent({ azp: 'ana' }), true)
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
