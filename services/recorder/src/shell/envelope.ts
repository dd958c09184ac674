import avro from 'avsc'
import { z } from 'zod'

/** A record as the log had it: its original bytes, and everything that stood beside them. */
export type Envelope = z.infer<typeof ENVELOPE>

const ENVELOPE = z.object({
  topic: z.string(),
  partition: z.number(),
  offset: z.number(),
  timestampMs: z.number(),
  headers: z.record(z.string(), z.string()),
  value: z.instanceof(Buffer),
})

/** What the Avro library read, checked. */
export const envelopeOf = (read: unknown): Envelope => ENVELOPE.parse(read)

/** The schema of an archive. */
export const envelopeType = avro.Type.forSchema({
  type: 'record',
  namespace: 'countersign.archive',
  name: 'Envelope',
  doc: 'One record of the log, with its original bytes.',
  fields: [
    { name: 'topic', type: 'string', doc: 'The topic.' },
    { name: 'partition', type: 'int', doc: 'The partition.' },
    { name: 'offset', type: 'long', doc: 'The offset.' },
    { name: 'timestampMs', type: 'long', doc: 'When it was written, in Unix milliseconds.' },
    { name: 'headers', type: { type: 'map', values: 'string' }, doc: 'The headers, as text.' },
    { name: 'value', type: 'bytes', doc: 'The bytes of the record, as they stood in the log.' },
  ],
})
