import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestClaims, type TestIssuer, testIssuer } from '@countersign/testing'
import { tokenVerifier } from './token.ts'

let issuer: TestIssuer
before(async () => {
  issuer = await testIssuer()
})
after(() => issuer[Symbol.asyncDispose]())

test('an access token says so in its header; another token is none, whatever it claims', async () => {
  assert.equal(await codeOf({}), 'ana')
  assert.equal(await codeOf({ type: 'application/at+jwt' }), 'ana')
  for (const type of ['JWT', 'jwt', 'id+jwt', 'logout+jwt', 'secevent+jwt', 'dpop+jwt', ''])
    assert.equal(await codeOf({ type }), 'CS_AUTH_INVALID', type)
})

test('of a provider that calls access tokens JWT, its ID tokens are refused', async () => {
  assert.equal(await codeOf({ type: 'JWT' }, 'JWT'), 'ana')
  assert.equal(await codeOf({ type: 'JWT', others: { nonce: 'n' } }, 'JWT'), 'CS_AUTH_INVALID')
  assert.equal(await codeOf({ type: 'JWT', others: { typ: 'ID' } }, 'JWT'), 'CS_AUTH_INVALID')
})

test('a signed token whose actor is not understood counts as nobody', async () => {
  for (const act of [{ client_id: 'bot' }, ['bot'], 'bot', null])
    assert.equal(await codeOf({ others: { act } }), 'CS_AUTH_INVALID')
  assert.equal(await codeOf({ others: { sub: '' } }), 'CS_AUTH_INVALID')
})

async function codeOf(claims: TestClaims, type?: string): Promise<unknown> {
  const verify = tokenVerifier({ ...issuer, ...(type === undefined ? {} : { type }) })
  return verify(issuer.token('ana', claims)).then(
    ({ subject }) => subject,
    (thrown: unknown) => Object(thrown).code,
  )
}
