import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { archiveIn, archivePath, type Envelope } from '@countersign/archive'
import {
  type AnyMessage,
  type CredentialRevoked,
  decode,
  type RequestCompleted,
  encode,
  hashOf,
  type SessionEnded,
  type SessionOpened,
  type SessionRejected,
  topicOf,
  type TranscriptRecorded,
} from '@countersign/contracts'
import { type Clock, EventId, Instant, RequestId, SessionId, uuidv7 } from '@countersign/kernel'
import { draftOf, type Log, type Position } from '@countersign/log'
import { type InMemoryLog, inMemoryLog } from '@countersign/log/in-memory'
import { createLogger } from '@countersign/runtime'
import { type RecorderHost, serveRecorder } from './serve-recorder.ts'

const SESSION = SessionId('01920000-0000-7000-8000-000000000001')
const NOW = Instant(1_772_000_000_000_000)

let folder: string
let log: InMemoryLog
let nowMs: number
const clock: Clock = { now: () => NOW, monotonicMs: () => nowMs }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recorder-'))
  log = inMemoryLog({ partitions: 2 })
  nowMs = 0
  unread = []
})
afterEach(async () => {
  await log[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('a finished session is one archive with the original bytes, after its grace and when its transcript is whole', async () => {
  await using host = await started()
  const { events, transcript } = session(3)
  await append(...events)
  await archivedWithin(host, 1_000)
  assert.equal(await exists(), false, 'the transcript is not there yet')
  await append(...transcript)
  await archivedWithin(host, 1_000)
  const envelopes = await archived()
  assert.deepEqual(
    envelopes.map(({ topic, offset }) => `${topic}/${offset}`),
    ['sessions/0', 'sessions/1', 'transcript/0', 'transcript/1', 'transcript/2'],
  )
  const stored = [...log.records('sessions'), ...log.records('transcript')]
  assert.deepEqual(
    envelopes.map(({ value }) => value),
    stored.map((record) => (record.status === 'understood' ? record.value : null)),
  )
  assert.deepEqual(log.records('recorder.rejected'), [])
})

test('the session of a killed proxy is archived when its credential is revoked', async () => {
  await using host = await started()
  const [opened] = session(0).events
  if (opened !== undefined) await append(opened)
  await archivedWithin(host, 60_000)
  assert.equal(await exists(), false)
  await append(revoked)
  await archivedWithin(host, 60_000)
  assert.equal((await archived()).length, 2)
})

test('what comes late is added to the archive, also after a restart', async () => {
  await append(...session(0).events)
  {
    await using host = await started()
    await archivedWithin(host, 1_000)
    assert.equal((await archived()).length, 2)
  }
  await append(revoked)
  await using host = await started()
  await archivedWithin(host, 60_000)
  assert.deepEqual(
    (await archived()).map(({ topic }) => topic),
    ['credentials', 'sessions', 'sessions'],
  )
})

test('a session whose archive was cut short keeps what can be read of it, and holds back no other', async () => {
  const { events, transcript } = session(1)
  await append(...transcript, ...events)
  {
    await using host = await started()
    await archivedWithin(host, 1_000)
  }
  const file = join(folder, archivePath(SESSION))
  await truncate(file, (await stat(file)).size - 1)
  await append(revoked)
  await using host = await started()
  await archivedWithin(host, 60_000)
  assert.ok((await archived()).some(({ topic }) => topic === 'credentials'))
})

test('a recorder that begins at the beginning again writes the same archive', async () => {
  await append(...session(5).transcript, ...session(5).events)
  const archives: unknown[] = []
  unread = []
  for (const sub of ['one', 'two']) {
    // A log without the commits of the other recorder: it begins at the beginning, as after a crash.
    await using alone = inMemoryLog({ partitions: 2 })
    for (const topic of ['transcript', 'sessions']) {
      for (const record of log.records(topic)) {
        if (record.status !== 'understood') continue
        const { position, key, headers, value } = record
        unread.push(alone.appendRaw(topic, position.partition, key, headers, value))
      }
    }
    await using host = await serveRecorder(options(alone, sub))
    await archivedWithin(host, 1_000)
    // The log in memory gives each record the time of its append, which differs.
    archives.push((await archived(join(folder, sub))).map((each) => ({ ...each, timestampMs: 0 })))
  }
  assert.deepEqual(archives[0], archives[1])
})

// Seen to fail when nothing is moved to part files, and when these are not deleted.
for (const bound of ['sessionBytesMax', 'bufferBytesMax'])
  test(`a session that is larger than ${bound} is archived whole`, () => isArchivedWhole(bound))

async function isArchivedWhole(bound: string): Promise<void> {
  await using host = await serveRecorder({ ...options(log), [bound]: 2_000 })
  const { events, transcript } = session(40)
  await append(...transcript, ...events)
  // Read, and not due yet.
  await archivedWithin(host, 0)
  assert.ok((await partFiles()).length > 0)
  await archivedWithin(host, 1_000)
  const sequences = (await archived())
    .filter(({ topic }) => topic === 'transcript')
    .map(({ headers, value }) =>
      decode('TranscriptRecorded', (headers['ce_dataschema'] ?? '').slice(12), value),
    )
    .map((message) => (message.type === 'TranscriptRecorded' ? message.sequence : -1))
  assert.deepEqual(
    sequences,
    Array.from({ length: 40 }, (_, index) => index),
  )
  assert.deepEqual(await partFiles(), [])
}

// Seen to fail when nothing is forgotten above the bound.
test('what waits to be compared in all sessions together has a bound, above which that is said', async () => {
  await using host = await serveRecorder({ ...options(log), citationsBytesMax: 4_000 })
  const { events, transcript } = session(100)
  await append(...transcript)
  await archivedWithin(host, 0)
  await append(events[0], completedWith(transcript, 1), revoked)
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, ['CS_CHAIN_BROKEN sessions/1']])
})

const partFiles = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.part'))

test('a broken chain is put on record, and the session is archived all the same', async () => {
  await using host = await started()
  const { events } = session(0)
  const [opened, ended] = events
  if (opened === undefined || ended?.type !== 'SessionEnded') throw new TypeError('no session')
  await append(opened, { ...ended, previousHash: 'forged' })
  await archivedWithin(host, 1_000)
  assert.deepEqual(rejected(), ['CS_CHAIN_BROKEN sessions/1'])
  assert.equal((await archived()).length, 2)
})

test('a record that cannot be read is on record with another code than a broken chain', async () => {
  await using host = await started()
  const headers = { ce_id: 'x', ce_type: 'countersign.sessions.Unheard' }
  unread.push(log.appendRaw('sessions', 0, SESSION, headers, Buffer.from('?')))
  await archivedWithin(host, 0)
  assert.deepEqual(rejected(), ['CS_MESSAGE_UNREADABLE sessions/0'])
})

// Seen to fail when an unreadable record does not move its chain on, or an end of it is missed.
for (const lost of ['SessionOpened', 'SessionEnded', 0, 1, 2] as const)
  test(`the records behind one that cannot be read are no broken chain (${lost})`, async () => {
    await using host = await started()
    const isLost = ({ type, sequence }: Chained) =>
      lost === (type === 'TranscriptRecorded' ? sequence : type)
    const { events, transcript } = session(3, (message) =>
      isLost(message) ? hashOf(message.type, UNKNOWN, encode(message)) : hashAsWritten(message),
    )
    for (const message of [...transcript, ...events])
      if (isLost(message)) putWith(UNKNOWN, message, encode(message))
      else await append(message)
    await append({ ...revoked, reason: 'SessionOver' })
    await archivedWithin(host, 60_000)
    const topic = typeof lost === 'number' ? 'transcript' : 'sessions'
    const offset = typeof lost === 'number' ? lost : Number(lost === 'SessionEnded')
    assert.deepEqual(rejected(), [`CS_MESSAGE_UNREADABLE ${topic}/${offset}`])
    assert.equal((await archived()).length, 6)
  })

test('a transcript that was written anew is put on record, whichever topic comes first', async () => {
  for (const isTranscriptFirst of [true, false]) {
    await using anew = inMemoryLog({ partitions: 2 })
    log = anew
    await using host = await serveRecorder(options(log, String(isTranscriptFirst)))
    const { events, transcript } = session(1)
    const forged = transcript.map((message) => ({ ...message, ciphertext: Buffer.from('forged') }))
    await append(...(isTranscriptFirst ? [...forged, ...events] : [...events, ...forged]))
    await archivedWithin(host, 1_000)
    assert.deepEqual(rejected(), ['CS_CHAIN_BROKEN sessions/1'])
  }
})

test('a transcript of which a part never comes is put on record when its session is archived, and once', async () => {
  {
    await using host = await started()
    const { events, transcript } = session(3)
    await append(...transcript.slice(0, 2), ...events)
    await archivedWithin(host, 1_000)
    assert.deepEqual([await exists(), rejected()], [false, []], 'the rest may still come')
    await archivedWithin(host, 60_000)
    assert.deepEqual([await exists(), rejected()], [true, ['CS_CHAIN_BROKEN sessions/1']])
  }
  await append(revoked)
  await using host = await started()
  await archivedWithin(host, 60_000)
  assert.equal((await archived()).length, 5)
  assert.deepEqual(rejected(), ['CS_CHAIN_BROKEN sessions/1'])
})

test('a session of which the broker saw the end has one, or that is put on record', async () => {
  await using host = await started()
  const [opened] = session(0).events
  await append(opened, { ...revoked, reason: 'SessionOver' })
  await archivedWithin(host, 1_000)
  assert.deepEqual([await exists(), rejected()], [false, []], 'the end may still come')
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, ['CS_CHAIN_BROKEN credentials/0']])
})

