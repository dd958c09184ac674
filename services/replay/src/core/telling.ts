import { Problem } from '@countersign/kernel'
import { type LastEnd, newAnswerGroups } from './answer-groups.ts'
import type { Decrypt } from './contents.ts'
import type { Entry } from './entry.ts'
import { inOrder, newOrder, placed } from './order.ts'
import { type Outline, outlineOf, pieceOf } from './piece.ts'
import {
  endsRequest,
  isEntry,
  type SessionMessage,
  type SessionRecord,
  withoutRepeats,
} from './session-record.ts'

/** The records of a session, which can be gone through as often as is needed. */
export type Read = (onRecord: (record: SessionRecord) => void) => Promise<void>

/**
 * A session of any length, told with bounded memory. Method: the records are gone through again and again. The first
 * pass takes the outlines of one part, the earliest records, to put them in order. Each later pass takes the contents
 * of as many entries of the part as fit into memory; the first of these also takes the outlines of the next part.
 * Known limit: a record that follows from a later one, by clocks that differ, can be told before it when the two are in
 * different parts of a long session.
 */
export type Telling = {
  /** The released requests of which it is not known whether they ran. */
  readonly mayHaveRun: readonly string[]
  /** The requests that have no end yet, or an end that is not ready to be told. */
  readonly open: ReadonlySet<string>
  /** The last request of the agent that ended, behind which a story can go on. */
  readonly lastEnd: LastEnd | null
  /** The entries in the order in which they are told, those of one record at a time. */
  entries(): AsyncGenerator<readonly Entry[]>
}

export type TellingOptions = {
  readonly read: Read
  readonly decrypt: Decrypt | null
  readonly isOver: boolean
  /** True if a message can be told already. */
  isReady?(message: SessionMessage): boolean
  /** For tests. */
  readonly outlinesMax?: number
  readonly pieceBytesMax?: number
}

export async function telling(options: TellingOptions): Promise<Telling> {
  const { read, decrypt, isOver, isReady = () => true } = options
  const { outlinesMax = OUTLINES_MAX, pieceBytesMax = PIECE_BYTES_MAX } = options
  // bound: one per request that has no end
  const open = new Set<string>()
  // bound: one per request that was released and is not completed
  const released = new Set<string>()
  const beginning = partFrom(-Infinity)
  await read((record) => {
    beginning.take(record)
    const { message } = record
    if (!('requestId' in message) || message.requestId === null) return
    const { type, requestId } = message
    if (type === 'RequestIntercepted' || type === 'RequestReleased') open.add(requestId)
    if (type === 'RequestReleased') released.add(requestId)
    if (type === 'RequestCompleted') released.delete(requestId)
    if (endsRequest(message) && isReady(message)) open.delete(requestId)
  })
  const first = beginning.found()
  const mayHaveRun = isOver ? [...released] : []
  return { mayHaveRun, open, lastEnd: beginning.lastEnd(), entries }

  async function* entries(): AsyncGenerator<readonly Entry[]> {
    const order = newOrder()
    const doubtful = new Set(mayHaveRun)
    let part = first
    for (;;) {
      const outlines = withoutRepeats(part.outlines)
      placed(order, outlines)
      let left = inOrder(order, outlines)
      const next = part.end === Infinity ? null : partFrom(part.end)
      for (let isFirst = true; left.length > 0; isFirst = false) {
        const piece = pieceOf(left, pieceBytesMax)
        await read((record) => {
          piece.take(record)
          if (isFirst) next?.take(record)
        })
        yield* piece.entries(decrypt, doubtful)
        left = left.slice(piece.length())
      }
      if (next === null) return
      part = next.found()
    }
  }

  /** Finds the outlines of the records from a moment on, and the moment at which the next part begins. */
  function partFrom(from: number): PartTaken {
    const groups = newAnswerGroups()
    let part: Part = { outlines: [], end: Infinity }
    let lengthMax = 2 * outlinesMax
    return {
      take(record) {
        const { message } = record
        const group = groups.take(message)
        if (!isEntry(message) || message.at < from || message.at >= part.end) return
        if (!isReady(message)) return
        part.outlines.push(outlineOf(record, group))
        if (part.outlines.length <= lengthMax) return
        part = earliest(part, outlinesMax)
        if (part.outlines.length > MOMENT_PARTS_MAX * outlinesMax) throw crowded()
        // Records of one moment stay together; with the new limit they are not sorted again for each record that comes.
        lengthMax = 2 * Math.max(outlinesMax, part.outlines.length)
      },
      lastEnd: groups.last,
      found: () => (part.outlines.length > outlinesMax ? earliest(part, outlinesMax) : part),
    }
  }
}

type PartTaken = {
  take(record: SessionRecord): void
  found(): Part
  lastEnd(): LastEnd | null
}

type Part = { readonly outlines: Outline[]; readonly end: number }

/** The earliest outlines, in whole moments: at most `max` of them, but at least the first moment. */
function earliest({ outlines }: Part, max: number): Part {
  outlines.sort((a, b) => a.message.at - b.message.at)
  const [first] = outlines
  const end = Math.max(outlines[max]?.message.at ?? Infinity, (first?.message.at ?? 0) + 1)
  return { outlines: outlines.filter(({ message }) => message.at < end), end }
}

const crowded = (): Problem =>
  new Problem('CS_SESSION_LIMIT', 'more happened in one moment of the session than can be told', {
    hint: 'Its events are in the log: `countersign events --session <id>`.',
  })

/** So many are put in order without a rest for others. */
const OUTLINES_MAX = 5_000
/** One moment may have at most as many records as this many parts. */
const MOMENT_PARTS_MAX = 20
const PIECE_BYTES_MAX = 32 * 1024 * 1024
