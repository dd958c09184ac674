import { isUtf8 } from 'node:buffer'
import { decodeSubject, type RequestContent } from '@countersign/contracts'
import { resultOf } from './result.ts'
import type { RequestResult } from './entry.ts'
import { type SessionMessage, type SessionRecord, withoutRepeats } from './session-record.ts'

/** Decrypts bytes from the log; throws when it cannot. */
export type Decrypt = (sealed: Uint8Array) => Buffer

/** The encrypted parts of a session, kept for those requests that are not told to their end. */
export type Contents = {
  take(message: SessionMessage): void
  /** The decrypted parts. Without the key of the session (erased) only renderings are left. */
  opened(decrypt: Decrypt | null): OpenContents
  /** Called when the entry with the statement of the request is told. */
  forgetParts(requestId: string): void
  forgetAnswer(requestId: string): void
  /** The number of encrypted bytes that are kept, of all requests. */
  bytes(): number
}

/** The decrypted parts of a session. */
export type OpenContents = {
  statementOf(requestId: string, content: RequestContent): Statement
  /** The exact bytes of the RequestSubject; null when they are missing or cannot be decrypted. */
  subjectOf(requestId: string, content: RequestContent): Buffer | null
  resultOf(requestId: string): RequestResult | null
}

/** A statement with its parameters, and the data of a COPY that was held with them. */
export type Statement = {
  readonly text: string
  readonly parameters: readonly (string | null)[]
  readonly copyData: string | null
  /** True if something of it is so long that only its beginning is here. */
  readonly isCut: boolean
}

export function newContents(): Contents {
  // bound: one per request whose statement is not told; the proxy limits a request
  const parts = new Map<string, Pieces>()
  // bound: one per request that is not told to its end, each with ANSWER_BYTES_MAX
  const answers = new Map<string, Pieces>()
  let bytes = 0
  const forget = (all: Map<string, Pieces>, requestId: string): void => {
    bytes -= all.get(requestId)?.bytes ?? 0
    all.delete(requestId)
  }
  return {
    take(message) {
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
        while (pieces.bytes > ANSWER_BYTES_MAX && pieces.byPlace.size > 1) dropLast(pieces)
        bytes += pieces.bytes
      }
    },
    bytes: () => bytes,
    opened(decrypt) {
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
              copyData: null,
              isCut: false,
            }
          )
        },
        resultOf(requestId) {
          if (decrypt === null) return null
          try {
            const pieces = answers.get(requestId)
            const result = resultOf(ordered(pieces).map(decrypt))
            return result !== null && pieces !== undefined && pieces.end < Infinity
              ? { ...result, truncated: true }
              : result
          } catch {
            return null
          }
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
    const { text, parameters, parameterFormats: formats, copyData } = decodeSubject(bytes)
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
    const values = parameters.map((value, index) =>
      shown(begun(value), formats.length === 1 ? formats[0] : formats[index]),
    )
    const data = shown(begun(copyData), isText ? 0 : 1)
    return {
      text: text.toString('utf8', 0, TEXT_BYTES_MAX),
      parameters: values,
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

const ordered = (pieces: Pieces | undefined): Buffer[] =>
  [...(pieces?.byPlace ?? [])].sort(([a], [b]) => a - b).map(([, piece]) => piece)

function shown(value: Buffer | null, format: number | undefined): string | null {
  if (value === null) return null
  return format === 1 ? `\\x${value.toString('hex')}` : value.toString('utf8')
}

/** The most bytes of an answer that are read for its first rows; its outcome is told by the proxy. */
export const ANSWER_BYTES_MAX = 512 * 1024

/** The most bytes of a statement in a timeline. */
export const TEXT_BYTES_MAX = 256 * 1024

/** The most bytes of the parameters and the data of a request in a timeline; the request itself has all of them. */
export const VALUES_BYTES_MAX = 64 * 1024
