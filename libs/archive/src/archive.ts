import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SessionId } from '@countersign/kernel'
import { type Content, readContainer, writeContainer } from './container.ts'
import type { Envelope } from './envelope.ts'

/** The store of finished sessions, each in one file. */
export type Archive = {
  /** Keeps a session, whole or not at all; gives the path of its file. */
  write(content: Content): Promise<string>
  /** The records of a session; null where it is not archived (yet). */
  read(sessionId: SessionId): Promise<AsyncIterable<Envelope> | null>
  /** Every session that is archived, the oldest day first. */
  sessions(): AsyncIterable<SessionId>
}

/** The archive in a folder. */
export function archiveIn(folder: string): Archive {
  return {
    async write(content) {
      const file = join(folder, archivePath(content.sessionId))
      await mkdir(dirname(file), { recursive: true })
      const temporary = `${file}.${process.pid}.tmp`
      await writeContainer(content, createWriteStream(temporary, { flush: true }))
      await rename(temporary, file)
      return file
    },
    async read(sessionId) {
      const file = join(folder, archivePath(sessionId))
      const found = await unlessAbsent(stat(file))
      return found === null ? null : envelopesOf(file)
    },
    async *sessions() {
      for (const year of await namesIn(folder, /^\d{4}$/))
        for (const month of await namesIn(join(folder, year), /^\d\d$/))
          for (const day of await namesIn(join(folder, year, month), /^\d\d$/))
            for (const name of await namesIn(join(folder, year, month, day), ARCHIVED))
              yield SessionId(name.slice(0, -SUFFIX.length))
    },
  }
}

/** The path of a session in an archive, by the day in its id (UUIDv7): no search is needed, and a restart changes nothing. */
export function archivePath(sessionId: SessionId): string {
  const startedMs = Number.parseInt(sessionId.replaceAll('-', '').slice(0, 12), 16)
  const [day = ''] = new Date(startedMs).toISOString().split('T')
  return `${day.replaceAll('-', '/')}/${sessionId}${SUFFIX}`
}

/** Opens the file only when somebody begins to read. */
async function* envelopesOf(file: string): AsyncGenerator<Envelope> {
  yield* readContainer(createReadStream(file))
}

/** The names in a folder that match a pattern, sorted; unfinished files lie beside archives and do not match. */
async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = (await unlessAbsent(readdir(folder))) ?? []
  return names.filter((name) => pattern.test(name)).sort()
}

const unlessAbsent = <T>(found: Promise<T>): Promise<T | null> =>
  found.catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw cause
  })

const SUFFIX = '.avro'
const ARCHIVED = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.avro$/
