/** The kinds of effect that a statement can have, in the words of policy. */
export type EffectName =
  | 'read'
  | 'write'
  | 'delete'
  | 'schema-change'
  | 'privilege-change'
  | 'session-change'
  /** Acts on other sessions. */
  | 'notify'
  | 'transaction'
  | 'program'
  | 'opaque'
  | 'unknown'

/** A relation as it was named and, where the catalog knows it, found. */
export type RelationRef = {
  readonly schema: string | null
  readonly name: string
  /** Null when the catalog does not know the relation. */
  readonly oid: number | null
}

/** One thing that a message does, to one relation or to the target as a whole. */
export type Effect = {
  readonly effect: EffectName
  readonly relation: RelationRef | null
  readonly why: string
}

/** A column that a message reads anywhere, `*` when any column may be meant. */
export type TouchedColumn = { readonly relation: RelationRef; readonly column: string }

/** A function, cast or operator that a message calls. */
export type CalledFunction = { readonly name: string; readonly harmless: boolean }

/** One statement of a message; start and length count bytes of the UTF-8 text. */
export type StatementSpan = {
  readonly tag: string
  readonly start: number
  readonly length: number
}

/** The effect of a transaction statement on the transaction. */
export type TransactionControl =
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback-to'
  | 'prepare'
  | 'commit-prepared'
  | 'rollback-prepared'
  | 'set'

/** Everything that one message (one Query, or one Parse) asks of PostgreSQL: the union over its statements. */
export type Understanding = {
  readonly statements: readonly StatementSpan[]
  readonly effects: readonly Effect[]
  readonly tables: readonly RelationRef[]
  readonly columns: readonly TouchedColumn[]
  readonly functions: readonly CalledFunction[]
  /** A column flows into something other than the client. */
  readonly movesData: boolean
  /** Result columns may come from relations that the text does not name (FETCH, EXECUTE, opaque functions). */
  readonly columnsUnknown: boolean
  /** The direction of COPY data: from the client or to it; `in` also where another statement of the message sends some out. */
  readonly copy: 'in' | 'out' | null
  /** The last transaction statement of the message. */
  readonly transactionControl: TransactionControl | null
  /** Every transaction statement of the message, in order. */
  readonly transactionControls: readonly TransactionControl[]
  /** Statements that touch every row: UPDATE, DELETE and MERGE without a condition that restricts, and TRUNCATE. */
  readonly unbounded: readonly { readonly tag: string; readonly relation: RelationRef }[]
  /** Later texts may mean something else afterwards: raises the session's stateVersion. */
  readonly stateChanging: boolean
  /** Unqualified names may mean something else afterwards: the message has the effect `unknown`. */
  readonly changesNames: boolean
  /** The names of the settings that the message sets, in small letters; `*` stands for all, and for one that is not known. */
  readonly settings: readonly string[]
  /** Each SET of the message is of a setting that only changes presentation or limits. */
  readonly harmlessSetting: boolean
  /** The message creates or changes code that the target runs later. */
  readonly createsCode: boolean
  /** PostgreSQL may run code of the target already when it prepares the message. */
  readonly runsWhenPrepared: boolean
  readonly empty: boolean
  /** The reason, where the message is unknown because reading it would cost more than it may; else null. */
  readonly tooComplex: string | null
  /** The strongest lock, for evidence: `ACCESS EXCLUSIVE on shop.orders`. */
  readonly locks: string | null
  /** One sentence for reviewers. */
  readonly summary: string
}
