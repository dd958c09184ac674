import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Server as TcpServer } from 'node:net'
import { Problem } from '@countersign/kernel'
import type { Logger } from './logger.ts'
import { answering, netOn } from './net.ts'
import type { Telemetry } from './telemetry.ts'

/** A check of /readyz: a name, and whether that part can do its work now. */
export type HealthCheck = { readonly name: string; healthy(): boolean }

export type HealthOptions = {
  /** The address to listen on. */
  host: string
  port: number
  checks: readonly HealthCheck[]
  /** Further reports, each served as JSON at its own path. */
  reports?: Readonly<Record<string, () => object>>
  telemetry: Telemetry
  logger: Logger
}

/** Serves /healthz (the process lives), /readyz (it can do its work), /metrics and the reports. */
export async function serveHealth(
  options: HealthOptions,
): Promise<AsyncDisposable & { port: number }> {
  const reports = new Map(Object.entries(options.reports ?? {}))
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const [path = '/'] = (request.url ?? '/').split('?', 1)
    if (path === '/metrics') return options.telemetry.serveMetrics(request, response)
    if (path === '/healthz') return void response.writeHead(200).end('ok\n')
    const report = reports.get(path)
    if (report !== undefined) return told(response, 200, report())
    if (path !== '/readyz') return void response.writeHead(404).end('not found\n')
    const failing = options.checks.filter((check) => !check.healthy()).map((check) => check.name)
    told(response, failing.length === 0 ? 200 : 503, { ready: failing.length === 0, failing })
  }
  const server = createServer(answering('health', answer, options.logger))
  const port = await listening(server, options)
  return { port, [Symbol.asyncDispose]: () => closed(server) }
}

function told(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body)}\n`)
}

/** Listens, or throws a `Problem` that names the port. A later error of the server is logged and ends nothing. */
export async function listening(
  server: TcpServer,
  { port, host, logger }: { port: number; host: string; logger: Logger },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => reject(unusable(port, cause))
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve()
    })
  })
  // The handler stays on: a connection that cannot be accepted, as with too many open files, is no fault of the others.
  const told = (cause: Error): void =>
    logger.error({ port, reason: cause.message }, 'a port that is listened on has a fault')
  server.on('error', netOn(logger).guarded('listener', told))
  // A server that listens on TCP has an address with a port.
  return (server.address() as AddressInfo).port
}

function unusable(port: number, cause: NodeJS.ErrnoException): Problem {
  const reason =
    cause.code === 'EADDRINUSE' ? 'is already in use' : `cannot be opened (${cause.message})`
  return new Problem('CS_CONFIG_INVALID', `port ${port} ${reason}`, {
    cause,
    hint: 'Stop what listens there, or give this service another port.',
  })
}

/** Stops a server, and closes the connections that it still has. */
export async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
