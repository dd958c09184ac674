// Seen to fail when `withExecuted` asks for a long text whatever room there is.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from '@countersign/statements'
import type { Ask } from '../core/pipeline-plan.ts'
import { learnPrepared, noNames } from '../core/statement-names.ts'
import { withExecuted } from './executed.ts'
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
