import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { closed, listening } from './health.ts'
import { showCounts } from './show-counts.ts'
import { startTelemetry } from './telemetry.ts'

// Seen to fail when a profile that has none any more is not observed.
test('a count goes back to 0 when there are none any more', async () => {
  const nothing = (): void => undefined
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
  await using telemetry = await startTelemetry('test')
  let counts = new Map([['shop-prod', 2]])
  showCounts({ what: 'things', description: 'Things.' }, () => counts)
  const server = createServer((request, response) => telemetry.serveMetrics(request, response))
  const port = await listening(server, { port: 0, host: '127.0.0.1', logger })
  const shown = async (): Promise<string[]> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    return text.split('\n').filter((line) => line.startsWith('countersign_things'))
  }
  assert.deepEqual(await shown(), ['countersign_things{profile="shop-prod"} 2'])
  counts = new Map([['shop-dev', 1]])
  assert.deepEqual(await shown(), [
    'countersign_things{profile="shop-prod"} 0',
    'countersign_things{profile="shop-dev"} 1',
  ])
  await closed(server)
})
