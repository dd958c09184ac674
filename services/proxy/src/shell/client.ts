import type { Socket } from 'node:net'
import { type Clock, deque } from '@countersign/kernel'
import {
  type ClientMessage,
  type Frontend,
  messageUnderWay,
  receive,
  type Request,
  type Violation,
} from '@countersign/postgres-wire'
import type { Net } from '@countersign/runtime'
import { drained } from './drained.ts'
import { type Copies, type Intake, intakeOf, OWN_BYTES } from './intake.ts'
import type { Memory } from './memory.ts'

/** The connection of an agent: messages in, bytes out, with backpressure both ways. */
export type Client = {
  readonly address: string
  /** The next message, without waiting; undefined when none has arrived. Say `done` when it is not needed any more. */
  take(): ClientMessage | Violation | undefined
  /** Says that messages that were taken are done with. */
  done(...messages: readonly ClientMessage[]): void
  /** Resolves when a message may have arrived, or the agent is gone. A large one is read while this is waited for. */
  arrival(): Promise<void>
  /** The same for a caller that holds messages: where they are large, it waits for no memory for more; see `isFull`. */
  follows(): Promise<void>
  /** Says that nobody waits for more at the moment. */
  rest(): void
  /** True if what was taken is large, and there is no memory for the next message. */
  isFull(): boolean
  /** The time of the last part of a message, or of the last memory for one; now while it waits for memory, null before the first. */
  partAtMs(): number | null
  /** True if a large message is on its way for which there is memory. */
  isArriving(): boolean
  /** The wait for memory for the copies that are made of what was taken; null where nothing has to be waited for. */
  copied(): Copies | null
  /** From now on its messages take memory as those of this agent. */
  admit(owner: string, memory: Memory): void
  /** Says that nothing of what was taken is copied any more, and that it will be here for long. */
  lasts(): void
  /** The same of messages that wait for people; false where such have all the memory that there is for them. */
  waits(): boolean
  /**
   * Resolves when all was read that the agent has sent, so that its end would be noticed; with false where there is no memory
   * to read as much.
   */
  heard(): Promise<boolean>
  /** Resolves when a message stopped on its way and others wait for the memory that it has, or one waited too long for memory. */
  readonly stalled: Promise<'stopped' | 'kept waiting'>
  /** Throws away what is here of the agent, and all that still comes: nothing of it is wanted any more. */
  drop(): void
  /** True if the agent's end is closed and every message of it was taken. */
  isGone(): boolean
  /** True if the agent said that it is done, although that message was not taken yet. */
  hasSaidGoodbye(): boolean
  /** Resolves when the connection is closed, whatever still waits to be taken. */
  readonly closed: Promise<void>
  write(bytes: Uint8Array): void
  /** Resolves when the agent has taken what was written, as far as memory is concerned. */
  drained(): Promise<void>
  isCongested(): boolean
  /** Bytes that were written and that the agent has not taken. */
  unreadBytes(): number
  /** Moves the engine on, for example when the agent is authenticated. */
  advance(next: (engine: Frontend) => Frontend): void
  /** Writes and closes. */
  end(bytes?: Uint8Array): void
}

