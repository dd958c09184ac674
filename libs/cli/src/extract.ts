import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log, LogRecord, Span } from '@countersign/log'
import { eventObject } from './event-line.ts'
import { readingOf } from './log-reading.ts'
import { printableJson } from './printable.ts'

export type ExtractOptions = {
  /** A folder that is there and empty. */
  readonly dir: string
  readonly topics: readonly string[]
  readonly fromMs: number
  /** The end of the span, which is not part of it. */
  readonly toMs: number
  progress(done: number, all: number): void
}

/** The contents of an extract, and whether they are all that there was. The same extract has the same manifest, to the byte. */
export type Manifest = {
  readonly format: 'countersign-extract/1'
  readonly from: string
  readonly to: string
  readonly complete: boolean
  /** Records that are missing, or may be. */
  readonly missing: readonly string[]
  readonly files: readonly ExtractFile[]
}

export type ExtractFile = {
  readonly file: string
  readonly sha256: string
  readonly bytes: number
  readonly topic: string
  readonly records: number
  /** Records that this version could not decode; their bytes are there. */
  readonly unreadable: number
  readonly partitions: readonly {
    partition: number
    records: number
    first: number
    last: number
  }[]
  /** The fingerprints of the schemas that its records were written with. */
  readonly schemas: readonly string[]
}

