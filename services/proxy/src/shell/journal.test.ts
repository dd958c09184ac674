import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashOf, type RequestCompleted, type SessionEnded } from '@countersign/contracts'
import { Instant, Problem, RequestId, SessionId } from '@countersign/kernel'
import type { Draft, Log, LogRecord } from '@countersign/log'
import { type InMemoryLog, inMemoryLog } from '@countersign/log/in-memory'
import type { Unlinked } from '../core/chain.ts'
import { type Journal, openJournal, type Uncited } from './journal.ts'

const SESSION = SessionId('01920000-0000-7000-8000-000000000001')
const REQUEST = RequestId('01920000-0000-7000-8000-000000000002')
const silent = { debug() {}, info() {}, warn() {}, error() {} }

test('the end of a request is written after the transcript that it cites, and holds nothing else up', async () => {
  const { log, journal, acknowledge } = opened()
  seen(journal)
  completed(journal)
  await journal.record([withdrawn])
  assert.deepEqual(typesIn(log, 'sessions'), ['RequestWithdrawn'])
  acknowledge(1)
  await journal.settled()
  assert.deepEqual(typesIn(log, 'transcript'), ['TranscriptRecorded'])
  assert.deepEqual(typesIn(log, 'sessions'), ['RequestWithdrawn', 'RequestCompleted'])
})

test('the end of a request that was answered with nothing is written at once', async () => {
  const { log, journal } = opened()
  completed(journal)
  await journal.record([withdrawn])
  assert.deepEqual(typesIn(log, 'sessions'), ['RequestCompleted', 'RequestWithdrawn'])
})

test('whenever the process dies, the log cites no transcript that it does not have', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEPS, { maxLength: 30 }), async (steps) => {
      const { log, journal, acknowledge } = opened()
      for (const step of steps) {
        if (step === 'seen') seen(journal)
        else if (step === 'completed') completed(journal)
        else acknowledge(step)
        await new Promise((resolve) => setImmediate(resolve))
        assert.deepEqual(falseCitationsIn(log), [])
      }
      acknowledge(steps.length)
      await journal.finish(ended(journal))
      assert.deepEqual(falseCitationsIn(log), [])
      const count = (wanted: string) => steps.filter((step) => step === wanted).length
      assert.equal(typesIn(log, 'transcript').length, count('seen'))
      assert.deepEqual(typesIn(log, 'sessions'), [
        ...Array<string>(count('completed')).fill('RequestCompleted'),
        'SessionEnded',
      ])
    }),
    { numRuns: 200 },
  )
})

test('what the target still says after the end is not part of the session', async () => {
  const { log, journal, acknowledge } = opened()
  acknowledge(2)
  seen(journal)
  const finished = journal.finish(ended(journal))
  seen(journal)
  completed(journal)
  await finished
  seen(journal)
  await journal.settled()
  assert.deepEqual(typesIn(log, 'transcript'), ['TranscriptRecorded'])
  assert.deepEqual(typesIn(log, 'sessions'), ['SessionEnded'])
})

test('after a failed append everything is in the log once more, the transcript before what cites it', async () => {
  const { log, journal, acknowledge, refuse } = opened()
  seen(journal)
  completed(journal)
  seen(journal)
  refuse(2)
  await assert.rejects(journal.failed, { code: 'CS_LOG_UNAVAILABLE' })
  completed(journal)
  assert.deepEqual(typesIn(log, 'sessions'), [])
  acknowledge(3)
  await journal.finish(ended(journal))
  assert.deepEqual(typesIn(log, 'sessions'), [
    'RequestCompleted',
    'RequestCompleted',
    'SessionEnded',
  ])
  assert.deepEqual(falseCitationsIn(log), [])
})

test('while an end waits for the log, what was acknowledged is not written again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { journal, appended, answers } = onLog(['away', 'ok', 'away', 'away', 'ok'])
  await assert.rejects(journal.record([withdrawn]), { code: 'CS_LOG_UNAVAILABLE' })
  const finished = journal.finish(ended(journal))
  for (let turn = 0; turn < 4; turn++) {
    await settled()
    t.mock.timers.tick(60_000)
  }
  await finished
  assert.deepEqual(answers, [])
  assert.deepEqual(appended(), ['RequestWithdrawn', 'SessionEnded'])
})