test('an end that comes after the revocation, in whatever topic order, is no finding', async () => {
  await using host = await started()
  await append({ ...revoked, reason: 'SessionOver' })
  await archivedWithin(host, 1_000)
  await append(...session(0).events)
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, []])
})

test('a session that policy gave up while its proxy was gone needs no other end', async () => {
  await using host = await started()
  const [opened] = session(0).events
  await append(opened, givenUp, { ...revoked, reason: 'SessionOver' })
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, []])
})

test('a killed proxy leaves a session that ends in the middle, which is not taken for a broken chain', async () => {
  await using host = await started()
  const { events, transcript } = session(3)
  await append(...transcript.slice(0, 2), events[0], completedWith(transcript, 1))
  await append(revoked)
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, []])
})

test('a transcript that is shorter than an answer says is put on record, whether or not the proxy was killed', async () => {
  await using host = await started()
  const { events, transcript } = session(3)
  await append(...transcript.slice(0, 2), events[0], completedWith(transcript, 3))
  await append(revoked)
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, ['CS_CHAIN_BROKEN sessions/1']])
})

test('a transcript that is in the log and only not read yet is not missing', async () => {
  const from = log.connect()
  let isBehind = true
  const behind: Log = {
    ...from,
    // The log seems to have one record more than was read of it.
    spansSince: async (...wanted) =>
      new Map(
        [...(await from.spansSince(...wanted))].map(([partition, span]) => [
          partition,
          isBehind ? { ...span, end: span.end + 1 } : span,
        ]),
      ),
  }
  await using host = await serveRecorder({ ...options(log), log: behind })
  const { events, transcript } = session(2)
  await append(...transcript.slice(0, 1), ...events)
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [false, []])
  await append(...transcript.slice(1))
  isBehind = false
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, []])
})

