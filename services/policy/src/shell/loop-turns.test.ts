import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newShares } from '../core/shares.ts'
import { loopTurns } from './loop-turns.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const asker = (sessionId: string, agent = sessionId) => ({ sessionId, agent })

/** Seen to fail when pieces of work run in the order in which they came, and when none is charged. */
test('of those that wait whoever has used least comes first, however many sessions the others have', async () => {
  const shares = newShares()
  const inTurn = loopTurns({ logger, shares })
  const order: string[] = []
  const ask = (sessionId: string, agent: string) =>
    inTurn(asker(sessionId, agent), () => {
      order.push(agent)
      // Whatever a piece of work takes, it takes more than none.
      for (const beganMs = performance.now(); performance.now() === beganMs;);
    })
  const greedy = (n: number) => ask(`g${n}`, 'greedy')
  await Promise.all([...[0, 1, 2].map(greedy), ask('m', 'modest'), ...[3, 4].map(greedy)])
  assert.deepEqual(order.slice(0, 2), ['greedy', 'modest'])
  assert.ok(shares.ofAgent(asker('any', 'greedy'), performance.now()) > 0)
})

test('work that fails fails for whom it was done, and all others go on', async () => {
  const inTurn = loopTurns({ logger, shares: newShares() })
  const failing = inTurn(asker('one'), () => {
    throw new TypeError('broken')
  })
  const other = inTurn(asker('two'), () => 2)
  await assert.rejects(failing, /broken/)
  assert.equal(await other, 2)
  assert.equal(await inTurn(asker('one'), () => 3), 3)
})
