// Generated from schemas/common by libs/contracts/generate.ts; do not edit.
import type { Instant, SessionId } from '@countersign/kernel'

/** An ordered list of stages, as it stood when the decision was made. */
export type Chain = {
  /** The name of the chain in the catalog. */
  readonly name: string
  /** SHA-256 of the definition. */
  readonly version: string
  /** The stages, in order. */
  readonly stages: readonly Stage[]
  /** COPY FROM STDIN is held with its data, so that people see and approve them. */
  readonly holdsCopyData: boolean
}

/** A setting of a session that can change what a text means, and that is not the target's own. */
export type ChangedSetting = {
  /** The name of the setting. */
  readonly name: string
  /** Its value; of a long one its SHA-256. */
  readonly value: string
}

/** A column of a relation at the target. */
export type Column = {
  /** The attribute number. */
  readonly attnum: number
  /** The name. */
  readonly name: string
  /** The OID of its type. */
  readonly typeOid: number
  /** The masking label of the target itself (pg_seclabel). */
  readonly label: string | null
  /** The column that a column of a view shows as it is; null for what may be computed. */
  readonly origin: Dependency | null
  /** The fields of the composite values that it holds, at any depth, through arrays, domains and ranges; empty for none. */
  readonly fields: readonly CompositeField[]
}

/** A rule that tags columns by name. */
export type ColumnRule = {
  /** A pattern for the schema; * stands for anything. */
  readonly schema: string | null
  /** A pattern for the table. */
  readonly table: string | null
  /** A pattern for the column. */
  readonly column: string | null
  /** The tag. */
  readonly tag: string
  /** How it is masked. */
  readonly method: MaskingMethod
  /** Whether everything that a statement computes is masked when it touches such a column, also what returns no value of it, such as a count. */
  readonly masksInference: boolean
}

/** A field of a composite type. */
export type CompositeField = {
  /** The schema of the type. */
  readonly schema: string
  /** The name of the type; that of the relation whose rows it describes, where there is one. */
  readonly type: string
  /** The name of the field. */
  readonly name: string
  /** The masking label of the target itself (pg_seclabel). */
  readonly label: string | null
}

/** A generated column. */
export type ComputedColumn = {
  /** Its attribute number. */
  readonly attnum: number
  /** The columns of the same row that it is computed of; 0 for any of them. */
  readonly of: readonly number[]
}

/** A column of a COPY TO STDOUT. */
export type CopiedColumn = {
  /** Its name; empty where it has none. */
  readonly name: string
  /** The OID of its type; that of text where it is not known. */
  readonly typeOid: number
}

/** The rows of a COPY TO STDOUT, by which their text can be taken apart. */
export type CopyOut = {
  /** text or csv, with the delimiter, quotes and NULL that PostgreSQL gives it. */
  readonly format: string
  /** True if the first line has the names of the columns. */
  readonly header: boolean
  /** Its columns, in their order. */
  readonly columns: readonly CopiedColumn[]
}

/** Which later requests of the session a decision covers. */
export type Coverage = 'None' | 'Exact' | 'Shape'

/** What a view is made from. */
export type Dependency = {
  /** The OID of the relation below; 0 for code that may read any. */
  readonly relationOid: number
  /** The attribute number below; 0 when the whole relation. */
  readonly attnum: number
}

/** A type of the target that PostgreSQL does not bring itself, and what making or reading a value of it may run. Row types of relations are left out where their columns say enough. */
export type DescribedType = {
  /** Its OID. */
  readonly oid: number
  /** Its schema. */
  readonly schema: string
  /** Its name; of an array that PostgreSQL made, with an underscore in front. */
  readonly name: string
  /** array, base, composite, domain, enum, multirange, range or other. */
  readonly kind: string
  /** Whether making a value of it runs nothing but PostgreSQL's own harmless functions, or those of extensions in C. */
  readonly plain: boolean
  /** Whether a value holds others: PostgreSQL reads a literal beside a column of such a type as of the type itself. */
  readonly composed: boolean
  /** Whether the target has casts or operators that PostgreSQL applies to its values unasked, and that may run more. */
  readonly runsWhenRead: boolean
  /** The OID of what it is made of: the element of an array, the base of a domain, the bounds of a range, the range of a multirange; 0 for none. */
  readonly of: number
  /** The OIDs of the types of the columns of a composite type, each once. */
  readonly parts: readonly number[]
  /** A short hash of the labels of an enum, the default and checks of a domain, or the fields of a composite type; empty for others, and in a description that did not look. */
  readonly digest: string
}

/** A content detector, and how a hit is masked. */
export type DetectorRule = {
  /** The name of the detector. */
  readonly name: string
  /** How a hit is masked. */
  readonly method: MaskingMethod
}

