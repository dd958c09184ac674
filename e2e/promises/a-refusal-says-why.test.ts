// Seen to fail when `refuseSession` in services/proxy/src/shell/serve-session.ts closes the connection without an ErrorResponse.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { callConsole } from '../support/reviewer.ts'

const system = await arena('refusals')

const REFUSALS = {
  'a wrong token': {
    options: { profile: 'shop-prod', token: 'not-a-token' },
    says: /CS_AUTH_INVALID/,
  },
  'no token': { options: { profile: 'shop-prod', token: '' }, says: /password|CS_AUTH_REQUIRED/ },
  'another agent than the token is for': {
    options: { profile: 'shop-prod', env: { PGUSER: 'nightly-report' } },
    says: /CS_AUTH_AGENT_MISMATCH[\s\S]*ci-deploy/,
  },
  'an unknown profile': {
    options: { profile: 'shop-moon' },
    says: /CS_PROFILE_UNKNOWN[\s\S]*shop-dev/,
  },
  'startup options': {
    options: { profile: 'shop-prod', env: { PGOPTIONS: '-c search_path=evil' } },
    says: /CS_STARTUP_PARAMETER_REFUSED/,
  },
  'no TLS': {
    options: { profile: 'shop-prod', env: { PGSSLMODE: 'disable' } },
    says: /CS_TLS_REQUIRED/,
  },
  'another encoding': {
    options: { profile: 'shop-prod', env: { PGCLIENTENCODING: 'SJIS' } },
    says: /CS_STARTUP_PARAMETER_REFUSED/,
  },
} as const

for (const [what, { options, says }] of Object.entries(REFUSALS)) {
  test(`${what} is refused, with a code and the next step`, async () => {
    const run = await psql(system, { commands: ['select 1'], ...options })
    assert.notEqual(run.status, 0)
    assert.match(run.stderr, says)
  })
}

test('an expired token is refused', async () => {
  const token = await system.tokenFor('ci-deploy', 1)
  await new Promise((resolve) => setTimeout(resolve, 2_100))
  const run = await psql(system, { profile: 'shop-prod', token, commands: ['select 1'] })
  assert.match(run.stderr, /CS_AUTH_EXPIRED/)
})

test('a malformed catalog is refused with file, line and what is wrong, and nothing of it is applied', async () => {
  const before = await callConsole(system, 'olga', { path: '/v1/catalog' })
  const text =
    'apiVersion: countersign/v1\nkind: Chain\nmetadata: { name: broken }\nspec: { stages: [ { name: one, reviewers: nobody, mode: sometimes } ] }\n'
  const answer = await callConsole(system, 'olga', {
    method: 'PUT',
    path: '/v1/catalog',
    body: { files: [{ name: 'broken.yaml', text }] },
  })
  assert.equal(answer.status, 422)
  assert.match(JSON.stringify(answer.body), /broken\.yaml/)
  assert.deepEqual((await callConsole(system, 'olga', { path: '/v1/catalog' })).body, before.body)
})

test('nobody but an administrator changes the catalog', async () => {
  const answer = await callConsole(system, 'ana', {
    method: 'PUT',
    path: '/v1/catalog',
    body: { files: [] },
  })
  assert.equal(answer.status, 403)
})

test('bytes that are no PostgreSQL end the connection, and the proxy goes on', async () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(64, 0xff),
    Buffer.from([0, 0, 0, 8]),
  ]) {
    const socket = connect(system.instance.ports.proxyPostgres, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    socket.write(bytes)
    socket.end()
    await once(socket, 'close')
  }
  const run = await psql(system, { profile: 'shop-prod', commands: ['select 1'] })
  assert.equal(run.status, 0, run.stderr)
})
