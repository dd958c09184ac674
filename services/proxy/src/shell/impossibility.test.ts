import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { ReviewRequired } from '@countersign/contracts'
import { Instant } from '@countersign/kernel'
import { loadStatements } from '@countersign/statements'
import { newExchange } from '../core/exchange.ts'
import { impossibility } from './impossibility.ts'
import type { Pending } from './requests.ts'
import { cancel, type Session } from './session-state.ts'

before(loadStatements)

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A session whose target waits for a lock when it is asked to parse, and what was done meanwhile. */
function blocked() {
  const done: string[] = []
  const sql = 'update orders set note = 1'
  const session = {
    ...{ exchange: newExchange(), underWay: new Map(), nextNumber: 0, ownName: 'own' },
    ...{ status: 'I', isPipelineOpen: false, isCancelled: false, isEnding: false },
    ...{
      onCancel() {},
      wake() {},
      cursors: new Map(),
      ownRows: [],
      salt: Buffer.alloc(0),
      settings: [],
    },
    ...{ id: '01890000-0000-7000-8000-000000000000', agent: 'agent', stateVersion: 0 },
    ...{ policyVersion: '', targetVersion: '', plan: { planVersion: '' } },
    profile: { name: 'shop', baseRoles: [], recording: 'Digest' },
    dataKey: { encrypt: (bytes: Buffer) => bytes },
    ending: Promise.withResolvers(),
    expiry: { at: Instant(1) },
    client: { closed: new Promise(() => undefined), lasts: () => done.push('lasts') },
    journal: { record: (all: readonly unknown[]) => Promise.resolve(all) },
    target: {
      forward: () => done.push('sent'),
      drained: () => Promise.resolve(),
      cancel: () => (done.push('cancelled'), Promise.resolve()),
    },
    proxy: {
      clock: { now: () => Instant(0), monotonicMs: () => 0 },
      lease: { isHeld: () => true },
      net: {
        after: () => ({ [Symbol.dispose]: () => undefined }),
        detached: (_where: string, work: Promise<unknown>) => void work,
      },
    },
  } as unknown as Session
  const pending = { ask: { sql, parameterTypes: [] }, decisionId: null } as unknown as Pending
  const decision = { type: 'ReviewRequired', runsWhenPrepared: false, effects: [] }
  const parsed = impossibility(session, pending, decision as unknown as ReviewRequired)
  const answered = (): void => {
    session.exchange.steps.length = 0
    session.wake()
  }
  return { session, done, parsed, answered }
}

// Seen to fail when only what the agent sent lasts, and is cancelled, while the target is at it.
test('what the target parses for us keeps no memory for copies, and is cancelled with the agent', async () => {
  const { session, done, parsed, answered } = blocked()
  await turn()
  assert.deepEqual(done, ['sent', 'lasts'])
  cancel(session)
  assert.deepEqual(done, ['sent', 'lasts', 'cancelled'])
  answered()
  assert.equal(await parsed, null)
  assert.equal(session.isCancelled, true)
  // Of what comes behind it the target hears nothing.
  cancel(session)
  assert.deepEqual(done, ['sent', 'lasts', 'cancelled'])
})
