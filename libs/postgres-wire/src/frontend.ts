import { codecOf, HEADER_BYTES, type Password, type Request } from './client-messages.ts'
import { bufferOf, cutFrame, type Framing, type Held, NOTHING } from './framing.ts'
import { sync } from './to-server.ts'
import { decodeStartupPacket, type StartupPacket } from './startup-packet.ts'
import { type Violation, violation, type ViolationReason } from './violation.ts'

/** The agent's side of one connection: the phase, which tells the legal messages, and the bytes that are no message yet. */
export type Frontend = {
  readonly phase: Phase
  readonly held: Held
  readonly framings: Readonly<Record<ReadingPhase, Framing<ViolationReason>>>
}

export type ClientMessage = StartupPacket | Password | Request

/**
 * `asked`: encryption was asked for, and the client must wait for the answer. `declined`: it was asked for in a way that is
 * not spoken here; it may be asked for in another. `secured`: inside TLS, where it is not asked for again. `verifying`: the
 * password came, and the client must wait for the answer to it. `closed`: the client left. `broken`: it violated the
 * protocol. The last two read nothing more.
 */
export type Phase =
  | 'startup'
  | 'asked'
  | 'declined'
  | 'secured'
  | 'authenticating'
  | 'verifying'
  | 'ready'
  | 'closed'
  | 'broken'

export type FrontendLimits = {
  /** Messages that carry statements or data. */
  readonly frameBytesMax: number
  /** Messages that carry at most a name. */
  readonly smallFrameBytesMax: number
  /** Packets before authentication begins. */
  readonly startupBytesMax: number
  /** Answers to a request for authentication; tokens may be long. */
  readonly authenticationBytesMax: number
}

/** The limits that PostgreSQL has, but for statements and data. */
export const FRONTEND_LIMITS: FrontendLimits = {
  frameBytesMax: 16 * 1024 * 1024,
  smallFrameBytesMax: 10_000,
  startupBytesMax: 10_000,
  authenticationBytesMax: 65_535,
}

/** A new connection. `phase` is `secured` when TLS came first, without an SSLRequest. */
export const frontend = (
  limits: FrontendLimits = FRONTEND_LIMITS,
  phase: 'startup' | 'secured' = 'startup',
): Frontend => ({ phase, held: NOTHING, framings: framingsOf(limits) })

/**
 * Bytes in, messages out. No socket, no clock; splitting the bytes never changes the messages. Messages are views of the
 * chunk, which must not be written to afterwards.
 */
export function receive(
  engine: Frontend,
  chunk: Uint8Array,
): [Frontend, (ClientMessage | Violation)[]] {
  const bytes = bufferOf(chunk)
  const messages: (ClientMessage | Violation)[] = []
  let { phase, held } = engine
  let at = 0
  while (isReading(phase) && at < bytes.length) {
    const cut = cutFrame(held, bytes, at, engine.framings[phase])
    if (cut.status === 'waiting') return [{ ...engine, phase, held: cut.held }, messages]
    const message =
      cut.status === 'refused' ? violation(cut.reason) : legal(phase, decoded(phase, cut.frame))
    messages.push(message)
    // PostgreSQL is done with skipping at a Sync before it looks at its body.
    if (message.tag === 'Malformed' && message.of === 'Sync') messages.push(SYNC)
    phase = nextPhase(phase, message)
    held = NOTHING
    at = cut.status === 'frame' ? cut.next : bytes.length
  }
  return [{ ...engine, phase, held }, messages]
}

/** The message whose header came and that is not complete: its size, and how much of it is here; 0 of both where there is none. */
export function messageUnderWay({ phase, held, framings }: Frontend): {
  readonly bytes: number
  readonly arrived: number
} {
  if (!isReading(phase) || held.length < framings[phase].headerBytes) return NO_MESSAGE
  const bytes = framings[phase].sizeOf(held.store.bytes, 0)
  return typeof bytes === 'string' ? NO_MESSAGE : { bytes, arrived: held.length }
}

/**
 * Notes our answer to the request for encryption. After `S` everything that is received comes out of TLS. Nothing more is
 * read of a client that did not wait for the answer: look at `awaitsAnswer` before you answer.
 */
export const answered = (engine: Frontend, answer: 'S' | 'N'): Frontend =>
  awaitsAnswer(engine) ? { ...engine, phase: answer === 'S' ? 'secured' : 'declined' } : engine

/** True if the client asked for encryption, and has sent nothing since. */
export const awaitsAnswer = ({ phase }: Frontend): boolean => phase === 'asked'

