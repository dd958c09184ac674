import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asOtherUser, type Child, listensOn, startChild, type System } from '@countersign/local'
import { agentEnvironment } from '../support/agent.ts'

/** The three ways to the same database: libpq's environment for each. */
export type Paths = Readonly<Record<PathName, Readonly<Record<string, string>>>>
export type PathName = 'direct' | 'pgbouncer' | 'countersign'
export const PATHS: readonly PathName[] = ['direct', 'pgbouncer', 'countersign']

/** A record with one value for each path. */
export const byPath = <T>(of: (path: PathName) => T): Record<PathName, T> => ({
  direct: of('direct'),
  pgbouncer: of('pgbouncer'),
  countersign: of('countersign'),
})

/** Opens the three paths. All of them speak TLS on both sides, as Countersign must. */
export async function openPaths(system: System): Promise<Paths & AsyncDisposable> {
  const countersign = await agentEnvironment(system, { profile: 'shop-dev' })
  const admin = new URL(system.postgres.adminUrl)
  const direct = {
    ...countersign,
    PGPORT: admin.port,
    PGUSER: admin.username,
    PGPASSWORD: decodeURIComponent(admin.password),
    PGDATABASE: 'shop_dev',
  }
  const port = system.instance.ports.base + 632
  const bouncer = await startPgBouncer(system, port)
  return {
    direct,
    pgbouncer: { ...direct, PGPORT: String(port) },
    countersign,
    [Symbol.asyncDispose]: () => bouncer.stop(),
  }
}

/** PgBouncer in session mode: no parsing, no record, one connection at the target for each client. */
async function startPgBouncer(system: System, port: number): Promise<Child> {
  const { dir } = system.instance
  const admin = new URL(system.postgres.adminUrl)
  const file = join(dir, 'pgbouncer.ini')
  const password = decodeURIComponent(admin.password)
  await writeFile(
    file,
    `[databases]
shop_dev = host=127.0.0.1 port=${admin.port} dbname=shop_dev user=${admin.username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = session
max_client_conn = 500
default_pool_size = 100
log_connections = 0
log_disconnections = 0
client_tls_sslmode = require
client_tls_cert_file = ${join(system.secrets.tlsDir, 'proxy.crt')}
client_tls_key_file = ${join(system.secrets.tlsDir, 'proxy.key')}
server_tls_sslmode = verify-full
server_tls_ca_file = ${system.caFile}
`,
    { mode: 0o600 },
  )
  const [program = 'pgbouncer', ...args] = [...(await asOtherUser()), 'pgbouncer', file]
  const child = startChild({ dir, name: 'pgbouncer', file: program, args, stopSignal: 'SIGINT' })
  if (await listensOn(port, START_LIMIT_MS, child.running)) return child
  await child.stop()
  throw new Error(`PgBouncer did not start:\n${child.lastLines()}`)
}

const START_LIMIT_MS = 5_000
