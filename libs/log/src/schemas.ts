import {
  fingerprintOf,
  isMessageType,
  isSchemaOf,
  SCHEMAS,
  type WrittenWith,
} from '@countersign/contracts'
import { EventId, keepNewest, uuidv5 } from '@countersign/kernel'
import { type Draft, draftOf } from './draft.ts'
import { type RawRecord, recordOf } from './envelope.ts'
import type { Log, LogRecord } from './log.ts'

/** The topic of the schemas that records are written with; provisioning alone writes it. */
export const SCHEMAS_TOPIC = 'schemas'

/** The schemas that services of other versions write with. They are asked for when a record needs one, and kept. */
export type Schemas = {
  readonly writtenWith: WrittenWith
  /** True if the schema of an unreadable record is known now, so that it is worth another try. */
  learned(record: LogRecord): Promise<boolean>
}

/** The part of the log that schemas are read with. */
export type SchemasSource = Pick<Log, 'readToEnd' | 'endOffsets'>

/** Schemas from the topic that they are published in. */
export function schemasFrom(
  { readToEnd, endOffsets }: SchemasSource,
  onFailure: (cause: unknown) => void = () => undefined,
): Schemas {
  // bound: one per schema that is published
  const known = new Map<string, unknown>()
  /** Fingerprints that the topic, as far as it was read, does not have. */
  // bound: ABSENT_MAX
  const absent = new Set<string>()
  /** The ends up to which the topic was read. */
  // bound: one per partition
  let readUpTo: ReadonlyMap<number, number> = new Map()
  let look = Promise.resolve()
  let nextLook: Promise<void> | null = null

  return {
    writtenWith: (fingerprint) => known.get(fingerprint),
    async learned(record) {
      if (record.status !== 'unreadable' || record.position.topic === SCHEMAS_TOPIC) return false
      const fingerprint = record.headers['ce_dataschema']?.split(':')[1]
      if (fingerprint === undefined || absent.has(fingerprint)) return false
      // Another record may have asked for it since this one was decoded.
      if (known.has(fingerprint)) return true
      try {
        await looked()
      } catch (cause) {
        onFailure(cause)
        return known.has(fingerprint)
      }
      if (known.has(fingerprint)) return true
      absent.add(fingerprint)
      keepNewest(absent, ABSENT_MAX)
      return false
    },
  }

  /**
   * Looks for new schemas. A schema is published before records are written with it, so one look is enough that begins
   * after the record was read; all records that wait share it.
   */
  function looked(): Promise<void> {
    if (nextLook !== null) return nextLook
    const mine = look.then(() => {
      nextLook = null
      return readIfMore()
    })
    nextLook = mine
    look = mine.catch(() => undefined)
    return mine
  }

  /** Reads the topic where it has grown: a fingerprint that somebody made up costs one question, and no reading. */
  async function readIfMore(): Promise<void> {
    const ends = await endOffsets(SCHEMAS_TOPIC)
    if ([...ends].every(([partition, end]) => readUpTo.get(partition) === end)) return
    await readToEnd({ topic: SCHEMAS_TOPIC, onRecord: take })
    readUpTo = ends
    absent.clear()
  }

  function take(record: LogRecord): void {
    if (record.status !== 'understood' || record.message.type !== 'SchemaPublished') return
    const { message, fingerprint, schema } = record.message
    const parsed: unknown = JSON.parse(schema)
    if (isMessageType(message) && isSchemaOf(message, fingerprint, parsed))
      known.set(fingerprint, parsed)
  }
}

/** The record in these bytes, as a reader of the log gets it. */
export async function recordBy(schemas: Schemas, raw: RawRecord): Promise<LogRecord> {
  const record = recordOf(raw, null, schemas.writtenWith)
  return (await schemas.learned(record)) ? recordOf(raw, null, schemas.writtenWith) : record
}

/** The records with which provisioning publishes the schemas of this version. */
export function publishedSchemas(): Draft[] {
  return Object.entries(SCHEMAS).flatMap(([message, { schema }]) => {
    if (!isMessageType(message)) return []
    const fingerprint = fingerprintOf(message)
    return [published(message, fingerprint, schema)]
  })
}

/** The record that publishes a schema; the same one each time. */
export function published(message: string, fingerprint: string, schema: unknown): Draft {
  return draftOf(
    { type: 'SchemaPublished', message, fingerprint, schema: JSON.stringify(schema) },
    { id: EventId(uuidv5(PUBLICATIONS, fingerprint)), key: fingerprint },
  )
}

const ABSENT_MAX = 10_000
const PUBLICATIONS = '3f0b0f52-5d64-5b7e-9c1d-6f1f5f3c2b10'
