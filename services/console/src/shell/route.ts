import type { Caller } from '@countersign/contracts'
import type { Secret } from '@countersign/kernel'
import type { Answer } from '@countersign/runtime'

/** One operation of the API. Every one is called with a verified token. */
export type Route = {
  readonly method: 'get' | 'post' | 'put'
  readonly path: string
  answer(call: Call): Answer | Promise<Answer>
}

/** One call of an operation: the caller with the token, and the parts of the HTTP request. */
export type Call = {
  readonly identity: Caller
  readonly token: Secret<string>
  /** The `:id` of the path. */
  readonly id: string
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
}
