/** The rule that finds the end of a frame: the bytes of its header, and the size that they tell. A refusal needs no more bytes. */
export type Framing<Refusal extends string> = {
  readonly headerBytes: number
  /** The bytes of the whole frame whose header begins at `at`, or the reason why it is refused. */
  sizeOf(bytes: Buffer, at: number): number | Refusal
}

/** Bytes of a frame that is not complete yet. A value: appending to it twice gives two independent results. */
export type Held = { readonly store: Store; readonly length: number }

/** The outcome of a cut: a whole frame, too few bytes, or a frame that is refused. */
export type Cut<Refusal extends string> =
  | { readonly status: 'frame'; readonly frame: Buffer; readonly next: number }
  | { readonly status: 'waiting'; readonly held: Held }
  | { readonly status: 'refused'; readonly reason: Refusal }

/**
 * Cuts one frame from what is held and the chunk from `at` on. A frame that lies within one chunk is a view of it and
 * is not copied; only a frame that spans chunks is joined, and each of its bytes is copied a bounded number of times.
 */
export function cutFrame<R extends string>(
  held: Held,
  chunk: Buffer,
  at: number,
  framing: Framing<R>,
): Cut<R> {
  return held.length === 0
    ? cutFromChunk(chunk, at, framing)
    : cutAcrossChunks(held, chunk, at, framing)
}

function cutFromChunk<R extends string>(chunk: Buffer, at: number, framing: Framing<R>): Cut<R> {
  const available = chunk.length - at
  if (available < framing.headerBytes) return { status: 'waiting', held: kept(chunk, at) }
  const size = framing.sizeOf(chunk, at)
  if (typeof size === 'string') return { status: 'refused', reason: size }
  if (available < size) return { status: 'waiting', held: kept(chunk, at) }
  return { status: 'frame', frame: chunk.subarray(at, at + size), next: at + size }
}

function cutAcrossChunks<R extends string>(
  held: Held,
  chunk: Buffer,
  at: number,
  framing: Framing<R>,
): Cut<R> {
  const header = filled(held, chunk, at, framing.headerBytes)
  if (header.length < framing.headerBytes) return { status: 'waiting', held: header }
  const size = framing.sizeOf(header.store.bytes, 0)
  if (typeof size === 'string') return { status: 'refused', reason: size }
  const body = filled(header, chunk, at + header.length - held.length, size)
  if (body.length < size) return { status: 'waiting', held: body }
  const frame = body.store.bytes.subarray(0, size)
  return { status: 'frame', frame, next: at + size - held.length }
}

/** The held bytes, plus as many bytes of the chunk as they lack to be `size` long. */
function filled(held: Held, chunk: Buffer, at: number, size: number): Held {
  const count = Math.min(size - held.length, chunk.length - at)
  if (count <= 0) return held
  const length = held.length + count
  const store = roomFor(held, length, size)
  chunk.copy(store.bytes, held.length, at, at + count)
  store.used = length
  return { store, length }
}

/** The first append to a value writes into the spare room; a later one to the same value finds it used, and copies. */
function roomFor(held: Held, length: number, size: number): Store {
  const { store } = held
  if (store.used === held.length && store.bytes.length >= length) return store
  // Doubling what has arrived keeps the copying linear, and a header alone makes us allocate nothing. A large frame gets all
  // of its room at once: doubling would leave as much behind again, and memory that was not written to yet takes none.
  const room = length >= LARGE_BYTES_MIN ? size : Math.min(size, 2 * length)
  const bytes = Buffer.allocUnsafe(Math.max(length, room, ROOM_BYTES_MIN))
  store.bytes.copy(bytes, 0, 0, held.length)
  return { bytes, used: held.length }
}

const kept = (chunk: Buffer, at: number): Held =>
  at === chunk.length
    ? NOTHING
    : { store: { bytes: chunk.subarray(at), used: chunk.length - at }, length: chunk.length - at }

/** The bytes as a Buffer, without a copy. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

type Store = { readonly bytes: Buffer; used: number }

/** No bytes. */
export const NOTHING: Held = { store: { bytes: Buffer.alloc(0), used: 0 }, length: 0 }

const ROOM_BYTES_MIN = 64
const LARGE_BYTES_MIN = 256 * 1024
