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
  readonly detail: string
  readonly who: string | null
  readonly durationMs: number | null
  readonly result: RequestResult | null
}

/** A result as the agent saw it: masked, and only its first rows. */
export type RequestResult = {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly truncated: boolean
  readonly tag: string | null
  readonly error: string | null
}
