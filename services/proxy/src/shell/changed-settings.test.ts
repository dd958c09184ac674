// Seen to fail when currentSettings asks with `ownQuery`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instant } from '@countersign/kernel'
import { receiveServer, serverSide, toClient } from '@countersign/postgres-wire'
import { newExchange } from '../core/exchange.ts'
import { noNames } from '../core/statement-names.ts'
import { takeFrames } from './answers.ts'
import { currentSettings, settingsConfirmed } from './changed-settings.ts'
import type { Session } from './session-state.ts'
import { nothingWithheld } from './withheld.ts'

/** A session whose target fails each question, in its transaction or outside of one; with what its agent is told. */
function cancelled(status: 'I' | 'T'): { session: Session; told: string[] } {
  const told: string[] = []
  const never = new Promise<void>(() => undefined)
  const failing = [
    toClient.errorResponse({ severity: 'ERROR', code: '57014', message: 'canceling' }),
    toClient.readyForQuery(status === 'T' ? 'E' : 'I'),
  ]
  const session = {
    ...{ id: '0191d2a0-0000-7000-8000-000000000001', agent: 'bot', salt: Buffer.alloc(16) },
    ...{ policyVersion: 'p1', targetVersion: 't1', plan: { planVersion: 'm1' } },
    ...{ status, stateVersion: 1, settingsVersion: 0, settings: [], hasChangedState: true },
    ...{ ownName: '_own', ownRows: [], nextNumber: 0, isPipelineOpen: false, isEnding: false },
    ...{ framesBehind: null, behindRow: null, raised: null, nextFilter: null },
    ...{ exchange: newExchange(), names: noNames(), withheld: nothingWithheld() },
    // bound: one test
    ...{ customSettings: new Set(), underWay: new Map(), cursors: new Map() },
    largeRow: { held: null, isWaiting: false },
    profile: { name: 'shop', baseRoles: [], recording: 'Digest', rowsMax: 1 },
    expiry: { at: Instant(1) },
    ending: Promise.withResolvers(),
    described: { relations: [] },
    filter: { message: ({ raw }: { raw: Buffer }) => raw, statementEnds: () => [] },
    dataKey: { encrypt: (bytes: Buffer) => bytes },
    journal: {
      record: (events: unknown[]) => Promise.resolve(events.map((message) => ({ message }))),
      complete: () => undefined,
      isCongested: () => false,
    },
    proxy: {
      searchTurns: { isOver: () => false },
      lease: { isHeld: () => true },
      clock: { now: () => Instant(0), monotonicMs: () => 0 },
    },
    target: {
      frameUnderWay: () => 0,
      parameters: new Map(),
      forward: () =>
        setImmediate(() => {
          takeFrames(session, receiveServer(serverSide(), Buffer.concat(failing))[1])
        }),
    },
    client: {
      closed: never,
      isCongested: () => false,
      write: (bytes: Buffer) => void told.push(/57014/.exec(bytes.toString())?.[0] ?? '?'),
    },
    wake: () => undefined,
  } as unknown as Session
  return { session, told }
}

test('a question for settings that fails is a failure of the agent, whose session goes on', async () => {
  for (const asks of [currentSettings, settingsConfirmed]) {
    const { session, told } = cancelled('T')
    assert.equal(await asks(session), false)
    assert.deepEqual(told, ['57014'])
    assert.deepEqual([session.status, session.exchange.skipping], ['E', false])
    // In a failed transaction nothing is asked, and its end is let through.
    assert.equal(await currentSettings(session), true)
  }
  const { session, told } = cancelled('I')
  assert.equal(await currentSettings(session), false)
  assert.deepEqual([told, session.isEnding], [['57014'], false])
})
