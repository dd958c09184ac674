/** The kind of an event, in one word. */
export type Kind =
  | 'asked'
  | 'admitted'
  | 'credential'
  | 'plan'
  | 'opened'
  | 'request'
  | 'allowed'
  | 'blocked'
  | 'held'
  | 'countersigned'
  | 'vote-refused'
  | 'denied'
  | 'granted'
  | 'expired'
  | 'withdrawn'
  | 'raised'
  | 'released'
  | 'completed'
  | 'lowered'
  | 'refused'
  | 'revoked'
  | 'ended'

/** One line of a timeline, as the API gives it. */
export type Entry = {
  /** ISO 8601. */
  readonly at: string
  readonly kind: Kind
  readonly requestId: string | null
  /** The exact statement, or its rendering where the content was erased. */
  readonly text: string | null
  readonly parameters: readonly (string | null)[]
  /** The types of the parameters, as far as the client or the target said them, and how their values were sent. */
  readonly parameterTypes: readonly ParameterType[]
  /** The data of a COPY that people saw with it, in hexadecimal when they are no text; null when none were held. */
  readonly copyData: string | null
  /** The path of the whole request, when its statement, parameters or data are cut here; null when nothing is cut. */
  readonly whole: string | null
  readonly detail: string
  readonly who: string | null
  readonly durationMs: number | null
  /** The results that are its own, in order: of a simple query, one for each of its statements. */
  readonly results: readonly RequestResult[]
  /** Words about results that are missing, or that are not known for certain; null when there is nothing to say. */
  readonly resultsNote: string | null
  /** True if it is of a request that Countersign itself made to the target, such as whether a privilege is there. */
  readonly internal: boolean
  /** The facts of the detail, for programs; only those that the message has. */
  readonly facts: Facts
}

/** The type of a parameter: its OID, 0 where it is not known. A binary value is given in hexadecimal. */
export type ParameterType = { readonly oid: number; readonly format: 'text' | 'binary' }

/** The facts that a message tells, by name. */
export type Facts = {
  /** The rules that decided, and the policy version that they are of. */
  readonly policy?: { readonly version: string; readonly rules?: readonly string[] }
  readonly decisionId?: string
  readonly digest?: string
  readonly approvalId?: string
  readonly chain?: string
  readonly chains?: readonly string[]
  readonly stage?: string
  readonly stageComplete?: boolean
  readonly signers?: readonly string[]
  /** The roles that are lent, or taken back. */
  readonly roles?: readonly string[]
  readonly coverage?: string
  readonly code?: string
  readonly reason?: string
  readonly outcome?: string
  readonly commandTag?: string
  readonly sqlState?: string
  readonly rows?: number
}

/** A result as the agent saw it: masked, and only its first rows. */
export type RequestResult = {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly truncated: boolean
  readonly tag: string | null
  readonly error: string | null
}
