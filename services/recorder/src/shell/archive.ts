import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { access, mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import avro from 'avsc'
import { type Envelope, envelopeOf, envelopeType } from './envelope.ts'

/** Where the archive of a session is, by the day in its id (UUIDv7): known without looking, and the same after a restart. */
export function archivePath(folder: string, sessionId: string): string {
  const startedMs = Number.parseInt(sessionId.replaceAll('-', '').slice(0, 12), 16)
  const [day = ''] = new Date(startedMs).toISOString().split('T')
  return join(folder, ...day.split('-'), `${sessionId}.avro`)
}

export const hasArchive = (folder: string, sessionId: string): Promise<boolean> =>
  access(archivePath(folder, sessionId)).then(
    () => true,
    () => false,
  )

/**
 * Writes the archive of a session (an Avro Object Container File), whole or not at all. The same records give the same
 * bytes, so that writing it again changes nothing.
 */
export async function writeArchive(
  folder: string,
  sessionId: string,
  content: {
    envelopes: AsyncIterable<Envelope> | Iterable<Envelope>
    metadata: Readonly<Record<string, string>>
  },
): Promise<string> {
  const file = archivePath(folder, sessionId)
  await mkdir(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.tmp`
  const options = {
    codec: 'deflate',
    writeHeader: 'always' as const,
    syncMarker: createHash('sha256').update(sessionId).digest().subarray(0, 16),
    // The types of avsc do not name it; its encoder reads it.
    metadata: Object.fromEntries(
      Object.entries(content.metadata).map(([name, text]) => [name, Buffer.from(text)]),
    ),
  }
  await pipeline(
    Readable.from(content.envelopes),
    new avro.streams.BlockEncoder(envelopeType, options),
    createWriteStream(temporary, { flush: true }),
  )
  await rename(temporary, file)
  return file
}

/** The records of an archive. */
export async function* readArchive(folder: string, sessionId: string): AsyncGenerator<Envelope> {
  for await (const read of avro.createFileDecoder(archivePath(folder, sessionId)))
    yield envelopeOf(read)
}
