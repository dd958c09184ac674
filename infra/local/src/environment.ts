import { join } from 'node:path'
import { COMPILED } from './paths.ts'
import type { Ports } from './ports.ts'
import type { Secrets } from './secrets.ts'
import { SERVICES, type ServiceName } from './services.ts'

export type Surroundings = {
  dir: string
  ports: Ports
  secrets: Secrets
  brokers: string
  issuer: string
}

/** The settings of a service of an instance. */
export function environmentOf(service: ServiceName, around: Surroundings): Record<string, string> {
  const { secrets, ports } = around
  return {
    NODE_OPTIONS:
      service === 'proxy'
        ? '--max-semi-space-size=16 --max-old-space-size=384'
        : '--max-semi-space-size=8 --max-old-space-size=192',
    NODE_COMPILE_CACHE: COMPILED,
    KAFKA_BROKERS: around.brokers,
    KAFKA_USERNAME: service,
    KAFKA_PASSWORD: secrets.kafkaUsers.get(service) ?? '',
    CS_HEALTH_PORT: String(ports.health(SERVICES.indexOf(service))),
    CS_OIDC_ISSUER: around.issuer,
    CS_OIDC_AUDIENCE: 'countersign',
    CS_SEALING_KEY_FILE: secrets.sealingKeyFileOf(service),
    CS_SEALING_KEYS_FILE: secrets.sealingKeysFile,
    CS_LOG_LEVEL: process.env['CS_LOG_LEVEL'] ?? 'info',
    CS_SESSION_TIMEOUT_MS: '1500',
    CS_STOP_WITH_STDIN: 'true',
    ...own(service, around),
  }
}

function own(service: ServiceName, { dir, ports, secrets }: Surroundings): Record<string, string> {
  switch (service) {
    case 'proxy':
      return {
        CS_POSTGRES_PORT: String(ports.proxyPostgres),
        CS_TLS_CERT_FILE: secrets.proxyCertificate.certFile,
        CS_TLS_KEY_FILE: secrets.proxyCertificate.keyFile,
        CS_TARGET_CA_FILE: secrets.caFile,
        CS_MASKING_KEY_FILE: secrets.maskingKeyFile,
        CS_LEASE_MS: '10000',
        // Requests that are held when everything stops would wait for people: the supervisor kills after 10 s.
        CS_DRAIN_MS: '3000',
        CS_CONSOLE_URL: `http://127.0.0.1:${ports.console}`,
      }
    case 'credential-broker':
      return { CS_SECRETS_DIR: secrets.targetSecretsDir, CS_TARGET_CA_FILE: secrets.caFile }
    case 'recorder':
      return { CS_ARCHIVE_DIR: join(dir, 'archive') }
    case 'replay':
      return { CS_ARCHIVE_DIR: join(dir, 'archive'), CS_HTTP_PORT: String(ports.replay) }
    case 'console':
      return { CS_HTTP_PORT: String(ports.console) }
    case 'policy':
    case 'approval':
    case 'masking':
      return {}
  }
}
