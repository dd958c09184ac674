import { readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { messageOf, Problem } from '@countersign/kernel'
import {
  answered,
  awaitsAnswer,
  type Cancel,
  type Frontend,
  frontend,
  FRONTEND_LIMITS,
  opensWithTls,
  receive,
  toClient,
} from '@countersign/postgres-wire'
import { listening } from '@countersign/runtime'
import { errorOf } from '../core/refusal.ts'
import { isKeyOf } from './cancel-key.ts'
import { type Client, clientOn } from './client.ts'
import { KEEP_ALIVE } from './keep-alive.ts'
import type { ProxyContext } from './proxy-context.ts'
import { serveSession } from './serve-session.ts'

/** Listens for PostgreSQL clients. Disposing closes the listener only; sessions end by themselves. */
export async function listen(proxy: ProxyContext): Promise<AsyncDisposable & { port: number }> {
  const { config, net } = proxy
  const context = createSecureContext({
    cert: await pem(config.CS_TLS_CERT_FILE),
    key: await pem(config.CS_TLS_KEY_FILE),
    minVersion: 'TLSv1.2',
  })
  const server = createServer({ noDelay: true, ...KEEP_ALIVE })
  const onConnection = (socket: Socket): void => {
    socket.on('error', () => undefined)
    // Counted from the connection, whatever trickles in; left on, it would end sessions that are idle or held.
    const limit = net.after('login limit', config.CS_LOGIN_LIMIT_MS, () => socket.destroy())
    const begun = (): void => limit[Symbol.dispose]()
    socket.once('close', begun)
    const newcomer = { proxy, socket, context, begun }
    net.guarded('connection', begin, () => socket.destroy())(newcomer)
  }
  server.on('connection', net.guarded('connection', onConnection))
  // Connections that have not said yet what they want count too.
  server.maxConnections = config.CS_SESSIONS_MAX + NEWCOMERS_MAX
  const port = await listening(server, {
    port: config.CS_POSTGRES_PORT,
    host: config.CS_POSTGRES_HOST,
    logger: proxy.logger,
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

/** A connection before its session. `begun`: it has said who it is, and its login is timed from there. */
type Newcomer = {
  readonly proxy: ProxyContext
  readonly socket: Socket
  readonly context: SecureContext
  begun(): void
}

/** Plain bytes first: a question about encryption, a cancel request, or TLS at once (PostgreSQL 17 and later). */
function begin(newcomer: Newcomer): void {
  const { proxy, socket } = newcomer
  const limits = { ...FRONTEND_LIMITS, frameBytesMax: proxy.config.CS_FRAME_BYTES_MAX }
  let engine = frontend(limits)
  let isFirst = true
  const read = (chunk: Buffer): void => {
    const [first] = chunk
    if (isFirst && first !== undefined && opensWithTls(first)) {
      socket.off('data', onData)
      socket.pause()
      socket.unshift(chunk)
      secure(newcomer, frontend(limits, 'secured'), true)
      return
    }
    isFirst = false
    const [next, messages] = receive(engine, chunk)
    engine = next
    for (const message of messages) {
      switch (message.tag) {
        case 'SslRequest':
          // Bytes behind it came unencrypted: they are the violation that comes next (CVE-2021-23222).
          if (!awaitsAnswer(engine)) break
          socket.off('data', onData)
          socket.write(toClient.sslAnswer('S'))
          return secure(newcomer, answered(engine, 'S'), false)
        case 'GssEncRequest':
          if (!awaitsAnswer(engine)) break
          engine = answered(engine, 'N')
          socket.write(toClient.sslAnswer('N'))
          break
        case 'Cancel':
          cancel(proxy, message)
          return void socket.end()
        case 'Startup':
          return refuse(
            socket,
            new Problem(
              'CS_TLS_REQUIRED',
              'this port speaks TLS only, because the password is a token',
              { hint: 'Connect with sslmode=verify-full (or at least require).' },
            ),
          )
        case 'Violation':
          return refuse(socket, new Problem('CS_PROTOCOL_VIOLATION', message.detail))
        default:
          return refuse(socket, new Problem('CS_PROTOCOL_VIOLATION', 'unexpected message'))
      }
    }
  }
  const onData = proxy.net.guarded('first bytes', read, () => socket.destroy())
  socket.on('data', onData)
}

function secure(newcomer: Newcomer, engine: Frontend, isDirect: boolean): void {
  const { proxy, socket, context } = newcomer
  const tls = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    ALPNProtocols: ['postgresql'],
  })
  const { net } = proxy
  const end = (): void => {
    tls.destroy()
    socket.destroy()
  }
  const failed = (cause: Error): void => {
    proxy.logger.debug({ reason: messageOf(cause) }, 'a TLS connection failed')
    socket.destroy()
  }
  const secured = (): void => {
    // A client that begins with TLS must say which protocol it means (ALPN), against cross-protocol attacks.
    if (isDirect && tls.alpnProtocol !== 'postgresql') return end()
    net.detached('session', firstMessage(newcomer, clientOn(tls, engine, proxy), tls), end)
  }
  tls.on('error', net.guarded('TLS error', failed, end))
  tls.once('secure', net.guarded('TLS', secured, end))
}

async function firstMessage(newcomer: Newcomer, client: Client, tls: TLSSocket): Promise<void> {
  const { proxy } = newcomer
  await client.arrival()
  const message = client.take()
  if (message === undefined) return client.end()
  if (message.tag === 'Cancel') {
    cancel(proxy, message)
    return client.end()
  }
  if (message.tag !== 'Startup')
    return refuse(tls, new Problem('CS_PROTOCOL_VIOLATION', 'the client did not begin a session'))
  const { CS_SESSIONS_MAX } = proxy.config
  if (proxy.sessions.size >= CS_SESSIONS_MAX) {
    const words = `this proxy holds ${CS_SESSIONS_MAX} sessions, which is its CS_SESSIONS_MAX`
    const hint = 'Close some, or add a proxy.'
    return refuse(tls, new Problem('CS_SESSION_LIMIT', words, { retriable: true, hint }))
  }
  newcomer.begun()
  await serveSession(proxy, client, message)
}

/** Cancels what the session with this key runs, or its hold. Nobody is told whether the key was right. */
function cancel(proxy: ProxyContext, request: Cancel): void {
  for (const handle of proxy.sessions.values()) {
    if (isKeyOf(handle.cancelKey, request)) return handle.cancel()
  }
}

function refuse(socket: Socket, problem: Problem): void {
  const { code, message, hint } = problem
  socket.end(
    toClient.errorResponse(
      errorOf({ code, reason: message, hint, requestId: null, sessionId: null }, 'FATAL'),
    ),
  )
}

async function pem(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new Problem('CS_CONFIG_INVALID', `cannot read a PEM file: ${messageOf(cause)}`, {
      cause,
      hint: 'Set CS_TLS_CERT_FILE and CS_TLS_KEY_FILE to files that this user may read.',
    })
  }
}

/** Connections beyond the sessions: those that log in, cancel, or are told that there are too many. */
const NEWCOMERS_MAX = 500
