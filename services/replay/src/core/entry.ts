/** What happened, in one word. */
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
  /** The data of a COPY that people saw with it, in hexadecimal where they are no text; null where none were held. */
  readonly copyData: string | null
  /** Where all of a request can be had of which the statement, parameters or data are cut here; null where nothing is. */
  readonly whole: string | null
  readonly detail: string
  readonly who: string | null
  readonly durationMs: number | null
  readonly result: RequestResult | null
  /** Of a request that Countersign itself made of the target, such as whether a privilege is there. */
  readonly internal: boolean
  /** What the detail says, for programs; only what the message has. */
  readonly facts: Facts
}

/** What a message says, by name. */
export type Facts = {
  /** The decision: which rules of which version. */
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
