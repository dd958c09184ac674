// Meant to fail when `complete` in answers.ts waits for ReadyForQuery, when the queue in client.ts is resumed by bytes
// alone, and when the loop of serve-session.ts takes no turns.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { memoryOf } from '@countersign/local'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { bystander, quantile } from '../support/bystander.ts'
import { counted, flood, SMALL, until } from '../support/flood.ts'
import { openWire } from '../support/wire.ts'

const system = await arena('flow')
const proxy = system.service('proxy')
const pid = proxy.pid()

/** The fewest answers that others get while one session floods: they wait for a part of the flood, never for all of it. */
const ANSWERED_MIN = 8
const GROWTH_MIB_MAX = 250

/** Runs something while a bystander works, and asserts that it is answered and that the proxy does not grow too much. */
async function watched(t: TestContext, run: () => Promise<void>): Promise<void> {
  const before = memoryOf([pid]).bytes
  const other = await bystander(system)
  const since = performance.now()
  let highest = before
  const watch = setInterval(() => (highest = Math.max(highest, memoryOf([pid]).bytes)), 250)
  try {
    await run()
  } finally {
    clearInterval(watch)
  }
  const tookMs = performance.now() - since
  const latencies = await other.leave()
  const grownMiB = (highest - before) / 1024 / 1024
  t.diagnostic(
    `${(tookMs / 1000).toFixed(1)} s; others: ${latencies.length} statements, median ` +
      `${quantile(latencies, 0.5).toFixed(1)} ms, 95 % ${quantile(latencies, 0.95).toFixed(1)} ms, ` +
      `longest ${latencies.at(-1)?.toFixed(1)} ms; the proxy grew by ${grownMiB.toFixed(0)} MiB`,
  )
  assert.ok(latencies.length >= ANSWERED_MIN, `others were answered ${latencies.length} times`)
  assert.ok(grownMiB < GROWTH_MIB_MAX, `the proxy grew by ${grownMiB.toFixed(0)} MiB`)
  assert.equal(proxy.pid(), pid)
}

test('100,000 small statements in one pipeline, before one Sync', async (t) => {
  await watched(t, async () => {
    const wire = await openWire(system, 'shop-dev')
    const answered = counted(wire)
    await flood(wire, SMALL, 100_000)
    wire.send(toServer.sync())
    await until(() => answered('C') === 100_000, 300_000)
    wire.end()
  })
})

test('10,000 small statements by the simple protocol, sent ahead', async (t) => {
  await watched(t, async () => {
    const wire = await openWire(system, 'shop-dev')
    const answered = counted(wire)
    await flood(wire, toServer.query('select 1'), 10_000)
    await until(() => answered('C') === 10_000, 300_000)
    wire.end()
  })
})

test('100 Syncs and 800,000 messages of five bytes', async (t) => {
  await watched(t, async () => {
    const wire = await openWire(system, 'shop-dev')
    const answered = counted(wire)
    wire.send(...Array<Buffer>(100).fill(toServer.sync()))
    await flood(wire, toServer.flush(), 800_000)
    wire.send(toServer.sync())
    await until(() => answered('Z') >= 101, 120_000)
    wire.end()
  })
})

test('what cannot be run, sent ahead by who does not read', async (t) => {
  await watched(t, async () => {
    const wire = await openWire(system, 'shop-dev')
    wire.socket.pause()
    const flooding = flood(
      wire,
      Buffer.concat([toServer.bind({ statement: 'unknown' }), toServer.sync()]),
      100_000,
    )
    flooding.catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    wire.end()
  })
})