// Seen to fail when only the offset that was taken counts.
test('where the retention removed all of a partition, what is missing is told, and asked for once in a sweep', async () => {
  const from = log.connect()
  let asked = 0
  const removed: Log = {
    ...from,
    spansSince: async (...wanted) => {
      asked++
      const spans = await from.spansSince(...wanted)
      if (wanted[0] !== 'transcript') return spans
      return new Map([...spans.keys()].map((p) => [p, { first: 7, since: 7, end: 7 }]))
    },
  }
  await using host = await serveRecorder({ ...options(log), log: removed })
  await append(...session(2).events)
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, ['CS_CHAIN_BROKEN sessions/1']])
  assert.equal(asked, 2)
})

test('a transcript of which nothing has come since a restart is not missing', async () => {
  const from = log.connect()
  const comes = Promise.withResolvers<void>()
  const slow: Log = {
    ...from,
    read: (readOptions) =>
      from.read({
        ...readOptions,
        async onRecords(records, next) {
          if (next.topic === 'transcript') await comes.promise
          await readOptions.onRecords(records, next)
        },
      }),
  }
  const { events, transcript } = session(2)
  await append(...transcript)
  unread = []
  await append(...events)
  await using host = await serveRecorder({ ...options(log), log: slow })
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [false, []])
  comes.resolve()
  unread = [...log.records('transcript')].map(({ position }) => position)
  await archivedWithin(host, 60_000)
  assert.deepEqual([await exists(), rejected()], [true, []])
})

test('a repeat does not stand for the transcript that has not come', async () => {
  await using host = await started()
  const { events, transcript } = session(2)
  const [first, second] = transcript
  if (first === undefined || second === undefined) throw new TypeError('no transcript')
  const draft = draftOf(first, { id: newId(), key: SESSION })
  for (let times = 0; times < 2; times++)
    for (const { position } of await log.append([draft])) unread.push(position)
  await append(...events)
  await archivedWithin(host, 1_000)
  assert.equal(await exists(), false)
  await append(second)
  await archivedWithin(host, 1_000)
  assert.deepEqual([await exists(), rejected()], [true, []])
})

/** The records that were rejected: code, topic and offset. */
const rejected = (): string[] =>
  log.records('recorder.rejected').map((record) => {
    if (record.status !== 'understood' || record.message.type !== 'MessageRejected') return '?'
    const { code, topic, offset } = record.message
    return `${code} ${topic}/${offset}`
  })

const options = (from: InMemoryLog, sub = '') => ({
  log: from.connect(),
  logger: createLogger('recorder', 'fatal'),
  clock,
  archive: archiveIn(join(folder, sub)),
  partsDir: join(folder, sub),
  graceMs: 1_000,
})
const started = () => serveRecorder(options(log))

