import { isUtf8 } from 'node:buffer'
import { decodeSubject, type RequestContent } from '@countersign/contracts'
import { resultOf } from './result.ts'
import type { RequestResult } from './entry.ts'
import { type SessionMessage, type SessionRecord, withoutRepeats } from './session-record.ts'

/** Opens what stands in the log encrypted; throws where it cannot. */
export type Decrypt = (sealed: Uint8Array) => Buffer

/** The encrypted parts of a session, of those requests that are not told to their end. */
export type Contents = {
  take(message: SessionMessage): void
  /** What they say. Without the key of the session (erased) only renderings are left. */
  opened(decrypt: Decrypt | null): OpenContents
  forget(requestId: string): void
}

/** What the encrypted parts of a session say. */
export type OpenContents = {
  statementOf(requestId: string, content: RequestContent): Statement
  /** The exact bytes of what was asked; null where they cannot be had. */
  subjectOf(requestId: string, content: RequestContent): Buffer | null
  resultOf(requestId: string): RequestResult | null
}

/** A statement with its parameters, and the data of a COPY that was held with them. */
export type Statement = {
  readonly text: string
  readonly parameters: readonly (string | null)[]
  readonly copyData: string | null
}

export function newContents(): Contents {
  const parts = new Map<string, Map<number, Buffer>>()
  const answers = new Map<string, Map<number, Buffer>>()
  return {
    take(message) {
      if (message.type === 'RequestPart' && !message.stream) {
        placed(parts, message.requestId).set(message.index, message.ciphertext)
      }
      if (message.type === 'TranscriptRecorded' && message.requestId !== null) {
        placed(answers, message.requestId).set(message.sequence, message.ciphertext)
      }
    },
    opened(decrypt) {
      const subjectOf = (requestId: string, content: RequestContent): Buffer | null => {
        if (decrypt === null) return null
        const pieces =
          content.partCount === 0 ? [content.ciphertext] : ordered(parts.get(requestId))
        if (pieces.length < content.partCount) return null
        try {
          // What is large was encrypted as a whole, and then cut.
          return decrypt(Buffer.concat(pieces))
        } catch {
          return null
        }
      }
      return {
        subjectOf,
        statementOf(requestId, content) {
          const bytes = subjectOf(requestId, content)
          // What is not the content of this session is not shown; its rendering still is.
          return statementIn(bytes) ?? { text: content.rendering, parameters: [], copyData: null }
        },
        resultOf(requestId) {
          if (decrypt === null) return null
          try {
            return resultOf(ordered(answers.get(requestId)).map(decrypt))
          } catch {
            return null
          }
        },
      }
    },
    forget(requestId) {
      parts.delete(requestId)
      answers.delete(requestId)
    },
  }
}

/** Exactly the bytes that the agent saw, in order. */
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
    return {
      text: text.toString('utf8'),
      parameters: parameters.map((value, index) =>
        shown(value, formats.length === 1 ? formats[0] : formats[index]),
      ),
      copyData: shown(copyData, copyData !== null && isUtf8(copyData) ? 0 : 1),
    }
  } catch {
    return null
  }
}

function placed(all: Map<string, Map<number, Buffer>>, requestId: string): Map<number, Buffer> {
  const known = all.get(requestId)
  if (known !== undefined) return known
  const fresh = new Map<number, Buffer>()
  all.set(requestId, fresh)
  return fresh
}

const ordered = (pieces: ReadonlyMap<number, Buffer> | undefined): Buffer[] =>
  [...(pieces ?? [])].sort(([a], [b]) => a - b).map(([, piece]) => piece)

function shown(value: Buffer | null, format: number | undefined): string | null {
  if (value === null) return null
  return format === 1 ? `\\x${value.toString('hex')}` : value.toString('utf8')
}
