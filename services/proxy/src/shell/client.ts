import type { Socket } from 'node:net'
import { deque } from '@countersign/kernel'
import {
  type ClientMessage,
  type Frontend,
  receive,
  type Request,
  type Violation,
} from '@countersign/postgres-wire'
import type { Net } from '@countersign/runtime'
import { drained } from './drained.ts'

/** The connection of an agent: messages in, bytes out, with backpressure both ways. */
export type Client = {
  readonly address: string
  /** The next message, without waiting; undefined when none has arrived. */
  take(): ClientMessage | Violation | undefined
  /** Resolves when a message may have arrived, or the agent is gone. */
  arrival(): Promise<void>
  /** Whether the agent's end is closed and every message of it was taken. */
  isGone(): boolean
  /** Whether the agent said that it is done, although that message was not taken yet. */
  hasSaidGoodbye(): boolean
  /** Resolves when the connection is closed, whatever still waits to be taken. */
  readonly closed: Promise<void>
  write(bytes: Uint8Array): void
  /** Resolves when the agent has taken what was written, as far as memory is concerned. */
  drained(): Promise<void>
  isCongested(): boolean
  /** How much was written that the agent has not taken. */
  unreadBytes(): number
  /** Moves the engine on, for example when the agent is authenticated. */
  advance(next: (engine: Frontend) => Frontend): void
  /** Writes and closes. */
  end(bytes?: Uint8Array): void
}

/** Wraps a socket, plain or TLS, on which an engine has begun to read. */
export function clientOn(socket: Socket, begun: Frontend, net: Net): Client {
  let engine = begun
  let queuedBytes = 0
  let ended = false
  const queue = deque<ClientMessage | Violation>()
  let signal = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const wake = (): void => {
    signal.resolve()
    signal = Promise.withResolvers<void>()
  }
  let goodbye: Disposable | null = null
  let looking: Disposable | null = null
  /** Only who reads learns that the other end is closed: so a little more is read now and then. */
  const look = (): void => {
    if (queuedBytes < LOOKED_BYTES_MAX && queue.length < LOOKED_MESSAGES_MAX) socket.resume()
  }
  const readOn = (): void => {
    looking?.[Symbol.dispose]()
    looking = null
    socket.resume()
  }
  const finish = (): void => {
    goodbye?.[Symbol.dispose]()
    looking?.[Symbol.dispose]()
    ended = true
    closed.resolve()
    wake()
  }
  const read = (chunk: Buffer): void => {
    const [next, messages] = receive(engine, chunk)
    engine = next
    for (const message of messages) {
      queue.push(message)
      queuedBytes += sizeOf(message)
    }
    if (queuedBytes > QUEUED_BYTES_MAX || queue.length > QUEUED_MESSAGES_MAX) {
      socket.pause()
      looking ??= net.every('looking for an agent', LOOK_MS, look)
    }
    if (queue.last()?.tag === 'Terminate') goodbye ??= net.after('goodbye', GOODBYE_MS, finish)
    if (messages.length > 0) wake()
  }
  const broken = (): void => {
    socket.destroy()
    finish()
  }
  socket.on('data', net.guarded('bytes of an agent', read, broken))
  const ends = net.guarded('end of an agent', finish)
  socket.on('end', ends)
  socket.on('close', ends)
  socket.on('error', ends)
  return {
    address: `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`,
    closed: closed.promise,
    take() {
      const message = queue.shift()
      if (message === undefined) return undefined
      queuedBytes -= sizeOf(message)
      if (
        socket.isPaused() &&
        queuedBytes <= QUEUED_BYTES_MAX / 2 &&
        queue.length <= QUEUED_MESSAGES_MAX / 2
      )
        readOn()
      return message
    },
    arrival: () => (queue.length > 0 || ended ? Promise.resolve() : signal.promise),
    hasSaidGoodbye: () => queue.last()?.tag === 'Terminate',
    isGone: () => ended && queue.length === 0,
    write(bytes) {
      if (!socket.destroyed && bytes.length > 0) socket.write(bytes)
    },
    isCongested: () => socket.writableNeedDrain,
    unreadBytes: () => (socket.destroyed ? 0 : socket.writableLength),
    drained: () => drained(socket),
    advance(next) {
      engine = next(engine)
    },
    end(bytes) {
      if (socket.destroyed) return
      if (bytes === undefined) socket.end()
      else socket.end(bytes)
      const linger = net.after('goodbye', LINGER_MS, () => socket.destroy())
      socket.once('close', () => linger[Symbol.dispose]())
    },
  }
}

/** What a message that the agent may send while it is connected looks like. */
export const isRequest = (message: ClientMessage | Violation): message is Request =>
  'raw' in message && !STARTUP_TAGS.has(message.tag)

const sizeOf = (message: ClientMessage | Violation): number =>
  'raw' in message ? message.raw.length : 64

const STARTUP_TAGS: ReadonlySet<string> = new Set([
  'SslRequest',
  'GssEncRequest',
  'Cancel',
  'Startup',
])
const QUEUED_BYTES_MAX = 4 * 1024 * 1024
const QUEUED_MESSAGES_MAX = 10_000
/** How much is queued at most by looking whether the agent is still there. Above it, the end of what runs tells. */
const LOOKED_BYTES_MAX = 8 * 1024 * 1024
const LOOKED_MESSAGES_MAX = 50_000
const LOOK_MS = 1_000
const LINGER_MS = 2_000
/** Who said goodbye and stays all the same is as gone as who closed: nothing runs or is held for it any more. */
const GOODBYE_MS = 2_000
