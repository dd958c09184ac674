import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, SessionId, uuidv5 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { inMemoryLog } from '@countersign/log/in-memory'
import { serveDecider } from '@countersign/runtime'
import { asked, chain, later, stage } from '../core/examples.ts'
import { approvalService } from './approval-service.ts'
import type { Rules } from './rules.ts'
import { sweep } from './sweep.ts'

const BROKEN = SessionId('01890000-0000-7000-8000-0000000000aa')
const OTHER = SessionId('01890000-0000-7000-8000-0000000000bb')

// Seen to fail when the order that is due is made out for all of them at once.
test('a request whose order cannot be made is given up with its session, and the others are swept', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  const rules: Rules = {
    apply: () => undefined,
    environmentsOf: () => [],
    outdated: ({ policyVersion }) => {
      if (policyVersion === 'broken') throw new TypeError('poison')
      return 'other rules'
    },
  }
  const clock = { now: () => later(0), monotonicMs: () => 0 }
  const requested = asked(chain('c', stage('dba')))
  for (const sessionId of [BROKEN, OTHER])
    await log.append([
      draftOf(
        { ...requested, sessionId, policyVersion: sessionId === BROKEN ? 'broken' : 'p1' },
        { id: EventId(uuidv5(sessionId, 'asked')), key: sessionId },
      ),
    ])
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const readVoter = () => assert.fail('nobody votes')
  await using host = await serveDecider({
    log: log.connect(),
    logger,
    service: approvalService({ clock, rules, readVoter }),
  })
  while (host.partitions().size === 0) await new Promise((resolve) => setImmediate(resolve))
  await sweep(host, rules, clock)
  await sweep(host, rules, clock)
  const told = log
    .records('approvals')
    .flatMap((record) =>
      record.status === 'understood' && record.message.type !== 'ApprovalRequested'
        ? [`${record.message.type} ${record.key === BROKEN ? 'broken' : 'other'}`]
        : [],
    )
  assert.deepEqual(told.toSorted(), ['ApprovalSuperseded other', 'ApprovalWithdrawn broken'])
})
