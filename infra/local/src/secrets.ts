import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { type Certificate, certificateAuthority, serverCertificate } from './certificates.ts'
import { SERVICES } from './services.ts'

/** What an instance keeps secret, made anew each time. */
export type Secrets = {
  /** The Kafka password of each user. */
  readonly kafkaUsers: ReadonlyMap<string, string>
  /** The public keys of all services (JWK Set). */
  readonly sealingKeysFile: string
  sealingKeyFileOf(service: string): string
  readonly proxyCertificate: Certificate
  readonly caFile: string
  readonly tlsDir: string
  readonly maskingKeyFile: string
  /** What `file:<name>` in a connection profile names, for the credential broker. */
  readonly targetSecretsDir: string
}

/** Makes the secrets of an instance in its folder. */
export async function makeSecrets(dir: string): Promise<Secrets> {
  const home = join(dir, 'secrets')
  const tlsDir = join(dir, 'tls')
  const targetSecretsDir = join(home, 'targets')
  await mkdir(targetSecretsDir, { recursive: true, mode: 0o700 })
  const sealingKeyFileOf = (service: string): string => join(home, `${service}.sealing.jwk`)
  const sealingKeysFile = join(home, 'sealing-keys.jwks')
  const maskingKeyFile = join(home, 'masking.key')
  const keys = await Promise.all(
    SERVICES.map((service) => sealingKey(service, sealingKeyFileOf(service))),
  )
  await writeFile(sealingKeysFile, JSON.stringify({ keys }, null, 2))
  await writeFile(maskingKeyFile, randomBytes(32).toString('hex'), { mode: 0o600 })
  const ca = await certificateAuthority(tlsDir)
  return {
    kafkaUsers: new Map([...KAFKA_USERS].map((user) => [user, randomBytes(18).toString('hex')])),
    sealingKeysFile,
    sealingKeyFileOf,
    proxyCertificate: await serverCertificate(tlsDir, 'proxy'),
    caFile: ca.certFile,
    tlsDir,
    maskingKeyFile,
    targetSecretsDir,
  }
}

/** Writes the private key and gives the public one. */
async function sealingKey(service: string, file: string): Promise<JWK> {
  const pair = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true })
  const common = { kid: service, alg: 'ECDH-ES+A256KW', use: 'enc' }
  await writeFile(file, JSON.stringify({ ...(await exportJWK(pair.privateKey)), ...common }), {
    mode: 0o600,
  })
  return { ...(await exportJWK(pair.publicKey)), ...common }
}

/** One user for each service; `admin` provisions, `observer` reads for tests. */
export const KAFKA_USERS = ['admin', ...SERVICES, 'observer'] as const
