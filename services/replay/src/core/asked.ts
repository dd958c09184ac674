import type { RequestContent } from '@countersign/contracts'
import { type Decrypt, newContents } from './contents.ts'
import type { SessionMessage, SessionRecord } from './session-record.ts'

/** The exact content of a request, as the API gives it to those who are to countersign it. */
export type Asked = {
  readonly requestId: string
  readonly sessionId: string
  /** The digest that an approval binds; a reader can check that it is of the subject. */
  readonly digest: string
  /** The bytes of the RequestSubject; null where the key of the session was erased. */
  readonly subject: Buffer | null
}

/** Looks for one request among the records of its session. */
export type Search = {
  /** The content of the request, as far as these records and those before them tell it; null while they do not. */
  next(records: readonly SessionRecord[], decrypt: Decrypt | null): Asked | null
}

/** True if a message carries the content of this request: not its result, nor the data that it copied. */
export const isAskOf = (message: SessionMessage, requestId: string): boolean =>
  (message.type === 'RequestIntercepted' ||
    message.type === 'RequestReleased' ||
    (message.type === 'RequestPart' && !message.stream)) &&
  message.requestId === requestId

/** The topics of such messages. */
export const ASK_TOPICS = ['sessions']

export function newSearch(sessionId: string, requestId: string): Search {
  const contents = newContents()
  let content: RequestContent | null = null
  return {
    next(records, decrypt) {
      for (const { message } of records) {
        if (!isAskOf(message, requestId)) continue
        if (message.type === 'RequestPart') contents.take(message)
        if (message.type === 'RequestIntercepted') content = message.content
        // A request that a decision covers has its content in its release.
        if (message.type === 'RequestReleased') content = message.content ?? content
      }
      if (content === null) return null
      const subject = contents.opened(decrypt).subjectOf(requestId, content)
      return { requestId, sessionId, digest: content.digest, subject }
    },
  }
}
