import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { archiveIn, envelopeOf, typeIn } from '@countersign/archive'
import { EventId, Instant, SessionId, uuidv7 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { inMemoryLog } from '@countersign/log/in-memory'
import { newOverview } from '../core/overview.ts'
import type { SessionRecord } from '../core/session-record.ts'
import { type Past, pastIn } from './past.ts'

const SESSION = SessionId('01920000-0000-7000-8000-000000000001')
const ended = { ...newOverview(SESSION), endedAt: '2026-01-01T00:00:00Z' }
const folder = await mkdtemp(join(tmpdir(), 'past-'))
const archive = archiveIn(folder)
const log = inMemoryLog({ partitions: 1 })
const past = pastIn({ archive, log })
after(async () => {
  await log[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('a session is read from the log until it is archived, and is the same afterwards', async () => {
  await end(SESSION)
  await end(SessionId('01920000-0000-7000-8000-000000000002'))
  const fromLog = await recordsOf(past)
  assert.deepEqual(
    fromLog.map(({ message, position }) => [message.type, position.offset]),
    [['SessionEnded', 0]],
  )
  await archived()
  assert.deepEqual(await recordsOf(past), fromLog)
  // The log may forget records that are archived.
  assert.deepEqual(await recordsOf(pastIn({ archive, log: inMemoryLog() })), fromLog)
})

test('a record that cannot be understood does not hide the others of its archive', async () => {
  log.appendRaw('sessions', 0, SESSION, { ce_type: 'countersign.sessions.Unheard' }, Buffer.of(1))
  await archived()
  assert.equal((await recordsOf(past)).length, 1)
})

// Seen to fail when only the records of the session are looked at, and when all topics are read for it.
test('who has left ends the reading also among the records of others, and only the topics that are asked for are read', async () => {
  await end(SessionId('01920000-0000-7000-8000-000000000002'))
  const topics: string[] = []
  const live = pastIn({
    archive,
    log: {
      ...log,
      readToEnd: (options) => {
        topics.push(options.topic)
        return log.readToEnd(options)
      },
    },
  })
  const read = (gone?: AbortSignal) =>
    live.read({ ...ended, sessionId: uuidv7(0), endedAt: null }, 0, () => assert.fail(), {
      topics: ['sessions'],
      ...(gone === undefined ? {} : { gone }),
    })
  await read()
  assert.deepEqual(topics, ['sessions'])
  await assert.rejects(read(AbortSignal.abort(new Error('has left'))), /has left/)
})

async function recordsOf(from: Past): Promise<SessionRecord[]> {
  const found: SessionRecord[] = []
  await from.read(ended, 0, (record) => found.push(record))
  return found
}

function archived(): Promise<string> {
  const envelopes = log
    .records('sessions')
    .flatMap((record) =>
      record.status === 'tombstone' || record.key !== SESSION ? [] : [envelopeOf(record)],
    )
  return archive.write({
    sessionId: SESSION,
    end: 'SessionEnded',
    count: envelopes.length,
    types: new Set(envelopes.map(typeIn)),
    envelopes: (async function* () {
      yield* envelopes
    })(),
  })
}

async function end(sessionId: SessionId): Promise<void> {
  const message = {
    type: 'SessionEnded',
    sessionId,
    sequence: 0,
    previousHash: '',
    at: Instant(1),
    reason: 'ClientTerminated',
    code: null,
    requestCount: 0,
    transcriptHead: '',
    transcriptCount: 0,
    inDoubt: [],
  } as const
  await log.append([draftOf(message, { id: EventId(uuidv7(Date.now())), key: sessionId })])
}
