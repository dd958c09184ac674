import { Problem } from '@countersign/kernel'
import { type Decrypt, newContents } from './contents.ts'
import { entriesOf } from './entries.ts'
import type { Entry } from './entry.ts'
import { type Placed, placeOf } from './order.ts'
import { type SessionMessage, type SessionRecord } from './session-record.ts'

/** The part of a record that decides its place, and which contents its entries need. */
export type Outline = Placed & {
  readonly id: string
  readonly requestId: string
  /** True if its statement is in records of its own (RequestPart). */
  readonly hasParts: boolean
}

/** The first of some entries: as many as fit into `bytesMax` with the contents that they show, at least one. */
export type Piece = {
  /** Takes what it needs of a record; all records of the session have to be given to it. */
  take(record: SessionRecord): void
  /** The number of outlines that fit, of the records that were taken. */
  length(): number
  entries(decrypt: Decrypt | null, doubtful: ReadonlySet<string>): Generator<readonly Entry[]>
}

export function outlineOf({ position, id, causation, message }: SessionRecord): Outline {
  const { at, type } = message
  const requestId = 'requestId' in message ? (message.requestId ?? '') : ''
  const content = 'content' in message ? message.content : null
  const hasParts = content !== null && content.partCount > 0
  return { position, id, causation, message: { at, type }, requestId, hasParts }
}

export function pieceOf(outlines: readonly Outline[], bytesMax: number): Piece {
  const contents = newContents()
  const places = new Map(outlines.map(({ position }, place) => [placeOf(position), place]))
  const requests = new Set(outlines.map(({ requestId }) => requestId))
  const asked = firstOf(outlines, ({ hasParts }) => hasParts)
  const answered = firstOf(outlines, ({ message }) => message.type === 'RequestCompleted')
  // bound: one per outline
  const internal = new Set<string>()
  // bound: one per outline
  const records = new Map<number, SessionRecord>()
  let recordBytes = 0
  let length = outlines.length
  return {
    take(record) {
      const { message, position } = record
      const place = places.get(placeOf(position))
      if (place !== undefined && place < length && !records.has(place)) {
        records.set(place, record)
        recordBytes += record.bytes
      }
      if ('requestId' in message && message.requestId !== null) note(message, message.requestId)
      while (recordBytes + contents.bytes() > bytesMax && length > 1) dropLast()
    },
    length: () => length,
    *entries(decrypt, doubtful) {
      const use = { contents: contents.opened(decrypt), doubtful, internal }
      for (let place = 0; place < length; place++) {
        const record = records.get(place)
        if (record === undefined) throw forgotten()
        yield entriesOf(record, use)
      }
    },
  }

  function note(message: SessionMessage, requestId: string): void {
    if ('origin' in message && message.origin === 'Countersign' && requests.has(requestId))
      internal.add(requestId)
    const isWanted =
      message.type === 'TranscriptRecorded'
        ? answered
        : message.type === 'RequestPart'
          ? asked
          : null
    if ((isWanted?.get(requestId) ?? Infinity) < length) contents.take(message)
  }

  function dropLast(): void {
    length--
    const record = records.get(length)
    recordBytes -= record?.bytes ?? 0
    records.delete(length)
    const requestId = outlines[length]?.requestId ?? ''
    if (asked.get(requestId) === length) contents.forgetParts(requestId)
    if (answered.get(requestId) === length) contents.forgetAnswer(requestId)
  }
}

/** The place of the first outline that needs the contents of each request. */
function firstOf(
  outlines: readonly Outline[],
  isOne: (outline: Outline) => boolean,
): ReadonlyMap<string, number> {
  const first = new Map<string, number>()
  for (const [place, outline] of outlines.entries())
    if (isOne(outline) && !first.has(outline.requestId)) first.set(outline.requestId, place)
  return first
}

const forgotten = (): Problem =>
  new Problem('CS_REPLAY_BUSY', 'records of the session went away while it was told', {
    retriable: true,
    hint: 'Read the session again.',
  })
