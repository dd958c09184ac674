import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import { draftOf, type Heeds, type LogRecord, type Understood } from '@countersign/log'
import { type InMemoryLog, inMemoryLog } from '@countersign/log/in-memory'
import type { Consequence, DeciderService, Decision } from './decider/decider-service.ts'
import { type DeciderHost, serveDecider } from './serve-decider.ts'

const SESSION = SessionId('01a205d5-15a3-71b3-bc9d-1765de5ac95c')
const OTHER = SessionId('01a205d5-15a3-71b3-bc9d-1765de5ac95d')
const REQUEST = RequestId('01a205d5-15a3-7b91-a0dc-1516f8a6bac9')
const silent = { debug() {}, info() {}, warn() {}, error() {} }

test('each input is decided once, and what follows cites it', async () => {
  const log = inMemoryLog()
  await withdraw(log, SESSION, 0)
  await using _host = await serve(log, () => 'follow')
  await written(log, 1)
  const [first] = log.records('approvals')
  assert.equal(first?.status === 'understood' ? first.causation?.topic : null, 'sessions')
})

test('after a restart nothing is decided twice, and nothing that happened meanwhile is left out', async () => {
  const log = inMemoryLog()
  await withdraw(log, SESSION, 0)
  {
    await using _host = await serve(log, () => 'follow')
    await written(log, 1)
  }
  await withdraw(log, SESSION, 1)
  await withdraw(log, OTHER, 0)
  const decided: string[] = []
  await using _host = await serve(log, (record) => {
    decided.push(record.key)
    return 'follow'
  })
  await written(log, 3)
  assert.deepEqual(decided.toSorted(), [SESSION, OTHER].toSorted())
})

test('a record waits for another one of its session, and later ones of its topic wait behind it', async () => {
  const log = inMemoryLog()
  await withdraw(log, SESSION, 0)
  await withdraw(log, SESSION, 1)
  let isReady = false
  const order: number[] = []
  await using _host = await serve(
    log,
    (record) => {
      if (record.message.type !== 'RequestWithdrawn') return 'nothing'
      if (!isReady) return 'wait'
      order.push(record.message.sequence)
      return 'follow'
    },
    (record) => {
      isReady ||= record.status === 'understood' && record.message.type === 'SessionKeySealed'
    },
  )
  const key = {
    type: 'SessionKeySealed',
    sessionId: SESSION,
    at: Instant(1),
    recipients: [],
  } as const
  await log.append([draftOf(key, { id: EventId(uuidv5(SESSION, 'key')), key: SESSION })])
  await written(log, 2)
  assert.deepEqual(order, [0, 1])
})

test('a record that cannot be handled is put aside with the reason, and the next one is decided', async () => {
  const log = inMemoryLog()
  await using _host = await serve(log, (record) => {
    if (record.message.type === 'RequestWithdrawn' && record.message.sequence === 0)
      throw new Error('poison')
    return 'follow'
  })
  await withdraw(log, SESSION, 0)
  await withdraw(log, SESSION, 1)
  await written(log, 1)
  const [rejected] = log.records('tester.rejected')
  assert.equal(rejected?.status, 'understood')
  if (rejected?.status === 'understood' && rejected.message.type === 'MessageRejected') {
    assert.equal(rejected.message.reason, 'poison')
    assert.equal(rejected.message.offset, 0)
  }
})

test('what of the own output cannot be read is put aside at the start, and its session ended, once', async () => {
  const log = inMemoryLog()
  const at = log.appendRaw('approvals', log.partitionOf(SESSION, 8), SESSION, {}, Buffer.from('?'))
  for (let start = 0; start < 2; start++) {
    await using host = await serveGivingUp(log)
    while (!host.partitions().has(at.partition))
      await new Promise((resolve) => setTimeout(resolve, 1))
    await host.submit(SESSION, EventId(uuidv5(SESSION, `start/${start}`)), () => [])
  }
  const [rejected, ...others] = log.records('tester.rejected')
  assert.deepEqual(others, [])
  assert.deepEqual(rejected?.status === 'understood' && rejected.causation, at)
  // The record itself, and the one end that followed from it.
  assert.equal(log.records('approvals').length, 2)
})

test('what a service does not heed is not decided, and a restart does not wait for it', async () => {
  const log = inMemoryLog()
  const heeds = { sessions: ['SessionEnded'] } as const
  await withdraw(log, SESSION, 0)
  await using host = await serve(log, () => assert.fail('it is not heeded'), undefined, heeds)
  const partition = log.partitionOf(SESSION, 8)
  while (!host.partitions().has(partition)) await new Promise((resolve) => setTimeout(resolve, 1))
  await withdraw(log, SESSION, 1)
  await host.submit(SESSION, EventId(uuidv5(SESSION, 'submitted')), () => [consequence])
  await written(log, 1)
  assert.deepEqual(log.records('tester.rejected'), [])
})

/** Waits until the partition of the session is restored. */
async function restored(log: InMemoryLog, host: DeciderHost<null>): Promise<void> {
  const partition = log.partitionOf(SESSION, 8)
  while (!host.partitions().has(partition)) await new Promise((resolve) => setImmediate(resolve))
}

const poison = (): never => {
  throw new Error('poison')
}
const causeOf = (name: string): EventId => EventId(uuidv5(SESSION, name))

