import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { inMemoryLog, withBrokenRecord } from '@countersign/log/in-memory'
import type { Past } from './past.ts'
import { project } from './projection.ts'
import type { Vault } from './vault.ts'

const SESSION = SessionId('01890000-0000-7000-8000-0000000000aa')
const logger = { debug() {}, info() {}, warn() {}, error() {} }

// Seen to fail when what is thrown leaves `take`.
test('an event that cannot be told is put aside, and replay goes on', async () => {
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
  const vault: Vault = {
    keep: () => undefined,
    erase: () => undefined,
    decrypterOf: () => Promise.resolve(null),
  }
  const past: Past = { read: () => Promise.resolve() }
  const broken = withBrokenRecord(log.connect(), 'ApprovalWithdrawn')
  await using projection = await project({ log: broken, logger, vault, past })
  await Promise.race([projection.caughtUp, projection.failed])
  assert.equal(log.records('replay.rejected').length, 1)
})
