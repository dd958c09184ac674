import { createHash } from 'node:crypto'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import avro from 'avsc'
import { fingerprintOf, isMessageType, SCHEMAS } from '@countersign/contracts'
import { Problem, type SessionId } from '@countersign/kernel'
import { z } from 'zod'
import { decodedBy, type Envelope, envelopeType } from './envelope.ts'

/** The content of the archive of one session. */
export type Content = {
  readonly sessionId: SessionId
  /** The message that ended the session; `None` where it was not ended. */
  readonly end: string
  /** The number of its records. The file states it too, and with any other number is read as damaged. */
  readonly count: number
  /** The types of message among them, whose schemas the file holds. */
  readonly types: ReadonlySet<string>
  /** Its records, topic after topic in the order of their offsets. */
  readonly envelopes: AsyncIterable<Envelope>
}

/**
 * Writes an archive, which is an Avro Object Container File that explains itself. The same content gives the same
 * bytes, so that writing it again changes nothing.
 */
export async function writeContainer(content: Content, into: Writable): Promise<void> {
  const options = {
    codec: 'deflate',
    writeHeader: 'always' as const,
    syncMarker: createHash('sha256').update(content.sessionId).digest().subarray(0, 16),
    // The types of avsc do not name it; its encoder reads it.
    metadata: metadataOf(content),
  }
  const encoder = new avro.streams.BlockEncoder(envelopeType, options)
  await pipeline(Readable.from(content.envelopes), encoder, into)
}

/** Reads an archive. One that is damaged or cut short gives what it has, and then fails. */
export async function* readContainer(bytes: Readable): AsyncGenerator<Envelope> {
  try {
    yield* whole(bytes)
  } catch (cause) {
    // A failure of the disk says nothing about the archive.
    if (cause instanceof Problem || (cause instanceof Error && 'syscall' in cause)) throw cause
    throw damaged('an archive is damaged', cause)
  }
}

async function* whole(bytes: Readable): AsyncGenerator<Envelope> {
  const decoder = new avro.streams.BlockDecoder()
  let metadata: Metadata | null = null
  decoder.once('metadata', (_type: unknown, _codec: unknown, header: unknown) => {
    metadata = HEADER.parse(header).meta
  })
  let count = 0
  for await (const envelope of decodedBy(decoder, bytes)) {
    count++
    yield envelope
  }
  const expected = expectedIn(metadata, count)
  if (expected === String(count)) return
  throw damaged(`an archive has ${count} of ${expected} records`)
}

const damaged = (message: string, cause?: unknown): Problem =>
  new Problem('CS_MESSAGE_UNREADABLE', message, {
    cause,
    hint: 'The file was changed after it was written: take it from a backup.',
  })

/** The metadata of the file, with the number of records: the Avro library does not notice that a file is cut short. */
function metadataOf({ sessionId, end, count, types }: Content): Metadata {
  const schemas = Object.fromEntries(
    [...types]
      .filter(isMessageType)
      .sort()
      .map((type) => [fingerprintOf(type), SCHEMAS[type].schema]),
  )
  return {
    'countersign.session': Buffer.from(sessionId),
    'countersign.end': Buffer.from(end),
    'countersign.schemas': Buffer.from(JSON.stringify(schemas)),
    [RECORDS]: Buffer.from(String(count)),
  }
}

/** The number of records that the file states. Archives of version 0.1.0 state none, but each archive has metadata. */
const expectedIn = (metadata: Metadata | null, count: number): string =>
  metadata === null ? 'unknown' : (metadata[RECORDS]?.toString() ?? String(count))

type Metadata = Record<string, Buffer>

const HEADER = z.object({ meta: z.record(z.string(), z.instanceof(Buffer)) })
const RECORDS = 'countersign.records'
