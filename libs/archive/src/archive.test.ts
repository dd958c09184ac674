import assert from 'node:assert/strict'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import { codecOf, SCHEMAS } from '@countersign/contracts'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { inMemoryLog } from '@countersign/log/in-memory'
import { published } from '@countersign/log/provision'
import { archiveIn, archivePath } from './archive.ts'
import {
  type Envelope,
  envelopeBytes,
  envelopeOf,
  envelopesIn,
  envelopeType,
  recordIn,
  typeIn,
} from './envelope.ts'

const SESSION = SessionId('01920000-0000-7000-8000-000000000001')

let folder: string
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'archive-'))))
afterEach(() => rm(folder, { recursive: true }))

test('what is written is read again, to the byte', async () => {
  const archive = archiveIn(folder)
  await fc.assert(
    fc.asyncProperty(fc.array(ENVELOPES), async (envelopes) => {
      await archive.write(contentOf(envelopes))
      assert.deepEqual(await all(await archive.read(SESSION)), envelopes)
    }),
    { numRuns: 30 },
  )
})

test('the same records give the same bytes', async () => {
  const files = await Promise.all(
    ['one', 'two'].map((sub) => archiveIn(join(folder, sub)).write(contentOf(THREE))),
  )
  const [one, two] = await Promise.all(files.map((file) => readFile(file)))
  assert.ok(one !== undefined && one.length > 0)
  assert.deepEqual(one, two)
})

test('there is no archive of a session that was not written', async () => {
  assert.equal(await archiveIn(folder).read(SESSION), null)
  assert.equal(await archiveIn(join(folder, 'nowhere')).read(SESSION), null)
})

test('an archive that cannot be looked at is not taken for absent', async () => {
  await writeFile(join(folder, '2024'), 'a file where the folder of the year should be')
  await assert.rejects(archiveIn(folder).read(SESSION), { code: 'ENOTDIR' })
})

test('all archives are listed, the oldest day first, and nothing that is not finished', async () => {
  const archive = archiveIn(folder)
  assert.deepEqual(await all(archive.sessions()), [])
  const ids = ['01930000', '01910000', '01920000'].map((time) =>
    SessionId(`${time}-0000-7000-8000-000000000001`),
  )
  for (const sessionId of ids) await archive.write({ ...contentOf(THREE), sessionId })
  await writeFile(join(folder, archivePath(SESSION) + '.4711.tmp'), '')
  await writeFile(join(folder, '.parts'), '')
  assert.deepEqual(await all(archive.sessions()), ids.toSorted())
})

test('an archive that fails while it is written is not there', async () => {
  const archive = archiveIn(folder)
  const broken = {
    ...contentOf(THREE),
    envelopes: (async function* () {
      yield* THREE
      throw new Error('the disk is gone')
    })(),
  }
  await assert.rejects(archive.write(broken), /the disk is gone/)
  assert.equal(await archive.read(SESSION), null)
})

test('an archive that was cut short, wherever, is not taken for whole', async () => {
  const archive = archiveIn(folder)
  const { length } = await readFile(await archive.write(contentOf(THREE)))
  for (const cut of [0, 3, 50, length - 40, length - 1]) {
    await truncate(await archive.write(contentOf(THREE)), cut)
    await assert.rejects(all(await archive.read(SESSION)), { code: 'CS_MESSAGE_UNREADABLE' })
  }
})

test('an archive in which a byte was changed does not pass for another one', async () => {
  const archive = archiveIn(folder)
  const file = await archive.write(contentOf(THREE))
  const bytes = await readFile(file)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 30) ^ 0xff, bytes.length - 30)
  await writeFile(file, bytes)
  await assert.rejects(all(await archive.read(SESSION)), { code: 'CS_MESSAGE_UNREADABLE' })
})

test('an archive that does not say how many records it has, as before, is read', async () => {
  const file = join(folder, archivePath(SESSION))
  await mkdir(dirname(file), { recursive: true })
  const bytes = new avro.streams.BlockEncoder(envelopeType, { writeHeader: 'always' })
  await pipeline(Readable.from(THREE), bytes, createWriteStream(file))
  assert.deepEqual(await all(await archiveIn(folder).read(SESSION)), THREE)
})

