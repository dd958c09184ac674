import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { answerOf } from './http.ts'

// Seen to fail when a service that is slow is said to be out of reach.
test('a service that does not answer in time is called busy', async () => {
  await using server = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const url = `http://127.0.0.1:${address.port}/`
  await assert.rejects(answerOf({ url, token: null, limitMs: 20 }), {
    code: 'CS_SERVICE_UNAVAILABLE',
    message: /gave no answer within 0.02 s/,
    hint: /busy or away: try again later/,
  })
  server.closeAllConnections()
})