/** Lets the appended records arrive, then the time pass, then archives. */
async function archivedWithin(host: RecorderHost, passedMs: number): Promise<void> {
  while (!unread.every((position) => host.hasRead(position))) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  unread = []
  nowMs += passedMs
  await host.sweep()
}

/** The positions of the appended records that the recorder has not read yet. */
let unread: Position[] = []

const exists = async (): Promise<boolean> => (await archiveIn(folder).read(SESSION)) !== null

async function archived(from = folder): Promise<Envelope[]> {
  const envelopes: Envelope[] = []
  const archive = await archiveIn(from).read(SESSION)
  assert.ok(archive !== null)
  for await (const envelope of archive) envelopes.push(envelope)
  return envelopes
}

async function append(...messages: readonly AnyMessage[]): Promise<void> {
  const drafts = messages.map((message) => draftOf(message, { id: newId(), key: SESSION }))
  for (const { position } of await log.append(drafts)) unread.push(position)
}

/** Puts a message into the log as another version would. */
function putWith(fingerprint: string, message: AnyMessage, value: Buffer): void {
  const headers = {
    ce_id: newId(),
    ce_type: `countersign.${topicOf(message.type)}.${message.type}`,
    ce_source: 'proxy',
    ce_subject: SESSION,
    ce_dataschema: `countersign:${fingerprint}`,
  }
  const partition = log.partitionOf(SESSION, 2)
  unread.push(log.appendRaw(topicOf(message.type), partition, SESSION, headers, value))
}

const newId = () => EventId(uuidv7(Date.now()))

const revoked: CredentialRevoked = {
  type: 'CredentialRevoked',
  sessionId: SESSION,
  at: NOW,
  credentialId: 'c1',
  target: 'shop-prod',
  role: 'cs_1',
  reason: 'LeaseExpired',
  backendsTerminated: 0,
}

const givenUp: SessionRejected = {
  type: 'SessionRejected',
  sessionId: SESSION,
  at: NOW,
  code: 'CS_INTERNAL',
  reason: 'a record of the session cannot be understood',
}

/** The end of a request after this many transcript events; it follows the opening of the session. */
function completedWith(
  transcript: readonly TranscriptRecorded[],
  transcriptCount: number,
): RequestCompleted {
  const [opened] = session(0).events
  const last = transcript[transcriptCount - 1]
  assert.ok(last !== undefined)
  return {
    type: 'RequestCompleted',
    sessionId: SESSION,
    sequence: 1,
    previousHash: draftOf(opened, { id: newId(), key: SESSION }).hash,
    at: NOW,
    requestId: RequestId(uuidv7(1)),
    outcome: 'Succeeded',
    commandTag: null,
    sqlState: null,
    rows: 0,
    resultBytes: 0,
    durationMicros: 0,
    transactionStatus: 'Idle',
    transcriptHead: draftOf(last, { id: newId(), key: SESSION }).hash,
    transcriptCount,
  }
}

/** A short session with this many transcript events, and with whole chains. */
function session(transcriptCount: number, hashOfOne = hashAsWritten) {
  const transcript: TranscriptRecorded[] = []
  let head = ''
  for (let sequence = 0; sequence < transcriptCount; sequence++) {
    const message: TranscriptRecorded = {
      type: 'TranscriptRecorded',
      sessionId: SESSION,
      sequence,
      previousHash: head,
      at: NOW,
      requestId: null,
      ciphertext: Buffer.alloc(100, sequence),
      sizeBytes: 72,
    }
    head = hashOfOne(message)
    transcript.push(message)
  }
  const opened: SessionOpened = {
    type: 'SessionOpened',
    sessionId: SESSION,
    sequence: 0,
    previousHash: '',
    at: NOW,
    credentialId: 'c1',
    role: 'cs_1',
    targetVersion: 't',
    maskingPlanVersion: 'm',
    policyVersion: 'p',
    targetProcessId: null,
  }
  const ended: SessionEnded = {
    type: 'SessionEnded',
    sessionId: SESSION,
    sequence: 1,
    previousHash: hashOfOne(opened),
    at: NOW,
    reason: 'ClientTerminated',
    code: null,
    requestCount: 0,
    transcriptHead: head,
    transcriptCount,
    inDoubt: [],
  }
  return { events: [opened, ended] as const, transcript }
}

type Chained = SessionOpened | SessionEnded | TranscriptRecorded

const hashAsWritten = (message: Chained): string =>
  draftOf(message, { id: newId(), key: SESSION }).hash

/** The fingerprint of a schema that was never published. */
const UNKNOWN = '0123456789abcdef'
