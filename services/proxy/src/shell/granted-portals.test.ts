// Seen to fail when noteGranted does not look at readsTime.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApprovalGranted, ReviewRequired } from '@countersign/contracts'
import type { Ask } from '../core/pipeline-plan.ts'
import { type Covering, grantedPortal, noteGranted } from './granted-portals.ts'
import type { Session } from './session-state.ts'

const policy = { policyVersion: 'p1', catalogOffset: 0, heardAtMs: 0 }
let now = 0
// Only what a granted portal depends on.
const session = (): Session =>
  ({
    grantedPortals: new WeakMap(),
    proxy: {
      liveness: () => policy,
      catalogOffset: () => 0,
      clock: { now: () => now, monotonicMs: () => 0 },
      config: { CS_COVERAGE_ALIVE_MS: 1_000 },
    },
    ...{
      id: 's',
      targetVersion: 't1',
      planChanges: 0,
      stateVersion: 0,
      settings: [],
      raised: null,
    },
  }) as unknown as Session
const ask = { bind: { tag: 'Bind' }, sql: 'select 1', copyData: null } as unknown as Ask

/** True if a portal that people granted goes on. */
function goesOn(open: Session, of: Partial<ReviewRequired>): boolean {
  const decision = { type: 'ReviewRequired', policyVersion: 'p1', readsTime: false, ...of }
  const grant = { expiresAt: 10 } as unknown as ApprovalGranted
  noteGranted(open, { ask, planChanges: 0 }, { decision, grant } as unknown as Covering)
  return grantedPortal(open, ask) !== null
}

test('a portal goes on under its grant while that lasts', () => {
  const open = session()
  assert.ok(goesOn(open, {}))
  now = 11
  assert.equal(grantedPortal(open, ask), null)
  now = 0
})

test('a portal is decided anew where a policy looks at the clock, or was another', () => {
  assert.equal(goesOn(session(), { readsTime: true }), false)
  assert.equal(goesOn(session(), { policyVersion: 'p0' }), false)
})

test('a portal is decided anew where anything changed that it was granted under', () => {
  const changes: readonly Partial<Session>[] = [
    { targetVersion: 't2' },
    { planChanges: 1 },
    { stateVersion: 1 },
    { settings: [{ name: 'datestyle', value: 'SQL, DMY' }] as unknown as Session['settings'] },
    { raised: { raiseId: 'r' } as unknown as Session['raised'] },
  ]
  for (const change of changes) {
    const open = session()
    assert.ok(goesOn(open, {}))
    assert.equal(grantedPortal(Object.assign(open, change), ask), null, JSON.stringify(change))
  }
})
