import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { startTelemetry } from './telemetry.ts'
import { traced } from './traced.ts'

// The providers of OpenTelemetry are those of the whole process: `traced.test.ts` has the case without an export.
it('spans are exported to OTEL_EXPORTER_OTLP_ENDPOINT, by the time telemetry is over', async () => {
  const asked: string[] = []
  const collector = createServer((request, response) => {
    asked.push(request.url ?? '')
    request.resume().on('end', () => response.end())
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const { port } = collector.address() as AddressInfo
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${port}`
  {
    await using _telemetry = await startTelemetry('test')
    await traced('something', null, async () => {})
  }
  collector.close()
  assert.deepEqual(asked, ['/v1/traces'])
})
