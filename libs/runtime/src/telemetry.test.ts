import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { promisify } from 'node:util'

// The providers of OpenTelemetry are global to a process, so this test runs them in a process of its own.
it('spans are exported to OTEL_EXPORTER_OTLP_ENDPOINT, by the time telemetry is over', async () => {
  const asked: string[] = []
  const collector = createServer((request, response) => {
    asked.push(request.url ?? '')
    request.resume().on('end', () => response.end())
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const { port } = collector.address() as AddressInfo
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
  })
  collector.close()
  assert.deepEqual(asked, ['/v1/traces'])
})

const PROGRAM = `
  import { startTelemetry } from '${import.meta.resolve('./telemetry.ts')}'
  import { traced } from '${import.meta.resolve('./traced.ts')}'
  await using _telemetry = await startTelemetry('test')
  await traced('something', null, async () => {})
`