/** One thing that a request does, to one table or to the target as a whole. */
export type Effect = {
  /** read, write, delete, schema-change, privilege-change, session-change, notify, transaction, program, opaque, unknown. */
  readonly effect: string
  /** The schema of the table. */
  readonly schema: string | null
  /** The name of the table. */
  readonly table: string | null
}

/** Who acts: a person, or an agent on behalf of a person. */
export type Identity = {
  /** The subject of the token (sub). */
  readonly subject: string
  /** Who holds the connection: act.sub where the token has it, else sub. */
  readonly agent: string
  /** The person that the agent acts for; null when it acts for itself. */
  readonly behalfOf: string | null
  /** Everybody in the delegation chain, so that nobody of it can countersign. */
  readonly actors: readonly string[]
  /** The groups of the identity. */
  readonly groups: readonly string[]
  /** When the token expires. */
  readonly expiresAt: Instant
}

/** Facts about a text that is too long for the proxy to parse; it finds those of a shorter one itself. */
export type LongText = {
  /** Its effect on the transaction that it runs in. */
  readonly turn: TransactionTurn
  /** True if the first COMMIT or ROLLBACK that the target answers it with is the end of its transaction. */
  readonly endTold: boolean
  /** The name that it gives a statement with PREPARE, where it does nothing else. */
  readonly prepares: string | null
  /** The name that it executes with EXECUTE, where it does nothing else. */
  readonly executes: string | null
}

/** A column that is masked, and how. */
export type MaskedColumn = {
  /** The OID of the relation. */
  readonly tableOid: number
  /** The attribute number. */
  readonly attnum: number
  /** Why it is masked, for example email. */
  readonly tag: string
  /** How it is masked. */
  readonly method: MaskingMethod
}

/** How a value is masked. */
export type MaskingMethod = 'Redact' | 'Partial' | 'Pseudonym' | 'Null'

/** A statement that PREPARE gave a name at the target. */
export type NamedStatement = {
  /** Its name. */
  readonly name: string
  /** The text of the PREPARE, as the target has it. */
  readonly text: string
}

/** A relation that a masking plan is made for. */
export type PlannedRelation = {
  /** The OID of the relation. */
  readonly oid: number
  /** The last column that is planned for; a later one is new, because PostgreSQL never uses a number again. */
  readonly attnumMax: number
}

/** One Cedar file. */
export type PolicyFile = {
  /** The file name, for messages. */
  readonly name: string
  /** The policies. */
  readonly text: string
}

/** A connection profile, as it stood when the session was admitted. */
export type Profile = {
  /** The name, which clients give as the database name. */
  readonly name: string
  /** SHA-256 of the definition. */
  readonly version: string
  /** The environment; it owns the reviewers. */
  readonly environment: string
  /** The host of the target. */
  readonly host: string
  /** The port of the target. */
  readonly port: number
  /** The database at the target. */
  readonly database: string
  /** The TLS that the connection to the target must have. */
  readonly tls: TlsMode
  /** Where the broker finds its own credential, for example file:shop-prod-admin. */
  readonly adminSecret: string
  /** The roles of every session. */
  readonly baseRoles: readonly string[]
  /** The role that owns what an approved request creates. */
  readonly ownerRole: string | null
  /** The roles lent to approved requests. */
  readonly raised: readonly RaisedPrivilege[]
  /** How long a session may last, in milliseconds. */
  readonly sessionMaxMs: number
  /** How many rows one request may return. */
  readonly rowsMax: number
  /** How long a request may be held inside a transaction that keeps its snapshot (REPEATABLE READ, SERIALIZABLE), in milliseconds; 0 refuses. */
  readonly holdInTransactionMaxMs: number
  /** How much is recorded. */
  readonly recording: Recording
  /** Whether a session goes on after the token that opened it expired. */
  readonly outlivesToken: boolean
  /** How long a request may be held inside a transaction that keeps locks which others wait for, in milliseconds; 0 refuses. */
  readonly holdAfterWriteMaxMs: number
  /** Whether base roles may create (tables, temporary tables, types, functions) without people; for development. */
  readonly mayCreate: boolean
  /** How long an agent may leave a session idle in which a privilege is raised, in milliseconds; then it ends. */
  readonly raisedIdleMaxMs: number
  /** The values of search_path that a session may set beside that of the target; a name that ends in * stands for all schemas that begin so. */
  readonly searchPaths: readonly (readonly string[])[]
}

/** The wire protocol that an agent speaks to a target. */
export type Protocol = 'Postgres'

/** The roles that an approved request of one effect is lent. */
export type RaisedPrivilege = {
  /** The effect, as in policy: write, delete, schema-change and so on. */
  readonly effect: string
  /** The roles granted for the request. */
  readonly roles: readonly string[]
}

