import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { archiveIn, recordIn } from '@countersign/archive'
import type { RequestContent } from '@countersign/contracts'
import type { Log, LogRecord } from '@countersign/log'
import { SessionId } from '@countersign/kernel'
import { type System, topicsOf, topologies } from '@countersign/local'
import { archivedSessions, recordsOf } from './ledger.ts'
import { type Open, openedAsReplay } from './opened.ts'

/** Bytes that Countersign keeps, and where. */
export type Place = { readonly name: string; readonly bytes: Buffer }

/** Everything that Countersign keeps. */
export type Kept = {
  /** The bytes as they are stored: topics and archives with their keys and headers, service logs and all other own files. */
  readonly clear: readonly Place[]
  /** The encrypted content of the topics, opened: requests, data that streamed into them, transcripts, each in one piece. */
  readonly opened: readonly Place[]
  /** The encrypted content of the archives, opened in the same way. */
  readonly openedInArchives: readonly Place[]
}

/** Collects it. The data of Kafka is read as topics; the files of the target, the secrets and the TLS keys are not read. */
export async function everythingKept(system: System, log: Log): Promise<Kept> {
  const open = await openedAsReplay(system, log)
  const topics: LogRecord[] = []
  const clear: Place[] = []
  for (const { name } of topicsOf(await topologies())) {
    const records = await recordsOf(log, name)
    topics.push(...records)
    clear.push(...placesOf(`topic ${name}`, records))
  }
  const archived: LogRecord[] = []
  for (const id of await archivedSessions(system)) {
    const records: LogRecord[] = []
    const found = await archiveIn(join(system.instance.dir, 'archive')).read(SessionId(id))
    // An archive is compressed, so a search of its bytes would find nothing.
    for await (const envelope of found ?? []) records.push(await recordIn(envelope, log))
    archived.push(...records)
    clear.push(...placesOf(`archive ${id}`, records))
  }
  for (const file of await ownFiles(system.instance.dir))
    clear.push({ name: file, bytes: await readFile(file) })
  return {
    clear,
    opened: placesOpened('topics', topics, open),
    openedInArchives: placesOpened('archives', archived, open),
  }
}

const placesOf = (name: string, records: readonly LogRecord[]): Place[] => [
  {
    name,
    bytes: Buffer.concat(records.flatMap((record) => ('value' in record ? [record.value] : []))),
  },
  {
    name: `keys and headers of ${name}`,
    bytes: Buffer.from(
      records.map(({ key, headers }) => JSON.stringify([key, headers])).join('\n'),
    ),
  },
]

function placesOpened(where: string, records: readonly LogRecord[], open: Open): Place[] {
  const transcripts = new Map<string, Map<number, Buffer>>()
  const streams = new Map<string, Map<number, Buffer>>()
  const parts = new Map<string, Map<number, Buffer>>()
  const places: Place[] = []
  const request = (sessionId: string, requestId: string, content: RequestContent): void => {
    const sealed =
      content.partCount === 0 ? content.ciphertext : joined(parts.get(requestId) ?? new Map())
    places.push({ name: `request ${requestId} in ${where}`, bytes: open(sessionId, sealed) })
  }
  for (const record of records) {
    if (record.status !== 'understood') continue
    const { message } = record
    switch (message.type) {
      case 'TranscriptRecorded':
        put(
          transcripts,
          message.sessionId,
          message.sequence,
          open(message.sessionId, message.ciphertext),
        )
        break
      case 'RequestPart':
        if (message.stream)
          put(
            streams,
            message.requestId,
            message.index,
            open(message.sessionId, message.ciphertext),
          )
        else put(parts, message.requestId, message.index, message.ciphertext)
        break
      case 'RequestIntercepted':
        request(message.sessionId, message.requestId, message.content)
        break
      case 'RequestReleased':
        if (message.content !== null) request(message.sessionId, message.requestId, message.content)
        break
      default:
    }
  }
  for (const [id, pieces] of transcripts)
    places.push({ name: `transcript of ${id} in ${where}`, bytes: joined(pieces) })
  for (const [id, pieces] of streams)
    places.push({ name: `what streamed into ${id} in ${where}`, bytes: joined(pieces) })
  return places
}

/** Keeps a piece under its index. A record that was written twice gives the same piece at the same index. */
function put(
  all: Map<string, Map<number, Buffer>>,
  id: string,
  index: number,
  piece: Buffer,
): void {
  const pieces = all.get(id) ?? new Map<number, Buffer>()
  all.set(id, pieces.set(index, piece))
}

const joined = (pieces: ReadonlyMap<number, Buffer>): Buffer =>
  Buffer.concat([...pieces].sort(([a], [b]) => a - b).map(([, piece]) => piece))

async function ownFiles(dir: string): Promise<string[]> {
  const files: string[] = []
  for (const name of await readdir(dir, { recursive: true })) {
    if (/^(?:postgres|kafka|secrets|tls)(?:\/|$)|^postgres\.log$|\.avro$/.test(name)) continue
    const found = await stat(join(dir, name)).catch(() => null)
    if (found?.isFile() === true) files.push(join(dir, name))
  }
  return files
}