test('an end that the log will never take is given up', async () => {
  const { journal, appended, answers } = onLog(['never', 'ok'])
  await journal.finish(ended(journal))
  assert.deepEqual(answers, ['ok'])
  assert.deepEqual(appended(), [])
})

test('while the log is away, only so many refused logins wait for it, and every session', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const away = onLog([])
  const logins = Array.from({ length: 1_500 }, () => away.another().finish(() => REFUSED))
  await settled()
  const session = away.another()
  const ends = [session.finish(ended(session))]
  await settled()
  away.comesBack()
  t.mock.timers.tick(60_000)
  await Promise.all([...logins, ...ends])
  assert.equal(away.appended().filter((type) => type === 'SessionRefused').length, 1_000)
  assert.equal(away.appended().filter((type) => type === 'SessionEnded').length, 1)
})

/** A journal on a log that gives these answers, one for each append; afterwards it is away until it comes back. */
function onLog(answers: ('ok' | 'away' | 'never')[]) {
  let isBack = false
  const memory = inMemoryLog({ partitions: 1 })
  const inner = memory.connect()
  const log: Log = {
    ...inner,
    append: async (drafts: readonly Draft<never>[], options) => {
      const answer = answers.shift() ?? (isBack ? 'ok' : 'away')
      if (answer !== 'ok')
        throw new Problem('CS_LOG_UNAVAILABLE', answer, { retriable: answer === 'away' })
      return inner.append(drafts, options)
    },
  }
  const another = (): Journal => openJournal({ log, sessionId: SESSION, logger: silent })
  /** The types of all events that were appended, repeats too. */
  const appended = (): string[] =>
    memory
      .records('sessions')
      .flatMap((record) => (record.status === 'understood' ? [record.message.type] : []))
  return { journal: another(), another, appended, answers, comesBack: () => (isBack = true) }
}

test('of what nobody waits for a thousand records are under way, and the others are not even made', async () => {
  const { log, journal, acknowledge } = opened()
  const COUNT = 5_000
  let made = 0
  for (let piece = 0; piece < COUNT; piece++) {
    const sizeBytes = piece
    journal.recordTranscript(() => {
      made++
      return {
        type: 'TranscriptRecorded',
        at: Instant(1),
        requestId: REQUEST,
        ciphertext: Buffer.from('x'),
        sizeBytes,
      }
    })
    if (piece % 50 === 49) completed(journal)
  }
  await settled()
  assert.ok(made <= 1_001, `${made} are made`)
  assert.equal(journal.isCongested(), true)
  let isRelieved = false
  void journal.relieved().then(() => (isRelieved = true))
  acknowledge(1_000)
  await settled()
  assert.equal(isRelieved, false, 'others wait for their turn')
  acknowledge(COUNT)
  await journal.finish(ended(journal))
  assert.equal(isRelieved, true)
  assert.equal(journal.isCongested(), false)
  const pieces = firstsIn(log, 'transcript').map(({ message }) =>
    message.type === 'TranscriptRecorded' ? message.sizeBytes : -1,
  )
  assert.deepEqual(
    pieces,
    Array.from({ length: COUNT }, (_, piece) => piece),
  )
  assert.deepEqual(falseCitationsIn(log), [])
  assert.equal(typesIn(log, 'sessions').length, COUNT / 50 + 1)
})

test('the ends of requests are written in their order, and however many wait, on no deep stack', async () => {
  for (const becomes of ['acknowledged', 'refused']) {
    const { log, journal, acknowledge, refuse } = opened()
    const COUNT = 5_000
    const named = (rows: number): void => journal.complete({ ...COMPLETED, rows })
    for (let rows = 0; rows < COUNT; rows++) {
      if (rows % 100 === 0) seen(journal)
      named(rows)
    }
    await settled()
    if (becomes === 'refused') refuse(1)
    acknowledge(COUNT)
    await journal.finish(ended(journal))
    const ends = firstsIn(log, 'sessions').flatMap(({ message }) =>
      message.type === 'RequestCompleted' ? [message.rows] : [],
    )
    assert.deepEqual(
      ends,
      Array.from({ length: COUNT }, (_, rows) => rows),
      becomes,
    )
  }
})

