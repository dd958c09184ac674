import {
  fingerprintOf,
  isMessageType,
  isSchemaOf,
  SCHEMAS,
  type WrittenWith,
} from '@countersign/contracts'
import { EventId, uuidv5 } from '@countersign/kernel'
import { type Draft, draftOf } from './draft.ts'
import type { LogRecord, ReadToEndOptions } from './log.ts'

/** The topic of the schemas that records are written with; provisioning alone writes it. */
export const SCHEMAS_TOPIC = 'schemas'

/** The schemas that services of other versions write with. They are asked for when a record needs one, and kept. */
export type Schemas = {
  readonly writtenWith: WrittenWith
  /** True if an unreadable record can be understood now, because this call asked for its schema and got it. */
  learned(record: LogRecord): Promise<boolean>
}

/** Schemas from the topic that they are published in. */
export function schemasFrom(
  readToEnd: (options: ReadToEndOptions) => Promise<void>,
  onFailure: (cause: unknown) => void = () => undefined,
): Schemas {
  // bound: one per schema that is published
  const known = new Map<string, unknown>()
  // bound: ASKED_MAX
  const asked = new Set<string>()
  let asking: Promise<void> | null = null

  return {
    writtenWith: (fingerprint) => known.get(fingerprint),
    async learned(record) {
      if (record.status !== 'unreadable' || record.position.topic === SCHEMAS_TOPIC) return false
      const fingerprint = record.headers['ce_dataschema']?.split(':')[1]
      // A schema is published before records are written with it, so asking once is enough.
      if (fingerprint === undefined || known.has(fingerprint) || asked.has(fingerprint))
        return false
      if (asked.size >= ASKED_MAX) asked.clear()
      asked.add(fingerprint)
      try {
        await (asking ??= ask().finally(() => (asking = null)))
      } catch (cause) {
        asked.delete(fingerprint)
        onFailure(cause)
      }
      return known.has(fingerprint)
    },
  }

  function ask(): Promise<void> {
    return readToEnd({
      topic: SCHEMAS_TOPIC,
      onRecord: (record) => {
        if (record.status !== 'understood' || record.message.type !== 'SchemaPublished') return
        const { message, fingerprint, schema } = record.message
        const parsed: unknown = JSON.parse(schema)
        if (isMessageType(message) && isSchemaOf(message, fingerprint, parsed))
          known.set(fingerprint, parsed)
      },
    })
  }
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

const ASKED_MAX = 10_000
const PUBLICATIONS = '3f0b0f52-5d64-5b7e-9c1d-6f1f5f3c2b10'
