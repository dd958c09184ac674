import { Problem } from '@countersign/kernel'
import type { AnswerGroup } from './answer-groups.ts'
import { ANSWER_BYTES_MAX, type Decrypt, newContents } from './contents.ts'
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
  /** The requests that it was answered with, where its answer is told. */
  readonly group: AnswerGroup | null
}

/** The first of some entries: as many as fit into `bytesMax` with the contents that they show, at least one. */
export type Piece = {
  /** Takes what it needs of a record; all records of the session have to be given to it. */
  take(record: SessionRecord): void
  /** The number of outlines that fit, of the records that were taken. */
  length(): number
  entries(decrypt: Decrypt | null, doubtful: ReadonlySet<string>): Generator<readonly Entry[]>
}

export function outlineOf(
  { position, id, causation, message }: SessionRecord,
  group: AnswerGroup | null,
): Outline {
  const { at, type } = message
  const requestId = 'requestId' in message ? (message.requestId ?? '') : ''
  const content = 'content' in message ? message.content : null
  const hasParts = content !== null && content.partCount > 0
  return { position, id, causation, message: { at, type }, requestId, hasParts, group }
}

export function pieceOf(outlines: readonly Outline[], bytesMax: number): Piece {
  const contents = newContents()
  const places = new Map(outlines.map(({ position }, place) => [placeOf(position), place]))
  const requests = new Set(outlines.map(({ requestId }) => requestId))
  const asked = firstOf(outlines, ({ hasParts, requestId }) => (hasParts ? [requestId] : []))
  const answered = firstOf(outlines, ({ group }) => group?.leaders ?? [])
  // bound: one per outline
  const groups = new Map<string, AnswerGroup>()
  // bound: one per leader of a group
  const answerBytesMax = new Map<string, number>()
  for (const { group, requestId } of outlines) {
    if (group === null) continue
    groups.set(requestId, group)
    if (answerBytesMax.has(group.leaders[0] ?? '')) continue
    for (const leader of group.leaders)
      answerBytesMax.set(
        leader,
        ANSWER_BYTES_MAX * Math.min(group.members.length, ANSWERS_LONG_MAX),
      )
  }
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
      const use = { contents: contents.opened(decrypt), doubtful, internal, groupOf }
      for (let place = 0; place < length; place++) {
        const record = records.get(place)
        if (record === undefined) throw forgotten()
        yield entriesOf(record, use)
      }
    },
  }

  function groupOf(requestId: string): AnswerGroup | null {
    return groups.get(requestId) ?? null
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
    if ((isWanted?.get(requestId) ?? Infinity) < length)
      contents.take(message, answerBytesMax.get(requestId))
  }

  function dropLast(): void {
    length--
    const record = records.get(length)
    recordBytes -= record?.bytes ?? 0
    records.delete(length)
    const requestId = outlines[length]?.requestId ?? ''
    if (asked.get(requestId) === length) contents.forgetParts(requestId)
    for (const leader of outlines[length]?.group?.leaders ?? [])
      if (answered.get(leader) === length) contents.forgetAnswer(leader)
  }
}

/** The place of the first outline that needs the contents that are recorded under each request. */
function firstOf(
  outlines: readonly Outline[],
  neededBy: (outline: Outline) => readonly string[],
): ReadonlyMap<string, number> {
  const first = new Map<string, number>()
  for (const [place, outline] of outlines.entries())
    for (const requestId of neededBy(outline))
      if (!first.has(requestId)) first.set(requestId, place)
  return first
}

const forgotten = (): Problem =>
  new Problem('CS_REPLAY_BUSY', 'records of the session went away while it was told', {
    retriable: true,
    hint: 'Read the session again.',
  })

/** Of requests that were answered together, as much is read as of this many. */
const ANSWERS_LONG_MAX = 8