test('large pieces are bounded by their bytes', async () => {
  const { journal, acknowledge } = opened()
  let made = 0
  for (let piece = 0; piece < 240; piece++)
    journal.recordTranscript(() => {
      made++
      return {
        type: 'TranscriptRecorded',
        at: Instant(1),
        requestId: REQUEST,
        ciphertext: Buffer.alloc(256 * 1024),
        sizeBytes: 256 * 1024,
      }
    })
  assert.ok(made <= 9, `${made} are made`)
  acknowledge(240)
  await journal.finish(ended(journal))
  assert.equal(made, 240)
})

/** Resolves when nothing more happens by itself. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A journal whose appends to the transcript wait until they are acknowledged or refused. */
function opened() {
  const log = inMemoryLog({ partitions: 1 })
  const inner = log.connect()
  let allowed = 0
  const queue: PromiseWithResolvers<void>[] = []
  const acknowledge = (count: number): void => {
    allowed += count
    while (allowed > 0 && queue.length > 0) {
      allowed--
      queue.shift()?.resolve()
    }
  }
  const refuse = (count: number): void => {
    for (const turn of queue.splice(0, count))
      turn.reject(new Problem('CS_LOG_UNAVAILABLE', 'away'))
  }
  const slow: Log = {
    ...inner,
    append: async (drafts: readonly Draft<never>[], options) => {
      if (drafts[0]?.topic === 'transcript') {
        const turn = Promise.withResolvers<void>()
        queue.push(turn)
        acknowledge(0)
        await turn.promise
      }
      return inner.append(drafts, options)
    },
  }
  const journal = openJournal({ log: slow, sessionId: SESSION, logger: silent })
  return { log, journal, acknowledge, refuse }
}

/** The events of the control chain that cite the transcript wrongly, at this moment. */
function falseCitationsIn(log: InMemoryLog): string[] {
  const heads = ['', ...firstsIn(log, 'transcript').map(hashOfRecord)]
  return firstsIn(log, 'sessions').flatMap(({ message }) =>
    'transcriptCount' in message && heads[message.transcriptCount] !== message.transcriptHead
      ? [`${message.type} ${message.transcriptCount}`]
      : [],
  )
}

const hashOfRecord = ({ message, fingerprint, value }: Understood): string =>
  hashOf(message.type, fingerprint, value)

type Understood = Extract<LogRecord, { status: 'understood' }>

/** The records of a topic without repeats. */
function firstsIn(log: InMemoryLog, topic: string): Understood[] {
  const known = new Map<string, Understood>()
  for (const record of log.records(topic))
    if (record.status === 'understood' && !known.has(record.id)) known.set(record.id, record)
  return [...known.values()]
}

const typesIn = (log: InMemoryLog, topic: string): string[] =>
  firstsIn(log, topic).map(({ message }) => message.type)

const STEPS = fc.oneof(
  fc.constantFrom('seen' as const, 'completed' as const),
  fc.integer({ min: 1, max: 3 }),
)

const seen = (journal: Journal): void =>
  journal.recordTranscript(() => ({
    type: 'TranscriptRecorded',
    at: Instant(1),
    requestId: REQUEST,
    ciphertext: Buffer.from('x'),
    sizeBytes: 1,
  }))

const completed = (journal: Journal): void => journal.complete(COMPLETED)

const COMPLETED: Uncited<RequestCompleted> = {
  type: 'RequestCompleted',
  at: Instant(1),
  requestId: REQUEST,
  outcome: 'Succeeded',
  commandTag: null,
  sqlState: null,
  rows: 0,
  resultBytes: 0,
  durationMicros: 0,
  transactionStatus: 'Idle',
}

const REFUSED = {
  type: 'SessionRefused',
  at: Instant(1),
  code: 'CS_AUTH_INVALID',
  reason: 'no',
  clientAddress: null,
  logins: 1,
} as const

const withdrawn = {
  type: 'RequestWithdrawn',
  at: Instant(1),
  requestId: REQUEST,
  reason: 'Cancelled',
} as const

const ended =
  ({ transcript }: Journal): (() => Unlinked<SessionEnded>) =>
  () => ({
    type: 'SessionEnded',
    at: Instant(1),
    reason: 'ClientTerminated',
    code: null,
    requestCount: 0,
    transcriptHead: transcript.head,
    transcriptCount: transcript.count,
    inDoubt: [],
  })
