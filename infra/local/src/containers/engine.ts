import { existsSync } from 'node:fs'
import { request } from 'node:http'

/** The answer of a container engine on this machine, with the line to say about it. */
export type Engine = { readonly answers: boolean; readonly because: string }

/** Asks the engine once for each process: it is there for all tests of a file, or for none. */
export const engine = (): Promise<Engine> => (known ??= engineAt(socketOf(process.env)))

/** Asks the engine behind a socket whether it is there. */
export async function engineAt(socket: string | null): Promise<Engine> {
  if (socket === null) return { answers: false, because: 'DOCKER_HOST names no socket' }
  if (!existsSync(socket)) return { answers: false, because: `there is no ${socket}` }
  return (await ping(socket))
    ? { answers: true, because: `an engine answers on ${socket}` }
    : { answers: false, because: `no engine answers on ${socket}` }
}

/** The socket of the engine; null where it is elsewhere, since the ports of such an engine are not on our loopback. */
export function socketOf(env: NodeJS.ProcessEnv): string | null {
  const host = env['DOCKER_HOST']
  if (host === undefined || host === '') return '/var/run/docker.sock'
  return host.startsWith(UNIX) ? host.slice(UNIX.length) : null
}

function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    // An engine that is stuck still takes connections.
    const signal = AbortSignal.timeout(PING_LIMIT_MS)
    const asked = request({ socketPath, path: '/_ping', signal }, (answer) => {
      answer.resume()
      answer.once('error', () => undefined)
      resolve(answer.statusCode === 200)
    })
    asked.once('error', () => resolve(false))
    asked.end()
  })
}

let known: Promise<Engine> | undefined
const UNIX = 'unix://'
const PING_LIMIT_MS = 500