/** Wraps a socket, plain or TLS, on which an engine has begun to read. */
export function clientOn(
  socket: Socket,
  begun: Frontend,
  { net, clock }: { readonly net: Net; readonly clock: Pick<Clock, 'monotonicMs'> },
): Client {
  let engine = begun
  let queue = deque<ClientMessage | Violation>()
  let queuedBytes = 0
  /** Bytes of messages that were taken and are not done with. */
  let takenBytes = 0
  let receivedBytes = 0
  let partAtMs: number | null = null
  /** Since it was last looked whether a message arrives. */
  let hasPaused = true
  let ended = false
  /** The session's loop waits for a message. */
  let isAsked = false
  /** That loop has taken others, and goes on with those rather than wait for memory that their copies may take. */
  let hasOthers = false
  let isWaiting = false
  let isDropped = false
  let intake: Intake | null = null
  let signal = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const stalled = Promise.withResolvers<'stopped' | 'kept waiting'>()
  const wake = (): void => {
    signal.resolve()
    signal = Promise.withResolvers<void>()
  }
  let goodbye: Disposable | null = null
  let looking: Disposable | null = null
  /** True if there is memory to read ahead, until `look` runs again. */
  let isAhead = false
  let arriving: Disposable | null = null
  let looked: PromiseWithResolvers<boolean> | null = null
  const heard = (isAll: boolean): void => {
    looked?.resolve(isAll)
    looked = null
  }
  const readOn = (): void => {
    looking?.[Symbol.dispose]()
    looking = null
    heard(true)
    socket.resume()
  }
  /** Reads on where there is memory for what comes. Before the login the sizes of messages bound it. */
  const regulate = (): void => {
    if (isDropped || intake === null) return
    const { bytes, arrived } = messageUnderWay(engine)
    const held = queuedBytes + takenBytes
    intake.holds(held + arrived, held + (bytes === 0 ? 0 : bytes + MESSAGE_BYTES))
    if (ended) return
    if (isAsked && hasOthers && isFull()) {
      isAsked = false
      wake()
    }
    if (mayRead(intake)) return isAhead ? void socket.resume() : readOn()
    socket.pause()
    isAhead = false
    hasPaused = true
    looking ??= net.every('looking for an agent', LOOK_MS, look)
    if (isAsked && !isWaiting) net.detached('memory for messages', roomFor(intake), broken)
  }
  /**
   * True if there is memory for more. What arrives above it is counted a little later, so behind messages that nobody has taken
   * some must be left: else each slice of a long pipeline would let more in than it takes away.
   */
  const mayRead = (memory: Intake): boolean =>
    queue.length === 0 ? memory.covers() : memory.hasRoom()
  const isFull = (): boolean =>
    takenBytes > OWN_BYTES && queue.length === 0 && intake?.fits() === false
  const asked = (others: boolean): Promise<void> => {
    if (queue.length > 0 || ended) return Promise.resolve()
    isAsked = true
    hasOthers = others
    const { promise } = signal
    regulate()
    return promise
  }
  const roomFor = async (asking: Intake): Promise<void> => {
    isWaiting = true
    await inTime(asking.reserved())
    isWaiting = false
    partAtMs = clock.monotonicMs()
    if (!isAsked) asking.rest()
    regulate()
  }
  const inTime = async (memory: Promise<void>): Promise<void> => {
    using _limit = net.after('memory for messages', WAIT_MS, () => stalled.resolve('kept waiting'))
    await memory
  }
  /** Reads a little more now and then: only by reading it is noticed that the other end is closed. */
  const look = (): void => {
    if (isDropped || intake === null) return
    // There was memory for more, and no more came.
    const isAll = isAhead && intake.hasRoom()
    isAhead = false
    intake.trim()
    if (mayRead(intake)) return readOn()
    isAhead = intake.look()
    if (isAhead) socket.resume()
    if (isAll || !isAhead) heard(isAll)
  }
  const finish = (): void => {
    goodbye?.[Symbol.dispose]()
    looking?.[Symbol.dispose]()
    arriving?.[Symbol.dispose]()
    ended = true
    if (isWaiting) intake?.rest()
    heard(true)
    closed.resolve()
    wake()
  }
  const read = (chunk: Buffer): void => {
    if (isDropped) return
    receivedBytes += chunk.length
    const [next, messages] = receive(engine, chunk)
    engine = next
    if (messageUnderWay(engine).arrived > 0) partAtMs = clock.monotonicMs()
    for (const message of messages) {
      queue.push(message)
      queuedBytes += sizeOf(message)
    }
    if (messages.length > 0) unasked()
    regulate()
    if (queue.last()?.tag === 'Terminate') goodbye ??= net.after('goodbye', GOODBYE_MS, finish)
    if (messages.length > 0) wake()
  }
  const unasked = (): void => {
    isAsked = false
    intake?.arrived()
    if (isWaiting) intake?.rest()
  }
  const broken = (): void => {
    socket.destroy()
    finish()
  }
  const isArriving = (): boolean => intake?.isArriving() === true
  /** Resolves `stalled` where a message that has memory hardly comes while others wait for memory. */
  const lookForArrival = (memory: Memory): Disposable => {
    let lastBytes = 0
    return net.every('looking whether a message arrives', STALL_MS, () => {
      const isSlow = receivedBytes - lastBytes < STALL_BYTES
      if (isArriving() && isSlow && !hasPaused && memory.isWanted()) stalled.resolve('stopped')
      lastBytes = receivedBytes
      hasPaused = socket.isPaused()
    })
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
      takenBytes += sizeOf(message)
      return message
    },
    done(...messages) {
      for (const message of messages) takenBytes -= sizeOf(message)
      regulate()
    },
    arrival: () => asked(false),
    follows: () => asked(true),
    rest() {
      isAsked = false
      intake?.rest()
      regulate()
    },
    admit(owner, memory) {
      // The messages of the login are done with.
      takenBytes = 0
      intake = intakeOf(memory, owner)
      arriving = lookForArrival(memory)
    },
    isFull,
    partAtMs: () => (isWaiting ? clock.monotonicMs() : partAtMs),
    isArriving,
    copied() {
      const copies = intake?.copied(takenBytes) ?? null
      return copies === null ? null : { ...copies, given: inTime(copies.given) }
    },
    lasts() {
      intake?.lasts(takenBytes)
      if (looking !== null) look()
    },
    waits() {
      const isTaken = intake?.waits(takenBytes) ?? true
      if (looking !== null) look()
      return isTaken
    },
    heard() {
      if (looking === null || ended) return Promise.resolve(true)
      looked ??= Promise.withResolvers()
      return looked.promise
    },
    stalled: stalled.promise,
    drop() {
      isDropped = true
      queue = deque()
      intake?.[Symbol.dispose]()
      arriving?.[Symbol.dispose]()
      readOn()
    },
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

/** True if a message is one that an agent may send once it is connected: no startup packet, and no violation. */
export const isRequest = (message: ClientMessage | Violation): message is Request =>
  'raw' in message && !STARTUP_TAGS.has(message.tag)

/** The memory that a message takes, with the objects around its bytes: those are most of it where messages are small. */
const sizeOf = (message: ClientMessage | Violation): number =>
  MESSAGE_BYTES + ('raw' in message ? message.raw.length : 0)

const STARTUP_TAGS: ReadonlySet<string> = new Set([
  'SslRequest',
  'GssEncRequest',
  'Cancel',
  'Startup',
])
/** Measured: a Sync takes 150 bytes beside its own, a Bind 210, a Parse 350. */
export const MESSAGE_BYTES = 350
/** The time between two checks whether an agent is still there while nothing of it is read. */
const LOOK_MS = 1_000
/** The longest wait of a message for memory: its session may keep a row lock that those with the memory wait for. */
const WAIT_MS = 300_000
/** The least that must come of a message on its way in this time, if others wait for memory. */
const STALL_BYTES = 1024 * 1024
const STALL_MS = 10_000
const LINGER_MS = 2_000
/** After this time an agent that said goodbye and stays connected counts as gone: nothing runs or is held for it. */
const GOODBYE_MS = 2_000
