import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { closed, listening, serveHealth } from './health.ts'

const nothing = (): void => undefined
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const telemetry = {
  serveMetrics: () => assert.fail('nobody asks for metrics'),
  async [Symbol.asyncDispose]() {},
}

test('probes are answered at the address that is asked for, and at no other', async (t) => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)
  if (outside === undefined) return t.skip('this machine has no address but loopback')
  const check = { name: 'log', healthy: () => false }
  for (const [host, isReached] of [
    ['0.0.0.0', true],
    ['127.0.0.1', false],
  ] as const) {
    await using served = await serveHealth({
      host,
      port: 0,
      checks: [check],
      telemetry,
      logger: silent,
    })
    const status = async (address: string, path: string): Promise<number | null> =>
      fetch(`http://${address}:${served.port}${path}`).then(
        (response) => response.status,
        () => null,
      )
    assert.equal(await status('127.0.0.1', '/healthz'), 200)
    assert.equal(await status('127.0.0.1', '/readyz'), 503)
    assert.equal(await status(outside.address, '/healthz'), isReached ? 200 : null)
  }
})

test('a report is told at its own path, and nothing at any other', async () => {
  const reports = { '/revocations': () => ({ stuck: [1] }) }
  const options = { host: '127.0.0.1', port: 0, checks: [], telemetry, logger: silent, reports }
  await using served = await serveHealth(options)
  const get = (path: string) => fetch(`http://127.0.0.1:${served.port}${path}`)
  assert.deepEqual(await (await get('/revocations?x')).json(), { stuck: [1] })
  for (const path of ['/revocation', '/constructor', '/__proto__'])
    assert.equal((await get(path)).status, 404)
})

test('a port that cannot be opened is an error with one clear line', async () => {
  const options = { host: '127.0.0.1', checks: [], telemetry, logger: silent }
  await using first = await serveHealth({ ...options, port: 0 })
  await assert.rejects(serveHealth({ ...options, port: first.port }), {
    code: 'CS_CONFIG_INVALID',
    message: `port ${first.port} is already in use`,
  })
  await assert.rejects(serveHealth({ ...options, host: '192.0.2.1', port: 0 }), {
    code: 'CS_CONFIG_INVALID',
  })
})

/** Seen to fail when the listener for errors at the start is the only one. */
test('an error of a server that listens is told, and ends nothing', async () => {
  const lines: string[] = []
  const logger = { ...silent, error: (_: object, line: string) => void lines.push(line) }
  const server = createServer()
  await listening(server, { port: 0, host: '127.0.0.1', logger })
  server.emit('error', new Error('EMFILE'))
  assert.deepEqual(lines, ['a port that is listened on has a fault'])
  await closed(server)
})