/** How much is recorded: what was asked and what the agent saw (Full), or only what was asked (Statements). Nobody can ask for Digest: policy needs the content. */
export type Recording = 'Full' | 'Statements' | 'Digest'

/** The names to which a text gives another meaning or value, up to a limit of each kind. */
export type Redefinitions = {
  /** Of prepared statements; null where it may be any. */
  readonly statements: readonly string[] | null
  /** Of portals, which cursors are too; null where it may be any. */
  readonly portals: readonly string[] | null
  /** Of settings of applications, which have a dot; null where it may be any. */
  readonly settings: readonly string[] | null
}

/** A table, view or similar at the target. */
export type Relation = {
  /** Its OID. */
  readonly oid: number
  /** Its schema. */
  readonly schema: string
  /** Its name. */
  readonly name: string
  /** table, view, materialized-view, foreign-table, foreign-program (a foreign table whose rows a program on the server writes), partitioned-table, sequence. */
  readonly kind: string
  /** Its columns. */
  readonly columns: readonly Column[]
  /** What a view reads. */
  readonly dependsOn: readonly Dependency[]
  /** The OIDs of the tables that it is a partition of or inherits from, without theirs. */
  readonly inherits: readonly number[]
  /** Its generated columns. Null in a description that looked neither at those nor at rows that views use as a whole: any column may be computed of any. */
  readonly computed: readonly ComputedColumn[] | null
  /** A short hash of what decides beside its columns what a statement on it does: triggers, rules and the query of a view, CHECKs, foreign keys that change other tables, policies, bounds of partitions, defaults, unique indexes, options of a foreign table. Empty where there is none, and in a description that did not look. */
  readonly digest: string
  /** The OIDs of the relations that a statement on it changes or reads without naming them: by foreign keys with actions, and by policies. */
  readonly reaches: readonly number[]
  /** True if triggers, rules, policies, defaults, CHECKs or indexes of it call functions of the target that are not in C. */
  readonly runsCode: boolean
}

/** What a request carries, unreadable without the data key of the session. */
export type RequestContent = {
  /** What the request asks. */
  readonly kind: RequestKind
  /** SHA-256 of the subject, in hex; an approval binds it. */
  readonly digest: string
  /** The Avro bytes of the RequestSubject, encrypted with AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag. Empty when it stands in RequestPart events. */
  readonly ciphertext: Buffer
  /** In how many RequestPart events the ciphertext stands; 0 when it stands here. */
  readonly partCount: number
  /** The statement with every literal replaced, safe to show to anybody who may read the log. */
  readonly rendering: string
  /** The length of the statement text in bytes. */
  readonly sizeBytes: number
}

/** What a request asks: a simple Query, the preparation of a statement, the execution of a prepared one, data streamed in, or a protocol step without a statement. */
export type RequestKind = 'Query' | 'Prepare' | 'Execute'

/** Who asked for the request: the agent, or Countersign itself (a catalog look-up, a rollback). */
export type RequestOrigin = 'Agent' | 'Countersign'

/** Exactly what is asked, and what an approval binds: its digest is SHA-256 over "countersign/request/1" followed by the Avro bytes of this record. It stands in the log only encrypted with the data key of the session. */
export type RequestSubject = {
  /** The protocol of the request. */
  readonly protocol: Protocol
  /** What the request asks. */
  readonly kind: RequestKind
  /** The exact bytes of the statement. */
  readonly text: Buffer
  /** The type OIDs that the client declared for the parameters; 0 leaves it to the server. */
  readonly parameterTypes: readonly number[]
  /** The format codes of the parameters, as sent in Bind: 0 text, 1 binary. */
  readonly parameterFormats: readonly number[]
  /** The exact values of the parameters; null is SQL NULL. */
  readonly parameters: readonly (Buffer | null)[]
  /** The format codes that the client asked for the result columns. */
  readonly resultFormats: readonly number[]
  /** The row limit of Execute; 0 is no limit. */
  readonly rowsMax: number
  /** The session that asks. */
  readonly sessionId: SessionId
  /** The agent that asks. */
  readonly agent: string
  /** The connection profile. */
  readonly target: string
  /** The roles that the session has at the target without any approval. */
  readonly baseRoles: readonly string[]
  /** Counts changes of the session state that can change what a text means. */
  readonly stateVersion: number
  /** The version of the policy set that the proxy knew. */
  readonly policyVersion: string
  /** 16 random bytes, so that the digest cannot be guessed from a likely text. */
  readonly salt: Buffer
  /** The settings under which the text is read and that are not the target's own, by name. Records of before this field existed are read without it. */
  readonly settings: readonly ChangedSetting[]
  /** The type OIDs of the parameters as the target described them to the client (ParameterDescription); empty where it did not. Records of before this field existed are read without it. */
  readonly valueTypes: readonly number[]
  /** The data of a COPY FROM STDIN that is held with them: all that the client sent, without the borders of its messages; null where none are held. Records of before this field existed are read without it. */
  readonly copyData: Buffer | null
  /** The statement that the EXECUTE of the text runs; empty where the text is no EXECUTE, or it is not known what it runs. Records of before this field existed are read without it. */
  readonly executes: readonly NamedStatement[]
}

