import { createServer } from 'node:http'
import type { Archive } from '@countersign/archive'
import type { Opener, TokenVerifier } from '@countersign/identity'
import type { Log } from '@countersign/log'
import { answering, closed, listening, type Logger } from '@countersign/runtime'
import { replayApp } from './app.ts'
import { pastIn } from './past.ts'
import { project } from './projection.ts'
import { vaultOf } from './vault.ts'

export type ReplayOptions = {
  log: Log
  logger: Logger
  verify: TokenVerifier
  /** Opens the keys of sessions. */
  open: Opener
  archive: Archive
  host: string
  port: number
  recordBytesMax?: number
}

/** A running replay service. */
export type ReplayHost = AsyncDisposable & {
  readonly port: number
  healthy(): boolean
  readonly failed: Promise<never>
}

/** Serves the API until it is disposed; listens once it has read everything that was in the log at the start. */
export async function serveReplay(options: ReplayOptions): Promise<ReplayHost> {
  const { logger, verify } = options
  const vault = vaultOf(options.open, logger)
  const projection = await project({ ...options, vault, past: pastIn(options) })
  await Promise.race([projection.caughtUp, projection.failed])
  const app = replayApp({ projection, vault, verify, logger })
  const server = createServer(answering('replay', app, logger))
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
