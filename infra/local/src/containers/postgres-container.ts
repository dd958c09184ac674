import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Problem } from '@countersign/kernel'
import {
  adminUrlOf,
  answers,
  certificates,
  INITDB,
  type PostgresOptions,
  SETTINGS,
} from '../postgres.ts'
import { type Running, startContainer } from './container.ts'

/** A PostgreSQL in a container, with the facts that a test may know of one wherever it runs. */
export type PostgresInContainer = Running & {
  readonly port: number
  readonly adminUrl: string
  readonly caFile: string
  readonly logFile: string
}

/** Starts PostgreSQL in a container with the settings of the local one; its log is followed into the same file. */
export async function startPostgresContainer(
  image: string,
  { dir, port, tlsDir = join(dir, 'tls') }: PostgresOptions,
): Promise<PostgresInContainer> {
  const logFile = join(dir, 'postgres.log')
  const [ca, { certFile, keyFile }] = await certificates(tlsDir)
  const password = randomBytes(24).toString('hex')
  const running = await startContainer({
    image,
    port,
    logFile,
    with: (container) =>
      container
        .withEntrypoint(['/bin/sh', '-c', START, 'start'])
        .withCommand(['postgres', ...settings(port)])
        .withEnvironment({ POSTGRES_PASSWORD: password, POSTGRES_INITDB_ARGS: INITDB.join(' ') })
        .withCopyFilesToContainer([
          { source: certFile, target: `${GIVEN}/server.crt`, mode: 0o444 },
          { source: keyFile, target: `${GIVEN}/server.key`, mode: 0o400 },
        ])
        .withCopyContentToContainer([
          { content: HBA, target: `${GIVEN}/pg_hba.conf`, mode: 0o444 },
        ]),
  })
  const adminUrl = adminUrlOf({ password, port, caFile: ca.certFile })
  if (!(await answers(adminUrl, () => true))) {
    await running.stop()
    throw new Problem('CS_CONFIG_INVALID', 'PostgreSQL in a container took no login', {
      hint: `See ${logFile}.`,
    })
  }
  return { ...running, port, adminUrl, caFile: ca.certFile, logFile }
}

const settings = (port: number): string[] =>
  Object.entries({
    ...SETTINGS,
    listen_addresses: '*',
    // The entry point of the image prepares the server through this socket.
    unix_socket_directories: '/var/run/postgresql',
    port,
    hba_file: `${GIVEN}/pg_hba.conf`,
    ssl_cert_file: `${GIVEN}/server.crt`,
    ssl_key_file: KEY,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])

const GIVEN = '/etc/countersign'
const KEY = '/var/lib/postgresql/server.key'
/** Seen from inside, every client has the address of the gateway of the engine's network. */
const HBA = 'local all all scram-sha-256\nhostssl all all all scram-sha-256\n'
/** PostgreSQL takes a private key only from its own user, and a file copied into a container belongs to root. */
const START = `
install -o postgres -g postgres -m 600 ${GIVEN}/server.key ${KEY} &&
exec docker-entrypoint.sh "$@"
`