/** A function or procedure of the target outside pg_catalog. */
export type Routine = {
  /** Its OID. */
  readonly oid: number
  /** Its schema. */
  readonly schema: string
  /** Its name. */
  readonly name: string
  /** immutable, stable or volatile. */
  readonly volatility: string
  /** Whether it runs with the rights of its owner. */
  readonly securityDefiner: boolean
  /** The language it is written in; type for a type that converts, unasked where PostgreSQL applies casts of the target by itself. */
  readonly language: string
  /** When PostgreSQL may choose it instead of its own function of that name: never, values (an argument is of a type of the target), literals (or a literal), always. Of one of PostgreSQL's own types: values where only types of the target are cast to it by functions. */
  readonly overloads: string
  /** True if it only computes: it is in C and declared neither volatile nor SECURITY DEFINER, as are the parts of an aggregate. */
  readonly plain: boolean
  /** A short hash of its body and properties; of a type or an operator, of the functions behind it. Empty where there is none, and in a description that did not look. */
  readonly digest: string
}

/** A secret sealed for one reader. */
export type SealedFor = {
  /** The service that can open it. */
  readonly reader: string
  /** The secret, as a compact JWE (ECDH-ES+A256KW, A256GCM). */
  readonly jwe: string
}

/** One step of a chain: who may countersign, how many must, until when. */
export type Stage = {
  /** The name of the stage. */
  readonly name: string
  /** The name of the Reviewers entry. */
  readonly reviewers: string
  /** The environment that the reviewers belong to. */
  readonly environment: string
  /** Members of any of these groups may countersign. */
  readonly groups: readonly string[]
  /** How many must countersign. */
  readonly mode: StageMode
  /** How many distinct people must countersign; 1 for Any. */
  readonly quorum: number
  /** How long the stage may take, in milliseconds. */
  readonly deadlineMs: number
  /** Who may not countersign: requester, behalfOf, earlierStages. */
  readonly distinctFrom: readonly string[]
}

/** How many reviewers of a stage must countersign: any one, every reviewer group once, or a number of distinct people. */
export type StageMode = 'Any' | 'All' | 'Quorum'

/** PostgreSQL's answer to a text that is no SQL, without the words of the text that it quotes. */
export type SyntaxError = {
  /** Its SQLSTATE. */
  readonly code: string
  /** The kind of error: syntax error, or what does not end. */
  readonly message: string
  /** The place of the error, in characters from 1; 0 where PostgreSQL gives none. */
  readonly position: number
  /** The length of the words that are quoted from there, in characters; 0 at the end of the text, -1 where PostgreSQL quotes none from there. */
  readonly length: number
}

/** A column of pg_catalog or information_schema that shows values of users, or that nobody has classified. */
export type SystemColumn = {
  /** The OID of its relation, which differs between servers. */
  readonly relationOid: number
  /** The attribute number. */
  readonly attnum: number
  /** The schema of the relation. */
  readonly schema: string
  /** The name of the relation. */
  readonly relation: string
  /** The name of the column. */
  readonly column: string
}

/** What TLS the connection to a target must have. */
export type TlsMode = 'VerifyFull' | 'VerifyCa' | 'Require'

/** Where the session stands, as ReadyForQuery reports it. */
export type TransactionStatus = 'Idle' | 'InTransaction' | 'Failed'

/** The effect of a text on the transaction that it runs in: none, it ends it last of all, something runs behind the end, or another one begins and stays open (AND CHAIN, BEGIN behind the end). */
export type TransactionTurn = 'None' | 'Ends' | 'GoesOn' | 'BeginsAnother'

/** A type of the target that PostgreSQL does not bring itself, as far as it is needed to read a value of it in binary format. */
export type ValueType = {
  /** Its OID. */
  readonly oid: number
  /** Its name, with its schema. */
  readonly name: string
  /** array, base, composite, domain, enum, multirange, range or other. */
  readonly kind: string
  /** The OID of what it is made of: the element of an array, the base of a domain, the bounds of a range, the range of a multirange; 0 for none. */
  readonly of: number
}
