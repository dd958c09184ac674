import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { serveHealth } from './health.ts'

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
