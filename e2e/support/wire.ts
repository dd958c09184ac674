import { readFile } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import { Secret } from '@countersign/kernel'
import {
  backendKeyOf,
  type BackendKey,
  cellsOf,
  commandTagOf,
  errorFieldsOf,
  parameterStatusOf,
  receiveServer,
  type ServerFrame,
  serverSide,
  toServer,
  transactionStatusOf,
} from '@countersign/postgres-wire'
import type { System } from '@countersign/local'

/** An agent that speaks the protocol byte by byte, so that tests can send messages that no driver would send. */
export type Wire = {
  readonly socket: TLSSocket
  readonly key: BackendKey
  /** The parameter statuses of the login. */
  readonly parameters: ReadonlyMap<string, string>
  /** Sends bytes as they are. */
  send(...bytes: readonly Uint8Array[]): void
  /** The frames up to and including the next ReadyForQuery. */
  ready(): Promise<ServerFrame[]>
  /** The next frame of one of these types, and everything before it. */
  until(...tags: readonly ServerFrame['tag'][]): Promise<ServerFrame[]>
  /** Resolves when the connection is over; `until` still gives the frames that came before. */
  readonly closed: Promise<void>
  end(): void
}

export type LoginOptions = {
  /** The token to log in with; a new one by default. */
  readonly token?: string
  /** More parameters of the StartupMessage. */
  readonly startup?: readonly (readonly [string, string])[]
}

export type WireOptions = LoginOptions & {
  /** Called with all bytes that the proxy sends behind TLS. */
  readonly onBytes?: (bytes: Buffer) => void
}

