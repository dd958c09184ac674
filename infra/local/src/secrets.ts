import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { type Certificate, certificateAuthority, serverCertificate } from './certificates.ts'
import { SERVICES } from './services.ts'

/** The secrets of an instance. */
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
  /** The folder of the secrets that connection profiles name as `file:<name>`, for the credential broker. */
  readonly targetSecretsDir: string
}

/** The secrets of an instance in its folder: those that are there, and new ones for the rest. */
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
  if (!existsSync(maskingKeyFile))
    await writeFile(maskingKeyFile, randomBytes(32).toString('hex'), { mode: 0o600 })
  const ca = await certificateAuthority(tlsDir)
  return {
    kafkaUsers: await kafkaPasswords(join(home, 'kafka-users.json')),
    sealingKeysFile,
    sealingKeyFileOf,
    proxyCertificate: await serverCertificate(tlsDir, 'proxy'),
    caFile: ca.certFile,
    tlsDir,
    maskingKeyFile,
    targetSecretsDir,
  }
}

/** A password for each user, also for those that a newer version has. */
async function kafkaPasswords(file: string): Promise<ReadonlyMap<string, string>> {
  const known: Record<string, string> = existsSync(file)
    ? JSON.parse(await readFile(file, 'utf8'))
    : {}
  const all = KAFKA_USERS.map((user): [string, string] => [
    user,
    known[user] ?? randomBytes(18).toString('hex'),
  ])
  await writeFile(file, JSON.stringify(Object.fromEntries(all), null, 2), { mode: 0o600 })
  return new Map(all)
}

/** Writes the private key where there is none, and gives the public one. */
async function sealingKey(service: string, file: string): Promise<JWK> {
  if (existsSync(file)) {
    const { d: _private, ...publicKey }: JWK = JSON.parse(await readFile(file, 'utf8'))
    return publicKey
  }
  const pair = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true })
  const common = { kid: service, alg: 'ECDH-ES+A256KW', use: 'enc' }
  await writeFile(file, JSON.stringify({ ...(await exportJWK(pair.privateKey)), ...common }), {
    mode: 0o600,
  })
  return { ...(await exportJWK(pair.publicKey)), ...common }
}

/** One user for each service; `admin` provisions, `audit` is for readers of the log, `observer` reads for tests. */
export const KAFKA_USERS = ['admin', ...SERVICES, 'audit', 'observer'] as const
