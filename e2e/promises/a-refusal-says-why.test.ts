// Seen to fail when `refuseSession` in services/proxy/src/shell/serve-session.ts closes the connection without an ErrorResponse,
// and when `refuse` in refuse.ts notes nothing of what no request could be made of.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { callConsole } from '../support/reviewer.ts'
import { fieldOf, only, openWire } from '../support/wire.ts'

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

const NO_REQUESTS = {
  'a function call message': {
    message: Buffer.from('F\0\0\0\x0e\0\0\x02\x6a\0\0\0\0\0\0', 'latin1'),
    ...{ sqlState: '42C02', said: 'M' },
  },
  // Situations that PostgreSQL knows too: the answer has its SQLSTATE and words, and our code in the detail.
  'a statement that nobody prepared': {
    ...{ message: toServer.bind({ statement: 'unheard-of' }), sqlState: '26000', said: 'D' },
  },
  'a portal that nobody bound': {
    ...{ message: toServer.execute('unheard-of'), sqlState: '34000', said: 'D' },
  },
}

for (const [what, { message, sqlState, said }] of Object.entries(NO_REQUESTS)) {
  test(`${what} is refused with a request id that stands in the log, as does what the agent saw`, async () => {
    const wire = await openWire(system, 'shop-prod')
    wire.send(message, toServer.sync())
    const error = only(await wire.until('E'), 'E')
    assert.equal(fieldOf(error, 'C'), sqlState)
    const [, requestId] =
      /CS_[A-Z]+_UNKNOWN, request ([0-9a-f-]{36})/.exec(fieldOf(error, said)) ?? []
    await using log = await observe(system)
    const refused = await eventually('the refusal', async () =>
      (await eventsOf(log, 'sessions', 'RequestRefused')).find(
        (event) => event.requestId === requestId,
      ),
    )
    assert.equal(refused.reason, fieldOf(error, said === 'M' ? 'D' : 'M'))
    await eventually('what the agent saw of it', async () =>
      (await eventsOf(log, 'transcript', 'TranscriptRecorded')).some(
        (event) => event.requestId === requestId,
      ),
    )
    wire.end()
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
  assert.match(JSON.stringify(answer.body), /"file":"broken\.yaml","line":4,"message":"[^"]*mode/)
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