// Seen to fail when `submit` lets the service fail by what is thrown, and when it quarantines nothing.
test('work without a record that throws gives up its own session, once, and the service goes on', async () => {
  const log = inMemoryLog()
  await using host = await serveGivingUp(log)
  let failure: unknown = null
  host.failed.catch((cause: unknown) => (failure = cause))
  await restored(log, host)
  for (let turn = 0; turn < 3; turn++)
    await assert.rejects(host.submit(SESSION, causeOf('poison'), poison), /poison/)
  await written(log, 1)
  await host.submit(SESSION, causeOf('next'), () => [consequence])
  await written(log, 2)
  assert.deepEqual([failure, log.records('approvals').length], [null, 2])
})

// Seen to fail when what `quarantine` throws leaves `quarantined`.
test('a session of which not even the end can be decided waits for its limits, and the service goes on', async () => {
  const log = inMemoryLog()
  await using host = await serve(
    log,
    (record) => (record.key === SESSION ? poison() : 'follow'),
    undefined,
    undefined,
    poison,
  )
  let failure: unknown = null
  host.failed.catch((cause: unknown) => (failure = cause))
  await withdraw(log, SESSION, 0)
  await restored(log, host)
  await assert.rejects(host.submit(SESSION, causeOf('poison'), poison), /poison/)
  await withdraw(log, OTHER, 0)
  await written(log, 1)
  assert.deepEqual(
    [failure, log.records('tester.rejected').length, log.records('approvals')[0]?.key],
    [null, 1, OTHER],
  )
})

// Seen to fail when `fold` tells of nothing: then it is decided on as if it had been folded.
test('a record that cannot be folded is put aside and ends its session, also while the state is restored', async () => {
  const log = inMemoryLog()
  const decided: string[] = []
  const start = () =>
    serve(
      log,
      (record) => {
        decided.push(record.key)
        return 'nothing'
      },
      (record) => {
        const isPoison =
          record.status === 'understood' && record.message.type === 'RequestWithdrawn'
        if (isPoison && record.key === SESSION) poison()
      },
      undefined,
      () => [consequence],
    )
  await withdraw(log, SESSION, 0)
  {
    await using _host = await start()
    await written(log, 1)
    await withdraw(log, SESSION, 1)
    await written(log, 2)
    await withdraw(log, OTHER, 0)
    while (decided.length < 1) await new Promise((resolve) => setImmediate(resolve))
  }
  await using host = await start()
  await restored(log, host)
  await host.submit(SESSION, causeOf('last'), () => [])
  assert.ok(!decided.includes(SESSION))
  assert.equal(log.records('tester.rejected').length, 2)
  assert.equal(log.records('approvals').length, 2)
})

test('an event of its own that cannot be folded at a start is put aside and ends its session, and the service starts', async () => {
  const log = inMemoryLog()
  await log.append([draftOf(consequence.message, { id: causeOf('own'), key: SESSION })])
  let isFirst = true
  await using host = await serve(
    log,
    () => 'nothing',
    () => {
      if (!isFirst) return
      isFirst = false
      poison()
    },
    undefined,
    () => [consequence],
  )
  await restored(log, host)
  await written(log, 2)
  assert.equal(log.records('tester.rejected').length, 1)
})

const consequence = {
  message: {
    type: 'ApprovalWithdrawn',
    sessionId: SESSION,
    at: Instant(1),
    approvalId: REQUEST,
    requestId: REQUEST,
    reason: 'test',
  },
} as const

type Answer = 'follow' | 'wait' | 'nothing'

/** A service that decides nothing, and ends a session that it gives up. */
const serveGivingUp = (log: InMemoryLog) =>
  serve(
    log,
    () => 'nothing',
    undefined,
    undefined,
    () => [consequence],
  )

function serve(
  log: InMemoryLog,
  decide: (record: Understood) => Answer,
  apply: (record: LogRecord) => void = () => undefined,
  heeds?: Heeds,
  quarantine?: () => readonly Consequence[],
) {
  const service: DeciderService<null> = {
    topology: {
      service: 'tester',
      reads: ['sessions', 'keys'],
      ...(heeds === undefined ? {} : { heeds }),
      writes: ['approvals'],
    },
    globals: [],
    newState: () => null,
    apply: (_state, record) => apply(record),
    decide(_state, record): Decision {
      const answer = decide(record)
      if (answer === 'wait') return 'wait'
      if (answer === 'nothing') return []
      return [consequence]
    },
    ...(quarantine === undefined ? {} : { quarantine }),
  }
  return serveDecider({ log: log.connect(), service, logger: silent })
}

async function withdraw(log: InMemoryLog, sessionId: SessionId, sequence: number): Promise<void> {
  const message = {
    type: 'RequestWithdrawn',
    sessionId,
    sequence,
    previousHash: '',
    at: Instant(1),
    requestId: REQUEST,
    reason: 'Cancelled',
  } as const
  await log.append([
    draftOf(message, { id: EventId(uuidv5(sessionId, `test/${sequence}`)), key: sessionId }),
  ])
}

async function written(log: InMemoryLog, count: number): Promise<void> {
  while (log.records('approvals').length < count)
    await new Promise((resolve) => setImmediate(resolve))
}