test('any Avro tool sees the session, its end and the schemas of its records', async () => {
  const envelopes = await recorded()
  const decoder = avro.createFileDecoder(await archiveIn(folder).write(contentOf(envelopes)))
  const header = await new Promise((resolve) => {
    decoder.once('metadata', (_type: unknown, _codec: unknown, header: unknown) => resolve(header))
    decoder.resume()
  })
  assert.ok(typeof header === 'object' && header !== null && 'meta' in header)
  const metadata = new Map(Object.entries(Object(header.meta)).map(([k, v]) => [k, String(v)]))
  assert.equal(metadata.get('countersign.session'), SESSION)
  assert.equal(metadata.get('countersign.end'), 'SessionEnded')
  assert.equal(metadata.get('countersign.records'), '1')
  assert.match(metadata.get('countersign.schemas') ?? '', /"RequestWithdrawn"/)
})

test('a record of the log comes out of its envelope as a reader of the log got it', async () => {
  const [envelope] = await recorded()
  assert.ok(envelope !== undefined)
  await using log = inMemoryLog()
  const record = await recordIn(envelope, log)
  assert.equal(record.status, 'understood')
  if (record.status !== 'understood') return
  assert.deepEqual(envelopeOf(record), envelope)
  assert.deepEqual([record.key, record.message.type], [SESSION, 'RequestWithdrawn'])
  for (const changed of [{ value: Buffer.alloc(0) }, { headers: {} }])
    assert.equal((await recordIn({ ...envelope, ...changed }, log)).status, 'unreadable')
})

// Seen to fail when archives are read with the schemas of this version alone.
test('a record that a later version wrote is understood, once the log has its schema', async () => {
  const [envelope] = await recorded()
  assert.ok(envelope !== undefined)
  await using log = inMemoryLog()
  const known = await recordIn(envelope, log)
  assert.ok(known.status === 'understood')
  const { schema } = SCHEMAS.RequestWithdrawn
  const more = { name: 'words', type: 'string', default: '', doc: 'Words.' }
  const later = { ...schema, fields: [...schema.fields, more] }
  const { type, fingerprint } = codecOf(later)
  const written = {
    ...envelope,
    headers: { ...envelope.headers, ce_dataschema: `countersign:${fingerprint}` },
    value: Buffer.from(type.toBuffer({ ...known.message, words: 'later' })),
  }
  assert.equal((await recordIn(written, inMemoryLog())).status, 'unreadable')
  await log.append([published('RequestWithdrawn', fingerprint, later)])
  const read = await recordIn(written, log)
  assert.ok(read.status === 'understood')
  assert.deepEqual({ ...read.message }, { ...known.message })
})

test('envelopes that stand one behind the other are found again', async () => {
  const bytes = Readable.from([Buffer.concat(THREE.map(envelopeBytes))])
  const found = await all(envelopesIn(bytes))
  assert.deepEqual(
    found.map((envelope) => ({ ...envelope })),
    THREE,
  )
})

/** The largest number that the Avro library writes; offsets and times never come near. */
const LONG_MAX = Number.MAX_SAFE_INTEGER - 1

const ENVELOPES: fc.Arbitrary<Envelope> = fc.record(
  {
    topic: fc.string(),
    partition: fc.nat(),
    offset: fc.integer({ min: 0, max: LONG_MAX }),
    timestampMs: fc.integer({ min: 0, max: LONG_MAX }),
    headers: fc
      .uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: ([name]) => name })
      .map((pairs) => Object.fromEntries(pairs.map(([name, value]) => [`ce_${name}`, value]))),
    value: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
)

const THREE: readonly Envelope[] = [0, 1, 2].map((offset) => ({
  topic: 'sessions',
  partition: 1,
  offset,
  timestampMs: 1_772_000_000_000 + offset,
  headers: { ce_type: 'countersign.sessions.SessionOpened' },
  value: Buffer.alloc(100, offset),
}))

const contentOf = (envelopes: readonly Envelope[]) => ({
  sessionId: SESSION,
  end: 'SessionEnded',
  count: envelopes.length,
  types: new Set(envelopes.map(typeIn)),
  envelopes: (async function* () {
    yield* envelopes
  })(),
})

/** The envelope of a record that was in a log. */
async function recorded(): Promise<Envelope[]> {
  await using log = inMemoryLog()
  const message = {
    type: 'RequestWithdrawn',
    sessionId: SESSION,
    sequence: 0,
    previousHash: '',
    at: Instant(1),
    requestId: RequestId('01920000-0000-7000-8000-000000000002'),
    reason: 'Cancelled',
  } as const
  const id = EventId(uuidv5(SESSION, 'test'))
  await log.append([draftOf(message, { id, key: SESSION })])
  return log
    .records('sessions')
    .flatMap((record) => (record.status === 'tombstone' ? [] : [envelopeOf(record)]))
}

async function all<T>(found: AsyncIterable<T> | null): Promise<T[]> {
  assert.ok(found !== null)
  const items: T[] = []
  for await (const item of found) items.push(item)
  return items
}
