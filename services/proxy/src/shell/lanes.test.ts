import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, SessionId, systemClock, uuidv5 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { inMemoryLog } from '@countersign/log/in-memory'
import { readLanes } from './lanes.ts'
import type { SessionHandle, SessionTable } from './proxy-context.ts'

const BROKEN = SessionId('01890000-0000-7000-8000-0000000000aa')
const OTHER = SessionId('01890000-0000-7000-8000-0000000000bb')

// Seen to fail when what is thrown leaves `hear`.
test('a record that its session cannot take ends that session, is put aside, and the others hear theirs', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  const heard = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<string>()
  const handle = (deliver: SessionHandle['deliver']): SessionHandle => ({
    deliver,
    cancel: () => undefined,
    end: ended.resolve,
    isIdle: () => true,
    cancelKey: null,
    ended: Promise.resolve(),
  })
  const poison = (): never => {
    throw new Error('poison')
  }
  const sessions: SessionTable = new Map([
    [BROKEN, handle(poison)],
    [OTHER, handle(() => heard.resolve())],
  ])
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  await using lanes = await readLanes({
    log: log.connect(),
    clock: systemClock,
    logger,
    sessions,
    partitionCount: 1,
  })
  for (const sessionId of [BROKEN, OTHER]) {
    const of = { credentialId: sessionId, leftNothing: true } as const
    const failed = { code: 'CS_CREDENTIAL_FAILED', reason: 'test', requestId: null } as const
    const message = { type: 'CredentialFailed', sessionId, at: Instant(1), ...failed } as const
    const id = EventId(uuidv5(sessionId, 'failed'))
    await log.append([draftOf({ ...message, ...of }, { id, key: sessionId })])
  }
  await Promise.race([heard.promise, lanes.failed])
  assert.equal(await ended.promise, 'CS_MESSAGE_UNREADABLE')
  while (log.records('proxy.rejected').length === 0) await new Promise(setImmediate)
})
