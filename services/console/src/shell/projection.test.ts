import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { inMemoryLog, withBrokenRecord } from '@countersign/log/in-memory'
import { project } from './projection.ts'

const SESSION = SessionId('01890000-0000-7000-8000-0000000000aa')
const logger = { debug() {}, info() {}, warn() {}, error() {} }

// Seen to fail when what is thrown leaves `take`.
test('an event that cannot be shown is put aside, and the page goes on', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  for (const number of [1, 2]) {
    const requestId = RequestId(`01890000-0000-7000-8000-00000000000${number}`)
    const message = {
      type: 'ApprovalWithdrawn',
      sessionId: SESSION,
      at: Instant(1),
      approvalId: requestId,
      requestId,
      reason: 'test',
    } as const
    await log.append([draftOf(message, { id: EventId(uuidv5(requestId, 'test')), key: SESSION })])
  }
  await using projection = await project(
    withBrokenRecord(log.connect(), 'ApprovalWithdrawn'),
    logger,
  )
  await Promise.race([projection.caughtUp, projection.failed])
  assert.equal(log.records('console.rejected').length, 1)
})
