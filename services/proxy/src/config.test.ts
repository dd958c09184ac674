import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyConfig } from './config.ts'

const ENVIRONMENT = {
  KAFKA_BROKERS: '127.0.0.1:9',
  CS_HEALTH_PORT: '1',
  CS_POSTGRES_PORT: '2',
  CS_TLS_CERT_FILE: 'cert',
  CS_TLS_KEY_FILE: 'key',
  CS_MASKING_KEY_FILE: 'masking',
  CS_SEALING_KEYS_FILE: 'sealing',
  CS_OIDC_ISSUER: 'https://issuer.example',
}
const MIB = 1024 * 1024

test('the data of one COPY fit into what an agent may have of the memory, or the proxy does not start', () => {
  const started = (copyMiB: number, memoryMiB: number): number =>
    proxyConfig({
      ...ENVIRONMENT,
      CS_COPY_DATA_BYTES_MAX: String(copyMiB * MIB),
      CS_MEMORY_BYTES_MAX: String(memoryMiB * MIB),
    }).CS_COPY_DATA_BYTES_MAX
  const refused = (copyMiB: number, memoryMiB: number, bytesMax: number): void =>
    assert.throws(() => started(copyMiB, memoryMiB), {
      code: 'CS_CONFIG_INVALID',
      message: new RegExp(`^CS_COPY_DATA_BYTES_MAX is .* at most ${bytesMax}: 16 MiB, and a 24th`),
    })
  assert.equal(proxyConfig(ENVIRONMENT).CS_COPY_DATA_BYTES_MAX, MIB)
  assert.equal(started(1, 24), MIB)
  refused(1, 23, Math.floor((23 * MIB) / 24))
  assert.equal(started(16, 1_024), 16 * MIB)
  refused(17, 1_024, 16 * MIB)
})
