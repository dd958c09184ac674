// Seen to fail when `withExecuted` asks for a long text whatever room there is, and when `unknownName` gives a name that the
// target has or did not answer for.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Instant } from '@countersign/kernel'
import { loadStatements } from '@countersign/statements'
import type { Ask } from '../core/pipeline-plan.ts'
import { learnPrepared, noNames } from '../core/statement-names.ts'
import { newExchange } from '../core/exchange.ts'
import { unknownName, withExecuted } from './executed.ts'
import { memoryOf } from './memory.ts'
import type { Session } from './session-state.ts'

before(loadStatements)

const KIB = 1024

/** A session at whose target nothing can be asked. */
function prepared(sizeBytes: number): Session {
  const names = noNames()
  const sql = `prepare p as select '${'x'.repeat(sizeBytes)}'`
  const longText = { turn: 'None' as const, endTold: false, prepares: 'p', executes: null }
  const text = { text: Buffer.from(sql), sql }
  const redefines = { statements: ['p'], portals: [], settings: [] }
  names.told.set(text.text, { redefines, longText })
  learnPrepared(names, text, '[]')
  assert.equal(names.prepared.size, 1)
  const asked = new Error('the target was asked')
  const journal = { record: () => Promise.reject(asked) }
  return { names, status: 'I', journal, profile: {}, settings: [] } as unknown as Session
}

test('a long text that is executed takes room of its agent, and is not asked for without', async () => {
  const asks = [{ sql: 'execute p', executes: [] }] as unknown as readonly Ask[]
  const memory = memoryOf(256 * KIB)
  using room = memory.share('agent')
  await assert.rejects(withExecuted(prepared(1), asks, room))
  assert.equal(room.bytes(), 0)
  await assert.rejects(withExecuted(prepared(20 * KIB), asks, room))
  assert.ok(room.bytes() > 20 * KIB)
  // An eighth is what one agent may have.
  assert.equal(await withExecuted(prepared(20 * KIB), asks, room), asks)
  using other = memory.share('other')
  await assert.rejects(withExecuted(prepared(20 * KIB), asks, other))
})

/** A session whose target answers each question with this value; null for none, where it fails. */
function answering(value: string | null): { session: Session; asked: () => number } {
  let asked = 0
  const session = {
    ...{ exchange: newExchange(), underWay: new Map(), nextNumber: 0, ownName: 'own', ownRows: [] },
    ...{ status: 'I', isPipelineOpen: false, isEnding: false, wake: () => undefined, settings: [] },
    ...{ id: '01890000-0000-7000-8000-000000000000', agent: 'agent', stateVersion: 0 },
    ...{ policyVersion: '', targetVersion: '', plan: { planVersion: '' }, salt: Buffer.alloc(0) },
    profile: { name: 'shop', baseRoles: [], recording: 'Digest' },
    dataKey: { encrypt: (bytes: Buffer) => bytes },
    expiry: { at: Instant(1) },
    journal: { record: (all: readonly unknown[]) => Promise.resolve(all) },
    target: {
      forward() {
        asked++
        const { steps } = session.exchange
        if (value !== null) {
          session.ownRows.push([Buffer.from(value)])
          for (const step of steps) step.confirmed?.()
        }
        steps.length = 0
      },
    },
    proxy: {
      clock: { now: () => Instant(0), monotonicMs: () => 0 },
      lease: { isHeld: () => true },
    },
  } as unknown as Session
  return { session, asked: () => asked }
}

test('a name is unknown where its EXECUTE is alone and the target says that it has none', async () => {
  assert.equal(await unknownName(answering('f').session, 'execute "No such" (1)'), 'No such')
  assert.equal(await unknownName(answering('t').session, 'execute nope'), null)
  assert.equal(await unknownName(answering(null).session, 'execute nope'), null)
  for (const sql of [
    null,
    'select 1',
    'prepare nope as select 1',
    'prepare nope as select 1; execute nope',
    'create table t as execute nope',
    'explain execute nope',
    // PostgreSQL cuts it.
    `execute ${'long'.repeat(16)}`,
  ]) {
    const { session, asked } = answering('f')
    assert.equal(await unknownName(session, sql), null)
    assert.equal(asked(), 0)
  }
})
