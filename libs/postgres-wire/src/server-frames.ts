import { bufferOf, cutFrame, type Framing, type Held, NOTHING } from './framing.ts'
import { type Violation, violation, type ViolationReason } from './violation.ts'

/** One message of the target, not looked into. `raw` is a view of the received bytes, so rows are not copied. */
export type ServerFrame = { readonly tag: ServerTag; readonly raw: Buffer }

/** The letter of a message; letters that we do not know pass too. */
export type ServerTag = (typeof TAGS)[number]

/** The target's side of one connection, with the received bytes that are not a frame yet. */
export type ServerSide = {
  readonly status: 'open' | 'broken'
  readonly held: Held
  readonly frameBytesMax: number
}

/** A new connection to a target. `frameBytesMax` bounds a single row. */
export const serverSide = (frameBytesMax: number = SERVER_FRAME_BYTES_MAX): ServerSide => ({
  status: 'open',
  held: NOTHING,
  frameBytesMax,
})

/** Bytes in, frames out, in order. The chunk must not be written to afterwards. */
export function receiveServer(
  engine: ServerSide,
  chunk: Uint8Array,
): [ServerSide, (ServerFrame | Violation)[]] {
  if (engine.status === 'broken') return [engine, []]
  const bytes = bufferOf(chunk)
  const framing = taggedFraming(engine.frameBytesMax)
  const frames: (ServerFrame | Violation)[] = []
  let { held } = engine
  let at = 0
  while (at < bytes.length) {
    const cut = cutFrame(held, bytes, at, framing)
    if (cut.status === 'waiting') return [{ ...engine, held: cut.held }, frames]
    const frame = cut.status === 'refused' ? violation(cut.reason) : framed(cut.frame)
    frames.push(frame)
    if (cut.status === 'refused') return [{ ...engine, status: 'broken', held: NOTHING }, frames]
    held = NOTHING
    at = cut.next
  }
  return [{ ...engine, held }, frames]
}

/** The size, in bytes, of the frame that has begun and is not complete; 0 while its header is not there. */
export const frameUnderWay = ({ held }: ServerSide): number =>
  held.length < HEADER_BYTES ? 0 : 1 + held.store.bytes.readUInt32BE(1)

/**
 * The target's answer to an SSLRequest. Anything but a single `S` or `N` is a violation: more bytes could have been put
 * there by somebody in between, who wants them to be read as if they came out of TLS.
 */
export function serverSslAnswer(chunk: Uint8Array): 'S' | 'N' | Violation {
  if (chunk.length !== 1) return violation('BytesBeforeAnswer')
  return chunk[0] === 0x53 ? 'S' : chunk[0] === 0x4e ? 'N' : violation('UnknownMessage')
}

const framed = (raw: Buffer): ServerFrame | Violation => {
  const tag = TAG_OF[raw.readUInt8(0)]
  return tag === undefined ? violation('UnknownMessage') : { tag, raw }
}

const taggedFraming = (frameBytesMax: number): Framing<ViolationReason> => ({
  headerBytes: HEADER_BYTES,
  sizeOf(bytes, at) {
    if (TAG_OF[bytes.readUInt8(at)] === undefined) return 'UnknownMessage'
    const size = 1 + bytes.readUInt32BE(at + 1)
    if (size < HEADER_BYTES) return 'FrameTooSmall'
    return size > frameBytesMax ? 'FrameTooLarge' : size
  },
})

const HEADER_BYTES = 5
/** A row of a target may be larger than a statement of an agent. */
export const SERVER_FRAME_BYTES_MAX = 64 * 1024 * 1024

// prettier-ignore
const TAGS = [
  'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
  'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
  '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
] as const

const TAG_OF: readonly (ServerTag | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  TAGS.find((tag) => tag.charCodeAt(0) === byte),
)
