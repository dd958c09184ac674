// Seen to fail when `finish` waits for the cancel before it says goodbye.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestId, SessionId } from '@countersign/kernel'
import { finish } from './finish-session.ts'
import type { Session } from './session-state.ts'
import { nothingWithheld } from './withheld.ts'

test('the agent is told goodbye, and the end is written, while a cancel is still on its way to the target', async () => {
  const cancelled = Promise.withResolvers<void>()
  const done: string[] = []
  const note = (what: string) => (): void => void done.push(what)
  const session = {
    id: SessionId('01920000-0000-7000-8000-000000000001'),
    client: {
      closed: Promise.resolve(),
      end: note('goodbye'),
      drop: () => undefined,
      write: note('write'),
    },
    target: { cancel: () => cancelled.promise, close: note('target closed') },
    journal: {
      finish: () => Promise.resolve(note('end written')()),
      settled: () => Promise.resolve(),
    },
    proxy: { logger: { info: note('logged') }, net: { detached: () => undefined } },
    profile: { recording: 'None' },
    withheld: nothingWithheld(),
    largeRow: { held: null, isWaiting: false },
    underWay: new Map([[0, { requestId: RequestId('01920000-0000-7000-8000-000000000002') }]]),
    ending: Promise.withResolvers(),
    // Only what `finish` uses.
  } as unknown as Session
  const finished = finish(session, {
    reason: 'LimitReached',
    code: 'CS_SESSION_LIMIT',
    words: 'over',
  }).then(note('finished'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(done, ['target closed', 'goodbye', 'logged', 'end written'])
  cancelled.resolve()
  await finished
  assert.equal(done.at(-1), 'finished')
})
