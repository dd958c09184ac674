// Generated from schemas/schemas by libs/contracts/generate.ts; do not edit.

/** What messages of one type are written with from some version on. Provisioning publishes it before any service writes with it, so that services of an older version can read it. */
export type SchemaPublished = {
  readonly type: 'SchemaPublished'
  /** The type of the message. */
  readonly message: string
  /** The fingerprint of the schema, as in the headers of records; also the key of the record. */
  readonly fingerprint: string
  /** The schema, as JSON. */
  readonly schema: string
}

/** Everything that may stand in the topic `schemas`. */
export type SchemasMessage =
  | SchemaPublished
