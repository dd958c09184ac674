// Meant to fail when `complete` in answers.ts waits for ReadyForQuery, when the queue in client.ts is resumed by bytes
// alone, and when the loop of serve-session.ts takes no turns.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { memoryOf } from '@countersign/local'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { bystander, quantile } from '../support/bystander.ts'
import { openWire, type Wire } from '../support/wire.ts'

const system = await arena('flow')
const proxy = system.service('proxy')
const pid = proxy.pid()

/** So often others are answered at least while one session floods: they wait for a part of it, never for the whole. */
const ANSWERED_MIN = 8
const GROWTH_MIB_MAX = 250

/** Runs something while a bystander asks, and says what that one noticed. */
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

/** Sends so many times the same, as fast as it is taken. */
async function flood({ socket }: Wire, part: Buffer, times: number): Promise<void> {
  const many = Buffer.concat(Array<Buffer>(1_000).fill(part))
  for (let sent = 0; sent < times; sent += 1_000) {
    if (socket.write(many)) continue
    await new Promise<void>((resolve) => socket.once('drain', resolve))
  }
}

/** Counts the answers of one type without keeping them. */
function counted(wire: Wire, tag: string): { count: number } {
  const found = { count: 0 }
  const letter = tag.charCodeAt(0)
  let held = Buffer.alloc(0)
  wire.socket.removeAllListeners('data')
  wire.socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    let at = 0
    while (held.length - at >= 5 && held.length - at > held.readUInt32BE(at + 1)) {
      if (held[at] === letter) found.count++
      at += 1 + held.readUInt32BE(at + 1)
    }
    held = held.subarray(at)
  })
  return found
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const SMALL = Buffer.concat([toServer.parse('', 'select 1'), toServer.bind(), toServer.execute()])

test('100,000 small statements in one pipeline, before one Sync', async (t) => {
  await watched(t, async () => {
    const wire = await openWire(system, 'shop-dev')
    const done = counted(wire, 'C')
    await flood(wire, SMALL, 100_000)
    wire.send(toServer.sync())
    await until(() => done.count === 100_000, 300_000)
    wire.end()
  })
})

test('10,000 small statements by the simple protocol, sent ahead', async (t) => {
  await watched(t, async () => {
    const wire = await openWire(system, 'shop-dev')
    const done = counted(wire, 'C')
    await flood(wire, toServer.query('select 1'), 10_000)
    await until(() => done.count === 10_000, 300_000)
    wire.end()
  })
})

test('100 Syncs and 800,000 messages of five bytes', async (t) => {
  await watched(t, async () => {
    const wire = await openWire(system, 'shop-dev')
    const ready = counted(wire, 'Z')
    wire.send(...Array<Buffer>(100).fill(toServer.sync()))
    await flood(wire, toServer.flush(), 800_000)
    wire.send(toServer.sync())
    await until(() => ready.count >= 101, 120_000)
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
