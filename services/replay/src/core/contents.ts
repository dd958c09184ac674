import { isUtf8 } from 'node:buffer'
import { decodeSubject, type RequestContent } from '@countersign/contracts'
import type { AnswerGroup } from './answer-groups.ts'
import { NOTHING, type Told, toldApart, UNREADABLE } from './answers-apart.ts'
import { answersIn } from './result.ts'
import type { ParameterType } from './entry.ts'
import { type SessionMessage, type SessionRecord, withoutRepeats } from './session-record.ts'

/** Decrypts bytes from the log; throws when it cannot. */
export type Decrypt = (sealed: Uint8Array) => Buffer

/** The encrypted parts of a session, kept for those requests that are not told to their end. */
export type Contents = {
  /** Takes a part of a request, or of an answer, of which the first `answerBytesMax` are kept. */
  take(message: SessionMessage, answerBytesMax?: number): void
  /** The decrypted parts. Without the key of the session (erased) only renderings are left. */
  opened(decrypt: Decrypt | null): OpenContents
  /** Called when the entry with the statement of the request is told. */
  forgetParts(requestId: string): void
  /** Forgets what the agent saw that is recorded under a request. */
  forgetAnswer(requestId: string): void
  /** The number of encrypted bytes that are kept, of all requests. */
  bytes(): number
}

/** The decrypted parts of a session. */
export type OpenContents = {
  statementOf(requestId: string, content: RequestContent): Statement
  /** The exact bytes of the RequestSubject; null when they are missing or cannot be decrypted. */
  subjectOf(requestId: string, content: RequestContent): Buffer | null
  /** The results of a request of a group. */
  resultsOf(requestId: string, group: AnswerGroup): Told
}

/** A statement with its parameters, and the data of a COPY that was held with them. */
export type Statement = {
  readonly text: string
  readonly parameters: readonly (string | null)[]
  readonly parameterTypes: readonly ParameterType[]
  readonly copyData: string | null
  /** True if something of it is so long that only its beginning is here. */
  readonly isCut: boolean
}

export function newContents(): Contents {
  // bound: one per request whose statement is not told; the proxy limits a request
  const parts = new Map<string, Pieces>()
  // bound: one per request that is not told to its end, and per one of the group told last, each with ANSWER_BYTES_MAX
  const answers = new Map<string, Pieces>()
  let bytes = 0
  const forget = (all: Map<string, Pieces>, requestId: string): void => {
    bytes -= all.get(requestId)?.bytes ?? 0
    all.delete(requestId)
  }
  return {
    take(message, answerBytesMax = ANSWER_BYTES_MAX) {
      if (message.type === 'RequestPart' && !message.stream) {
        const pieces = placed(parts, message.requestId)
        bytes -= pieces.bytes
        keep(pieces, message.index, message.ciphertext)
        bytes += pieces.bytes
      }
      if (message.type === 'TranscriptRecorded' && message.requestId !== null) {
        const pieces = placed(answers, message.requestId)
        bytes -= pieces.bytes
        keep(pieces, message.sequence, message.ciphertext)
        while (pieces.bytes > answerBytesMax && pieces.byPlace.size > 1) dropLast(pieces)
        bytes += pieces.bytes
      }
    },
    bytes: () => bytes,
    opened(decrypt) {
      // bound: one per group that is told
      const apart = new Map<AnswerGroup, ReadonlyMap<string, Told>>()
      const apartOf = (group: AnswerGroup): ReadonlyMap<string, Told> => {
        if (decrypt === null) return new Map()
        const recorded = recordedOf(answers, group)
        try {
          const pieces = recorded.pieces.map(({ requestId, piece }) => ({
            requestId,
            bytes: decrypt(piece),
          }))
          const found = answersIn(
            pieces.map(({ bytes }) => bytes),
            ANSWERS_MAX,
          )
          const isCut = recorded.isCut || found.length === ANSWERS_MAX
          // Words of Countersign, such as those of a hold, are recorded under a request before it runs.
          const answering = pieces.filter(({ bytes }) => !isOfNotices(bytes))
          const leaders = new Set(answering.map(({ requestId }) => requestId))
          return toldApart(group, { answers: found, leaders, isCut })
        } catch {
          return new Map(group.members.map((member) => [member.requestId, UNREADABLE]))
        }
      }
      const subjectOf = (requestId: string, content: RequestContent): Buffer | null => {
        if (decrypt === null) return null
        const pieces =
          content.partCount === 0 ? [content.ciphertext] : ordered(parts.get(requestId))
        if (pieces.length < content.partCount) return null
        try {
          // A large content was encrypted as a whole, and then cut.
          return decrypt(Buffer.concat(pieces))
        } catch {
          return null
        }
      }
      return {
        subjectOf,
        statementOf(requestId, content) {
          const bytes = subjectOf(requestId, content)
          // Bytes that are no content of this session are not shown; the rendering still is.
          return (
            statementIn(bytes) ?? {
              text: content.rendering,
              parameters: [],
              parameterTypes: [],
              copyData: null,
              isCut: false,
            }
          )
        },
        resultsOf(requestId, group) {
          const known = apart.get(group) ?? apartOf(group)
          apart.set(group, known)
          return known.get(requestId) ?? NOTHING
        },
      }
    },
    forgetParts: (requestId) => forget(parts, requestId),
    forgetAnswer: (requestId) => forget(answers, requestId),
  }
}

