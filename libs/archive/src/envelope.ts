import { type Duplex, pipeline, type Readable } from 'node:stream'
import avro from 'avsc'
import { type LogRecord, type RawRecord, viewOf } from '@countersign/log/records'
import { z } from 'zod'

/** A record as the log had it: its original bytes, and everything that stood beside them. */
export type Envelope = Readonly<Omit<z.infer<typeof ENVELOPE>, 'headers'>> & {
  readonly headers: Readonly<Record<string, string>>
}

/** The envelope of a record. */
export function envelopeOf(record: Exclude<LogRecord, { status: 'tombstone' }>): Envelope {
  const { position, timestampMs, headers, value } = record
  return { ...position, timestampMs, headers, value }
}

/** The type of the message in an envelope; empty where the headers name none. */
export function typeIn({ headers }: Envelope): string {
  const name = headers['ce_type'] ?? ''
  return name.slice(name.lastIndexOf('.') + 1)
}

/** The record in an envelope, as a reader of the log gets it; one that cannot be understood is `unreadable`. */
export function recordIn(
  envelope: Envelope,
  log: { recordOf(raw: RawRecord): Promise<LogRecord> },
): Promise<LogRecord> {
  const { topic, partition, offset, timestampMs, value } = envelope
  const headers = viewOf(envelope.headers)
  const key = headers.text('ce_subject') ?? ''
  return log.recordOf({ position: { topic, partition, offset }, key, timestampMs, headers, value })
}

/** An envelope alone, without a container around it. */
export const envelopeBytes = (envelope: Envelope): Buffer => envelopeType.toBuffer(envelope)

/** The envelopes that `envelopeBytes` wrote, one after the other. */
export async function* envelopesIn(bytes: Readable): AsyncGenerator<Envelope> {
  const decoder = new avro.streams.RawDecoder(envelopeType)
  pipeline(bytes, decoder, () => undefined)
  // It is decoded with `envelopeType`, so it has this form.
  for await (const read of decoder) yield read as Envelope
}

/** The envelopes from a decoder of the Avro library, each checked, since the file brings its own schema. */
export async function* decodedBy(decoder: Duplex, bytes: Readable): AsyncGenerator<Envelope> {
  // Any failure destroys the decoder too, and so the loop below throws it.
  pipeline(bytes, decoder, () => undefined)
  for await (const read of decoder) yield ENVELOPE.parse(read)
}

const ENVELOPE = z.object({
  topic: z.string(),
  partition: z.number(),
  offset: z.number(),
  timestampMs: z.number(),
  headers: z.record(z.string(), z.string()),
  value: z.instanceof(Buffer),
})

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
