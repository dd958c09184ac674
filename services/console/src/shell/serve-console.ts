import { createServer } from 'node:http'
import type { Sealer, TokenVerifier } from '@countersign/identity'
import type { Clock } from '@countersign/kernel'
import type { Log } from '@countersign/log'
import { answering, closed, listening, type Logger } from '@countersign/runtime'
import { consoleApp } from './app.ts'
import { project } from './projection.ts'
import { catalogRoutes } from './routes/catalog.ts'
import { profileRoutes } from './routes/profiles.ts'
import { requestRoutes } from './routes/requests.ts'
import { voteRoutes } from './routes/votes.ts'
import { whoamiRoutes } from './routes/whoami.ts'

export type ConsoleOptions = {
  log: Log
  logger: Logger
  clock: Clock
  verify: TokenVerifier
  /** Seals a token so that only approval can open it. */
  seal: Sealer
  host: string
  port: number
  /** The time that a vote waits for its outcome; 5 s by default. */
  voteLimitMs?: number
}

/** A running console. */
export type ConsoleHost = AsyncDisposable & {
  readonly port: number
  healthy(): boolean
  readonly failed: Promise<never>
}

/** Serves the API until it is disposed; listens once it has read everything that was in the log at the start. */
export async function serveConsole(options: ConsoleOptions): Promise<ConsoleHost> {
  const { log, logger, clock, verify, seal, voteLimitMs = VOTE_LIMIT_MS } = options
  const projection = await project(log, logger)
  await Promise.race([projection.caughtUp, projection.failed])
  const routes = [
    ...requestRoutes(projection, clock),
    ...voteRoutes({ log, projection, seal, clock, voteLimitMs }),
    ...catalogRoutes({ log, projection, clock }),
    ...profileRoutes(projection),
    ...whoamiRoutes(projection),
  ]
  const server = createServer(answering('console', consoleApp({ routes, verify, logger }), logger))
  const port = await listening(server, options)
  return {
    port,
    healthy: projection.healthy,
    failed: projection.failed,
    [Symbol.asyncDispose]: async () => {
      await closed(server)
      await projection[Symbol.asyncDispose]()
    },
  }
}

const VOTE_LIMIT_MS = 5_000