/** The exact bytes that the agent saw, in order. */
export const transcriptOf = (records: readonly SessionRecord[], decrypt: Decrypt): Buffer =>
  Buffer.concat(
    withoutRepeats(records)
      .map(({ message }) => message)
      .filter((message) => message.type === 'TranscriptRecorded')
      .sort((a, b) => a.sequence - b.sequence)
      .map(({ ciphertext }) => decrypt(ciphertext)),
  )

function statementIn(bytes: Buffer | null): Statement | null {
  if (bytes === null) return null
  try {
    const subject = decodeSubject(bytes)
    const { text, parameters, parameterFormats: formats, copyData } = subject
    const formatOf = (index: number) => (formats.length === 1 ? formats[0] : formats[index])
    let left = VALUES_BYTES_MAX
    let isCut = text.length > TEXT_BYTES_MAX
    const begun = (value: Buffer | null): Buffer | null => {
      if (value === null || value.length <= left) {
        left -= value?.length ?? 0
        return value
      }
      isCut = true
      const beginning = value.subarray(0, left)
      left = 0
      return beginning
    }
    const isText = copyData !== null && isUtf8(copyData)
    const values = parameters.map((value, index) => shown(begun(value), formatOf(index)))
    const data = shown(begun(copyData), isText ? 0 : 1)
    return {
      text: text.toString('utf8', 0, TEXT_BYTES_MAX),
      parameters: values,
      // The target keeps a type that the client declared, and chooses the others.
      parameterTypes: parameters.map((_, index) => ({
        oid: subject.parameterTypes[index] || (subject.valueTypes[index] ?? 0),
        format: formatOf(index) === 1 ? 'binary' : 'text',
      })),
      copyData: data,
      isCut,
    }
  } catch {
    return null
  }
}

/** The pieces of a request, or of its answer, that came so far, by their place. */
type Pieces = {
  readonly byPlace: Map<number, Buffer>
  bytes: number
  /** Pieces with this place or a later one were left out. */
  end: number
}

function placed(all: Map<string, Pieces>, requestId: string): Pieces {
  const known = all.get(requestId)
  if (known !== undefined) return known
  // bound: ANSWER_BYTES_MAX of an answer; of a request what the proxy takes
  const byPlace = new Map<number, Buffer>()
  const fresh = { byPlace, bytes: 0, end: Infinity }
  all.set(requestId, fresh)
  return fresh
}

function keep(pieces: Pieces, place: number, piece: Buffer): void {
  if (place >= pieces.end) return
  pieces.bytes += piece.length - (pieces.byPlace.get(place)?.length ?? 0)
  pieces.byPlace.set(place, piece)
}

/** Drops the piece with the last place, in whatever order they came, since only the first rows are shown. */
function dropLast(pieces: Pieces): void {
  let last = 0
  for (const place of pieces.byPlace.keys()) last = Math.max(last, place)
  pieces.bytes -= pieces.byPlace.get(last)?.length ?? 0
  pieces.byPlace.delete(last)
  pieces.end = last
}

/** The pieces of what was answered to a group, in order, up to the first that was left out. */
function recordedOf(
  answers: ReadonlyMap<string, Pieces>,
  { leaders, from }: AnswerGroup,
): { readonly pieces: readonly Recording[]; readonly isCut: boolean } {
  const found = leaders.flatMap((requestId) => {
    const pieces = answers.get(requestId)
    return pieces === undefined ? [] : [{ requestId, pieces }]
  })
  const end = Math.min(...found.map(({ pieces }) => pieces.end))
  const all = found
    .flatMap(({ requestId, pieces }) =>
      [...pieces.byPlace].map(([place, piece]) => ({ requestId, place, piece })),
    )
    .filter(({ place }) => place >= from && place < end)
    .sort((a, b) => a.place - b.place)
  return { pieces: all, isCut: end < Infinity }
}

type Recording = { readonly requestId: string; readonly place: number; readonly piece: Buffer }

/** True if bytes are notices and nothing else. */
function isOfNotices(bytes: Buffer): boolean {
  let at = 0
  while (at + HEADER_BYTES <= bytes.length && bytes[at] === NOTICE)
    at += 1 + bytes.readUInt32BE(at + 1)
  return at === bytes.length
}

const NOTICE = 'N'.charCodeAt(0)
const HEADER_BYTES = 5

const ordered = (pieces: Pieces | undefined): Buffer[] =>
  [...(pieces?.byPlace ?? [])].sort(([a], [b]) => a - b).map(([, piece]) => piece)

function shown(value: Buffer | null, format: number | undefined): string | null {
  if (value === null) return null
  return format === 1 ? `\\x${value.toString('hex')}` : value.toString('utf8')
}

/** The most bytes of an answer that are read for its first rows; its outcome is told by the proxy. */
export const ANSWER_BYTES_MAX = 512 * 1024

/** The most results of one request, or of requests that were answered together, that are read. */
const ANSWERS_MAX = 1_000

/** The most bytes of a statement in a timeline. */
export const TEXT_BYTES_MAX = 256 * 1024

/** The most bytes of the parameters and the data of a request in a timeline; the request itself has all of them. */
export const VALUES_BYTES_MAX = 64 * 1024
