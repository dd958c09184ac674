// Seen to fail when takeDescription leaves the cursors, or takes a description as another one that is the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TargetDescribed } from '@countersign/contracts'
import { cursorAnswered, type Cursors, cursorUsed, UNTAINTED } from '../core/answer-taint.ts'
import { noNames } from '../core/statement-names.ts'
import { newOwnState } from './own-changes.ts'
import type { Session } from './session-state.ts'
import { shared, takeDescription } from './take-description.ts'

/** True if a cursor that was declared over nothing masked shows what is computed, once the target is described so. */
function shows(targetVersion: string): boolean {
  // bound: one test
  const cursors: Cursors = new Map()
  const session = {
    ...{ targetVersion: 't1', undescribed: null, names: noNames(), cursors, own: newOwnState() },
    // bound: one test
    covers: new Map(),
  } as unknown as Session
  const use = (cursorUse: string, isTainted: boolean) => ({
    ...UNTAINTED,
    ...{ cursor: 'c', cursorUse, isTainted },
  })
  cursorUsed(cursors, use('hold', false), 1)
  cursorAnswered(cursors, 1, true)
  takeDescription(session, described(targetVersion))
  assert.equal(session.targetVersion, targetVersion)
  return !cursorUsed(cursors, use('fetch', true), 2).isTainted
}

test('a cursor shows what it was declared for while the target is the same', () => {
  assert.ok(shows('t1'))
})

test('a cursor of before another description shows nothing that is computed', () => {
  assert.ok(!shows('t2'))
})

test('sessions of one target share its description', () => {
  assert.equal(shared(described('t3')), shared(described('t3')))
  assert.notEqual(shared(described('t3')), shared(described('t4')))
})

function described(targetVersion: string): TargetDescribed {
  return { targetVersion, relations: [], requestId: null } as unknown as TargetDescribed
}