/** Writes every record of these topics of a span of time, a file for each topic, with the schemas to decode them. */
export async function extract(log: Log, options: ExtractOptions): Promise<Manifest> {
  const { dir, topics, fromMs, toMs } = options
  // bound: one per partition
  const parts = new Map<string, Part>()
  // bound: one per partition
  const missing: string[] = []
  const work = join(dir, 'parts')
  await mkdir(work)
  try {
    await read()
    const files: ExtractFile[] = []
    for (const topic of topics) files.push(await fileOf(topic))
    const schemas = await schemasFile(new Set(files.flatMap((file) => file.schemas)))
    await rm(work, { recursive: true })
    const manifest: Manifest = {
      format: 'countersign-extract/1',
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      complete: missing.length === 0,
      missing: missing.sort(),
      files: [...files, schemas],
    }
    const handle = await open(join(dir, 'manifest.json'), 'wx')
    await handle.writeFile(`${printableJson(manifest, 2)}\n`)
    await closed(handle)
    return manifest
  } finally {
    for (const { handle } of parts.values()) await handle?.close().catch(() => undefined)
  }

  async function read(): Promise<void> {
    let done = 0
    let all = 0
    await using reading = await readingOf(log, {
      topics,
      sinceMs: fromMs,
      onRecords: async (records, span) => {
        const first = records[0]
        if (first === undefined) return
        const { topic, partition } = first.position
        const part = partOf(topic, partition, span)
        const own = records.filter(({ position }) => position.offset < span.end)
        done += own.length
        await taken(part, own)
        options.progress(done, all)
      },
    })
    for (const [topic, spans] of reading.spans)
      for (const [partition, span] of spans) {
        all += span.end - span.since
        partOf(topic, partition, span)
        if (span.since === span.first && span.first > 0)
          missing.push(
            `${topic}/${partition}: nothing before offset ${span.first} is kept; some of it may be of this time`,
          )
      }
    await reading.caughtUp()
    for (const { name, next, end } of parts.values()) if (next < end) gap(name, next, end)
  }

  function partOf(topic: string, partition: number, { since, end }: Span): Part {
    const name = `${topic}/${partition}`
    const known = parts.get(name)
    if (known !== undefined) return known
    const part: Part = {
      ...{ name, topic, partition, end, next: since, handle: null },
      // bound: one per schema
      ...{ records: 0, unreadable: 0, first: 0, last: 0, schemas: new Set<string>() },
    }
    parts.set(name, part)
    return part
  }

  async function taken(part: Part, records: readonly LogRecord[]): Promise<void> {
    let lines = ''
    for (const record of records) {
      const { offset } = record.position
      if (offset > part.next) gap(part.name, part.next, offset)
      part.next = offset + 1
      // The clocks of several machines differ: a later record may have an earlier time, so all are looked at.
      if (record.timestampMs < fromMs || record.timestampMs >= toMs) continue
      const event = eventObject(record)
      const value = record.status === 'tombstone' ? null : record.value.toString('base64')
      lines += `${printableJson({ ...event, value })}\n`
      if (part.records++ === 0) part.first = offset
      part.last = offset
      if (record.status === 'unreadable') part.unreadable++
      if (event.schema !== null) part.schemas.add(event.schema)
    }
    if (lines === '') return
    part.handle ??= await open(pathOf(part), 'ax')
    await part.handle.appendFile(lines)
  }

  function gap(name: string, from: number, to: number): void {
    missing.push(`${name}: the log did not give offsets ${from} to ${to - 1}`)
  }

  /** One partition after the other, so that the same records make the same file. */
  async function fileOf(topic: string): Promise<ExtractFile> {
    const own = [...parts.values()]
      .filter((part) => part.topic === topic && part.records > 0)
      .sort((a, b) => a.partition - b.partition)
    const { file, ...written } = await writtenFile(`${topic}.ndjson`, async function* () {
      for (const part of own) {
        await part.handle?.close()
        part.handle = null
        yield* createReadStream(pathOf(part))
      }
    })
    return {
      ...{ file, ...written, topic },
      records: sum(own, ({ records }) => records),
      unreadable: sum(own, ({ unreadable }) => unreadable),
      partitions: own.map(({ partition, records, first, last }) => ({
        ...{ partition, records, first, last },
      })),
      schemas: [...new Set(own.flatMap((part) => [...part.schemas]))].sort(),
    }
  }

  /** The schemas that records of the extract were written with, as provisioning published them. */
  async function schemasFile(used: ReadonlySet<string>): Promise<ExtractFile> {
    // bound: one per schema
    const found = new Map<string, object>()
    await log.readToEnd({
      topic: SCHEMAS_TOPIC,
      onRecord: ({ status, ...record }) => {
        if (status !== 'understood' || !('message' in record)) return
        if (record.message.type !== 'SchemaPublished') return
        const { message, fingerprint, schema } = record.message
        if (used.has(fingerprint)) found.set(fingerprint, { fingerprint, message, schema })
      },
    })
    for (const fingerprint of used)
      if (!found.has(fingerprint)) missing.push(`the schema ${fingerprint} is not published`)
    const lines = [...found.keys()].sort().map((one) => `${JSON.stringify(found.get(one))}\n`)
    const written = await writtenFile(`${SCHEMAS_TOPIC}.ndjson`, async function* () {
      yield Buffer.from(lines.join(''))
    })
    return {
      ...{ ...written, topic: SCHEMAS_TOPIC, records: lines.length },
      ...{ unreadable: 0, partitions: [], schemas: [] },
    }
  }

  async function writtenFile(
    file: string,
    content: () => AsyncIterable<Buffer>,
  ): Promise<{ file: string; sha256: string; bytes: number }> {
    const handle = await open(join(dir, file), 'wx')
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of content()) {
      hash.update(chunk)
      bytes += chunk.length
      await handle.appendFile(chunk)
    }
    await closed(handle)
    return { file, sha256: hash.digest('hex'), bytes }
  }

  function pathOf({ topic, partition }: Part): string {
    return join(work, `${topic}-${partition}.ndjson`)
  }
}

/** One partition of a topic, as far as it was read. */
type Part = {
  readonly name: string
  readonly topic: string
  readonly partition: number
  readonly end: number
  next: number
  handle: FileHandle | null
  records: number
  unreadable: number
  first: number
  last: number
  readonly schemas: Set<string>
}

/** Closes a file once it is on the disk, before anybody is told of it. */
async function closed(handle: FileHandle): Promise<void> {
  await handle.sync()
  await handle.close()
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

export const SCHEMAS_TOPIC = 'schemas'