/** A TCP connection to the proxy on which nothing was sent yet. */
export async function openTcp(system: System): Promise<Socket> {
  const socket = connectTcp(system.instance.ports.proxyPostgres, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  return socket
}

/** A TLS connection to the proxy, before the StartupMessage. */
export async function openTls(system: System): Promise<TLSSocket> {
  const tcp = await openTcp(system)
  tcp.write(toServer.sslRequest())
  const [answer]: unknown[] = await once(tcp, 'data')
  if (!Buffer.isBuffer(answer) || answer.toString() !== 'S') throw new Error('TLS was not offered')
  const ca = await readFile(system.caFile)
  const tls = connectTls({ socket: tcp, ca, checkServerIdentity: () => undefined })
  tls.on('error', () => undefined)
  UNDER_TLS.set(tls, tcp)
  await once(tls, 'secureConnect')
  return tls
}

/** Resets a connection (TCP RST), as a kernel does that no longer knows of it. */
export function reset(tls: TLSSocket): void {
  UNDER_TLS.get(tls)?.resetAndDestroy()
}

const UNDER_TLS = new WeakMap<TLSSocket, Socket>()

/** The StartupMessage and the password of an agent. */
export async function loginBytes(
  system: System,
  profile: string,
  { token, startup: more = [] }: LoginOptions = {},
): Promise<[Buffer, Buffer]> {
  const agent = 'ci-deploy'
  const startup = toServer.startupMessage(
    new Map([['user', agent], ['database', profile], ...more]),
  )
  const password = new Secret(token ?? (await system.tokenFor(agent)))
  return [startup, toServer.passwordMessage(password)]
}

/** Opens a session and logs in. */
export async function openWire(
  system: System,
  profile: string,
  options: WireOptions = {},
): Promise<Wire> {
  const socket = await openTls(system)
  if (options.onBytes !== undefined) socket.on('data', options.onBytes)
  const inbox = frames(socket)
  const [startup, password] = await loginBytes(system, profile, options)
  socket.write(startup)
  await inbox.until('R')
  socket.write(password)
  const greeting = await inbox.until('Z')
  const key = backendKeyOf(only(greeting, 'K'))
  if (!key.ok) throw new Error('no key')
  return {
    socket,
    key: key.value,
    parameters: new Map(
      greeting.flatMap((frame) => {
        const status = frame.tag === 'S' ? parameterStatusOf(frame) : null
        return status?.ok === true ? [[status.value.name, status.value.value] as const] : []
      }),
    ),
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    ready: () => inbox.until('Z'),
    until: inbox.until,
    closed: inbox.closed,
    end: () => socket.destroy(),
  }
}

/** Cancels the running statement of a session, and returns when the proxy has closed the cancel connection. */
export async function cancel(system: System, { key }: Pick<Wire, 'key'>): Promise<void> {
  const tls = await openTls(system)
  tls.resume()
  tls.write(toServer.cancelRequest(key))
  await once(tls, 'close')
}

/** A statement as a group of the extended protocol, without Sync. */
export const group = (sql: string, ...values: readonly string[]): Buffer =>
  Buffer.concat([
    toServer.parse('', sql),
    toServer.bind({ values: values.map((value) => Buffer.from(value)) }),
    toServer.describe('portal'),
    toServer.execute(),
  ])

/** Received frames as words that can be compared: no notices, statuses or message texts, and no content of row descriptions. */
export function told(received: readonly ServerFrame[]): string[] {
  return received.flatMap((frame) => {
    switch (frame.tag) {
      case 'D': {
        const cells = cellsOf(frame)
        return [
          `row ${cells.ok ? cells.value.map((cell) => cell?.toString() ?? 'null').join(',') : '?'}`,
        ]
      }
      case 'C': {
        const tag = commandTagOf(frame)
        return [`done ${tag.ok ? tag.value : '?'}`]
      }
      case 'E':
        return [`error ${fieldOf(frame, 'C')}`]
      case 'Z': {
        const status = transactionStatusOf(frame)
        return [`ready ${status.ok ? status.value : '?'}`]
      }
      case 'N':
      case 'S':
        return []
      default:
        return [frame.tag]
    }
  })
}

/** One field of an error or a notice: C is the SQLSTATE, M the message. */
export function fieldOf(frame: ServerFrame, letter: string): string {
  const fields = errorFieldsOf(frame)
  return fields.ok ? (fields.value.get(letter) ?? '') : ''
}

/** The first frame of this type. */
export function only(received: readonly ServerFrame[], tag: ServerFrame['tag']): ServerFrame {
  const found = received.find((frame) => frame.tag === tag)
  if (found === undefined)
    throw new Error(`there is no ${tag} in ${received.map((frame) => frame.tag).join('')}`)
  return found
}

/** The frames that arrive on a socket. */
export function frames(socket: Socket): Pick<Wire, 'until' | 'closed'> {
  let side = serverSide()
  const queue: ServerFrame[] = []
  let isClosed = false
  let signal = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const wake = (): void => {
    signal.resolve()
    signal = Promise.withResolvers<void>()
  }
  socket.on('data', (chunk: Buffer) => {
    const [next, received] = receiveServer(side, chunk)
    side = next
    for (const frame of received) if (frame.tag !== 'Violation') queue.push(frame)
    wake()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isClosed = true
    closed.resolve()
    wake()
  })
  return {
    closed: closed.promise,
    async until(...tags) {
      const limit = setTimeout(() => socket.destroy(), UNTIL_LIMIT_MS)
      let looked = 0
      const isOneOf = (frame: ServerFrame | undefined): boolean =>
        frame !== undefined && tags.includes(frame.tag)
      try {
        for (;;) {
          for (; looked < queue.length; looked++)
            if (isOneOf(queue[looked])) return queue.splice(0, looked + 1)
          if (isClosed) throw new Error(`closed before ${tags.join()}; it said ${lastWords(queue)}`)
          await signal.promise
        }
      } finally {
        clearTimeout(limit)
      }
    },
  }
}

const lastWords = (queue: readonly ServerFrame[]): string =>
  [...told(queue.slice(-10)), ...queue.filter(({ tag }) => tag === 'E').map((e) => fieldOf(e, 'M'))]
    .join(' | ')
    .slice(0, 500)

const UNTIL_LIMIT_MS = 60_000
