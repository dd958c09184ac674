import { ANSWER_BYTES_MAX, type Decrypt, newContents } from './contents.ts'
import { entriesOf } from './entries.ts'
import type { Entry } from './entry.ts'
import { inOrder, newOrder, placed, type Placed, placeOf } from './order.ts'
import { type SessionMessage, type SessionRecord, withoutRepeats } from './session-record.ts'

/** The records of a session, which can be gone through as often as is needed. */
export type Read = (onRecord: (record: SessionRecord) => void) => Promise<void>

/**
 * A session of any length, told with bounded memory. Method: the records are gone through again and again. First what is
 * needed to put them in order is taken, of so many records from the earliest on; then the contents of so many entries.
 * Known limit: a record that follows from a later one, by clocks that differ, can be told before it where the two are in
 * different parts of a long session.
 */
export type Telling = {
  /** Released requests of which nobody knows whether they ran. */
  readonly mayHaveRun: readonly string[]
  /** Requests that have no end yet, or one that is not ready to be told. */
  readonly open: ReadonlySet<string>
  /** The entries in the order in which they are told, those of one record at a time. */
  entries(): AsyncGenerator<readonly Entry[]>
}

export type TellingOptions = {
  readonly read: Read
  readonly decrypt: Decrypt | null
  readonly isOver: boolean
  /** Whether a message can be told already. */
  isReady?(message: SessionMessage): boolean
  /** For tests. */
  readonly outlinesMax?: number
  readonly batchBytesMax?: number
}

export async function telling(options: TellingOptions): Promise<Telling> {
  const { read, decrypt, isOver, isReady = () => true } = options
  const { outlinesMax = OUTLINES_MAX, batchBytesMax = BATCH_BYTES_MAX } = options
  // bound: one per request that has no end
  const open = new Set<string>()
  // bound: one per request that was released and is not completed
  const released = new Set<string>()
  const first = await part(-Infinity, ({ message }) => {
    if (!('requestId' in message) || message.requestId === null) return
    const { type, requestId } = message
    if (type === 'RequestIntercepted' || type === 'RequestReleased') open.add(requestId)
    if (type === 'RequestReleased') released.add(requestId)
    if (type === 'RequestCompleted') released.delete(requestId)
    if (ENDS.has(type) && isReady(message)) open.delete(requestId)
  })
  const mayHaveRun = isOver ? [...released] : []
  return { mayHaveRun, open, entries }

  async function* entries(): AsyncGenerator<readonly Entry[]> {
    const order = newOrder()
    const doubtful = new Set(mayHaveRun)
    let next = first
    for (;;) {
      const outlines = withoutRepeats(next.outlines)
      placed(order, outlines)
      for (const batch of batchesOf(inOrder(order, outlines), batchBytesMax))
        yield* told(batch, doubtful)
      if (next.end === Infinity) return
      next = await part(next.end)
    }
  }

  /** The outlines of the records from a moment on, and the moment at which the next part begins. */
  async function part(
    from: number,
    note: (record: SessionRecord) => void = () => undefined,
  ): Promise<Part> {
    let found: Part = { outlines: [], end: Infinity }
    await read((record) => {
      note(record)
      const { message } = record
      if (!isEntry(message) || message.at < from || message.at >= found.end) return
      if (!isReady(message)) return
      found.outlines.push(outlineOf(record))
      if (found.outlines.length > 2 * outlinesMax) found = earliest(found, outlinesMax)
    })
    return found.outlines.length > outlinesMax ? earliest(found, outlinesMax) : found
  }

  async function* told(
    batch: readonly Outline[],
    doubtful: ReadonlySet<string>,
  ): AsyncGenerator<readonly Entry[]> {
    const contents = newContents()
    const places = new Map(batch.map(({ position }, index) => [placeOf(position), index]))
    const requests = new Set(batch.map(({ requestId }) => requestId))
    const answered = new Set(
      batch.flatMap(({ message, requestId }) =>
        message.type === 'RequestCompleted' ? [requestId] : [],
      ),
    )
    // bound: one per request of the batch
    const internal = new Set<string>()
    const records: (SessionRecord | undefined)[] = batch.map(() => undefined)
    await read((record) => {
      const { message } = record
      const place = places.get(placeOf(record.position))
      if (place !== undefined) records[place] = record
      if (!('requestId' in message) || message.requestId === null) return
      if (
        'origin' in message &&
        message.origin === 'Countersign' &&
        requests.has(message.requestId)
      )
        internal.add(message.requestId)
      const isWanted = message.type === 'TranscriptRecorded' ? answered : requests
      if (isWanted.has(message.requestId)) contents.take(message)
    })
    const use = { contents: contents.opened(decrypt), doubtful, internal }
    for (const record of records) if (record !== undefined) yield entriesOf(record, use)
  }
}

type Part = { readonly outlines: Outline[]; readonly end: number }

/** As much of a record as puts it in its order, and about how much it takes to tell it. */
type Outline = Placed & {
  readonly id: string
  readonly requestId: string
  readonly bytes: number
}

function outlineOf({ position, id, causation, message }: SessionRecord): Outline {
  const { at, type } = message
  const requestId = 'requestId' in message ? (message.requestId ?? '') : ''
  return { position, id, causation, message: { at, type }, requestId, bytes: bytesOf(message) }
}

function bytesOf(message: SessionMessage): number {
  if (message.type === 'RequestCompleted')
    return ENTRY_BYTES + Math.min(message.resultBytes, ANSWER_BYTES_MAX)
  const content = 'content' in message ? message.content : null
  return ENTRY_BYTES + (content?.sizeBytes ?? 0) + (content?.ciphertext.length ?? 0)
}

/** The earliest, whole moments of them. */
function earliest({ outlines }: Part, max: number): Part {
  outlines.sort((a, b) => a.message.at - b.message.at)
  const [first] = outlines
  const end = Math.max(outlines[max]?.message.at ?? Infinity, (first?.message.at ?? 0) + 1)
  return { outlines: outlines.filter(({ message }) => message.at < end), end }
}

function* batchesOf(outlines: readonly Outline[], bytesMax: number): Generator<Outline[]> {
  let batch: Outline[] = []
  let bytes = 0
  for (const outline of outlines) {
    if (batch.length > 0 && bytes + outline.bytes > bytesMax) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(outline)
    bytes += outline.bytes
  }
  if (batch.length > 0) yield batch
}

/** Of these there is no entry. */
const isEntry = ({ type }: SessionMessage): boolean =>
  type !== 'TranscriptRecorded' && type !== 'RequestPart'

const ENDS: ReadonlySet<string> = new Set([
  'RequestCompleted',
  'RequestRefused',
  'RequestWithdrawn',
])
/** What an entry takes beside its contents, about. */
const ENTRY_BYTES = 2_000
const OUTLINES_MAX = 50_000
const BATCH_BYTES_MAX = 32 * 1024 * 1024
