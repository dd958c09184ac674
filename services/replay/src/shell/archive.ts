import { access } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import { decode, isMessageType } from '@countersign/contracts'
import { type Position, parsePosition } from '@countersign/log'
import { z } from 'zod'
import { isSessionMessage, type SessionRecord } from '../core/session-record.ts'

/** Reads the archive of a session; null where there is none (yet). */
export async function readArchive(
  folder: string,
  sessionId: string,
): Promise<SessionRecord[] | null> {
  const file = join(folder, archivePath(sessionId))
  const exists = await access(file).then(
    () => true,
    () => false,
  )
  if (!exists) return null
  const records: SessionRecord[] = []
  for await (const each of avro.createFileDecoder(file)) {
    const record = recordIn(ENVELOPE.parse(each))
    if (record !== null) records.push(record)
  }
  return records
}

/** Where the recorder puts the archive of a session: by the day in its id (UUIDv7). */
export function archivePath(sessionId: string): string {
  const startedMs = Number.parseInt(sessionId.replaceAll('-', '').slice(0, 12), 16)
  const [day = ''] = new Date(startedMs).toISOString().split('T')
  return join(...day.split('-'), `${sessionId}.avro`)
}

function recordIn(envelope: z.infer<typeof ENVELOPE>): SessionRecord | null {
  const { topic, partition, offset, headers, value } = envelope
  const name = headers['ce_type'] ?? ''
  const type = name.slice(name.lastIndexOf('.') + 1)
  if (!isMessageType(type)) return null
  const fingerprint = (headers['ce_dataschema'] ?? '').replace(/^countersign:/, '')
  const message = decode(type, fingerprint, value)
  if (!isSessionMessage(message)) return null
  const position: Position = { topic, partition, offset }
  const causation = parsePosition(headers['causation'] ?? '')
  return { position, id: headers['ce_id'] ?? '', causation, message }
}

const ENVELOPE = z.object({
  topic: z.string(),
  partition: z.number(),
  offset: z.number(),
  headers: z.record(z.string(), z.string()),
  value: z.instanceof(Buffer),
})