/** The client proved its identity: lets it send requests, unless it left meanwhile, or did not wait for this. */
export const authenticated = (engine: Frontend): Frontend =>
  engine.phase === 'verifying' ? { ...engine, phase: 'ready' } : engine

/** True if a connection that begins with this byte begins with a TLS handshake (PostgreSQL 17 and later). */
export const opensWithTls = (firstByte: number): boolean => firstByte === 0x16

/** Every legal step of a client. A step that this table does not name is a violation. */
const NEXT: Readonly<Record<Phase, Readonly<Partial<Record<ClientMessage['tag'], Phase>>>>> = {
  startup: {
    SslRequest: 'asked',
    GssEncRequest: 'asked',
    Cancel: 'closed',
    Startup: 'authenticating',
  },
  asked: {},
  // As in PostgreSQL, no second GSSENCRequest: a client that repeats it would be answered again and again.
  declined: { SslRequest: 'asked', Cancel: 'closed', Startup: 'authenticating' },
  secured: { Cancel: 'closed', Startup: 'authenticating' },
  authenticating: { Password: 'verifying', Terminate: 'closed' },
  verifying: { Terminate: 'closed' },
  ready: {
    Query: 'ready',
    Parse: 'ready',
    Bind: 'ready',
    Describe: 'ready',
    Execute: 'ready',
    Close: 'ready',
    Sync: 'ready',
    Flush: 'ready',
    // Clients send data before they have read that the server wants it, so these are legal at any time.
    CopyData: 'ready',
    CopyDone: 'ready',
    CopyFail: 'ready',
    FunctionCall: 'ready',
    Malformed: 'ready',
    Terminate: 'closed',
  },
  closed: {},
  broken: {},
}

type ReadingPhase = Exclude<Phase, 'closed' | 'broken'>

const isReading = (phase: Phase): phase is ReadingPhase => phase !== 'closed' && phase !== 'broken'

const isStarting = (phase: Phase): boolean =>
  phase === 'startup' || phase === 'declined' || phase === 'secured'

const decoded = (phase: ReadingPhase, raw: Buffer): ClientMessage | Violation =>
  isStarting(phase)
    ? decodeStartupPacket(raw)
    : (codecOf(raw.readUInt8(0))?.decode(raw) ?? violation('UnknownMessage'))

const legal = (phase: Phase, message: ClientMessage | Violation): ClientMessage | Violation =>
  message.tag === 'Violation' || NEXT[phase][message.tag] ? message : violation('NotLegalHere')

const nextPhase = (phase: Phase, message: ClientMessage | Violation): Phase =>
  message.tag === 'Violation' ? 'broken' : (NEXT[phase][message.tag] ?? 'broken')

/** Int32 length including itself, Int32 code. */
function startupFraming(limits: FrontendLimits): Framing<ViolationReason> {
  return {
    headerBytes: 4,
    sizeOf(bytes, at) {
      const size = bytes.readUInt32BE(at)
      if (size < STARTUP_BYTES_MIN) return 'FrameTooSmall'
      return size > limits.startupBytesMax ? 'FrameTooLarge' : size
    },
  }
}

/** Byte1 letter, Int32 length including itself. A message that is not legal is refused before its body is kept. */
function taggedFraming(phase: Phase, limits: FrontendLimits): Framing<ViolationReason> {
  return {
    headerBytes: HEADER_BYTES,
    sizeOf(bytes, at) {
      const codec = codecOf(bytes.readUInt8(at))
      if (codec === undefined) return 'UnknownMessage'
      if (NEXT[phase][codec.tag] === undefined) return 'NotLegalHere'
      const size = 1 + bytes.readUInt32BE(at + 1)
      if (size < HEADER_BYTES) return 'FrameTooSmall'
      return size > limits[`${codec.size}BytesMax`] ? 'FrameTooLarge' : size
    },
  }
}

/** The client may send nothing before it has the answer: such bytes would be taken as if they came out of TLS. */
const SILENCE: Framing<ViolationReason> = { headerBytes: 1, sizeOf: () => 'BytesBeforeAnswer' }

const framingsOf = (limits: FrontendLimits): Frontend['framings'] => ({
  startup: startupFraming(limits),
  asked: SILENCE,
  declined: startupFraming(limits),
  secured: startupFraming(limits),
  authenticating: taggedFraming('authenticating', limits),
  verifying: taggedFraming('verifying', limits),
  ready: taggedFraming('ready', limits),
})

const SYNC: Request = { tag: 'Sync', raw: sync() }
const NO_MESSAGE = { bytes: 0, arrived: 0 }
const STARTUP_BYTES_MIN = 8
