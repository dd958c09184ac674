import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from './session-state.ts'
import { whenSilent } from './silence.ts'

/** An agent of which a part of a message comes at each of these times; and whether the limit has run by then. */
function agent(...partsAtMs: readonly number[]) {
  let nowMs = 0
  let timers: { atMs: number; run(): void }[] = []
  const session = {
    client: { partAtMs: () => partsAtMs.findLast((at) => at <= nowMs) ?? null },
    proxy: {
      clock: { monotonicMs: () => nowMs },
      net: {
        after(_where: string, ms: number, run: () => void) {
          const timer = { atMs: nowMs + ms, run }
          timers.push(timer)
          return { [Symbol.dispose]: () => (timers = timers.filter((one) => one !== timer)) }
        },
      },
    },
  } as unknown as Session
  let ranAtMs: number | null = null
  const limit = whenSilent(session, { limitMs: 60, sinceMs: 0, where: 'test' }, () => {
    ranAtMs = nowMs
  })
  const go = (timersMax = Infinity): number | null => {
    for (let ran = 0; ran < timersMax; ran++) {
      const next = timers.shift()
      if (next === undefined) break
      nowMs = next.atMs
      next.run()
    }
    return ranAtMs
  }
  return { go, limit }
}

test('who sends nothing is silent at the limit', () => {
  assert.equal(agent().go(), 60)
})

// Seen to fail when the limit is not looked at again.
test('each part of a message begins the silence anew', () => {
  assert.equal(agent(50).go(), 110)
  assert.equal(agent(50, 100, 150).go(), 210)
  assert.equal(agent(50, 111).go(), 110)
})

// Seen to fail when only the first timer is given up.
test('what is over runs nothing, however often it was looked', () => {
  const { go, limit } = agent(50)
  assert.equal(go(1), null)
  limit[Symbol.dispose]()
  assert.equal(go(), null)
})
