// Seen to fail before there was a gate: agents that sent 32 MB each lost their sessions, because all of it went to the log
// at once (CS_LOG_UNAVAILABLE).
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { receiveServer, type ServerFrame, serverSide, toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { bystander } from '../support/bystander.ts'
import { askTarget } from '../support/target.ts'
import { openWire, told, type Wire } from '../support/wire.ts'

const MEMORY_BYTES_MAX = 256 * 1024 * 1024
/** The largest growth beyond the idle process: twice the knob, as services/proxy/README.md promises. */
const MOST_MIB = (2 * MEMORY_BYTES_MAX) / 1024 / 1024
const AGENTS = 8
const VALUE_BYTES = 16_000_000
const DATA_BYTES = 32_000_000

const system = await arena('large-messages', {
  env: {
    proxy: {
      CS_MEMORY_BYTES_MAX: String(MEMORY_BYTES_MAX),
      CS_FRAME_BYTES_MAX: String(64 * 1024 * 1024),
      // The lease of production; other tests have a shorter one.
      CS_LEASE_MS: '10000',
      // All of the data goes through the log of a busy machine, so its limits are longer.
      CS_APPEND_LIMIT_MS: '20000',
      CS_DECISION_LIMIT_MS: '60000',
    },
  },
})
await askTarget(
  system,
  'create unlogged table shop.heap (note text); grant all on shop.heap to shop_dev_reader, shop_dev_writer',
  'shop_dev',
)
const proxy = system.service('proxy')
const pid = proxy.pid()

/** The peak of the proxy's resident memory since `forgetHighest`, in MiB. */
const highestMiB = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
const forgetHighest = (): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

const opened = (count: number): Promise<Wire[]> =>
  Promise.all(Array.from({ length: count }, () => openWire(system, 'shop-dev')))

/** A statement with one large value, and its Sync. */
const valued = (bytes: number): Buffer =>
  Buffer.concat([
    toServer.parse('', 'select length($1)', [25]),
    toServer.bind({ values: [Buffer.alloc(bytes, 'x')] }),
    toServer.execute(),
    toServer.sync(),
  ])

/** Collects the answers of the proxy up to this many ReadyForQuery, without any time limit. */
function heard({ socket }: Wire, times = 1): Promise<string[]> {
  socket.removeAllListeners('data')
  let side = serverSide()
  const frames: ServerFrame[] = []
  let ready = 0
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      const [next, received] = receiveServer(side, chunk)
      side = next
      for (const frame of received) {
        if (frame.tag === 'Violation') continue
        frames.push(frame)
        if (frame.tag === 'Z' && ++ready === times) resolve(told(frames))
      }
    })
    socket.on('close', () => reject(new Error(`closed: ${told(frames).join(' | ')}`)))
  })
}

/** Ways to send large messages, for several agents at once; each resolves when it got the right answers. */
const LARGE: Readonly<Record<string, (wire: Wire) => Promise<void>>> = {
  'two values of 16 MB each in a pipeline': async (wire) => {
    wire.send(valued(VALUE_BYTES), valued(VALUE_BYTES))
    const answers = await heard(wire, 2)
    assert.equal(answers.filter((one) => one === `row ${VALUE_BYTES}`).length, 2, answers.join())
  },
  'two messages of 32 MB each into a COPY': async (wire) => {
    wire.send(toServer.query('begin'))
    await heard(wire)
    const row = toServer.copyData(Buffer.alloc(DATA_BYTES, 'x').fill('\n', DATA_BYTES - 1))
    wire.send(toServer.query('copy shop.heap from stdin'), row, row, toServer.copyDone())
    const answers = await heard(wire)
    assert.ok(answers.includes('done COPY 2'), answers.join())
    wire.send(toServer.query('rollback'))
    await heard(wire)
  },
}

for (const [what, send] of Object.entries(LARGE)) {
  test(`eight agents send ${what}: all are served within the memory, and others meanwhile`, async (t) => {
    const wires = await opened(AGENTS)
    const other = await bystander(system)
    forgetHighest()
    const idleMiB = highestMiB()
    const since = performance.now()
    try {
      await Promise.all(wires.map(send))
    } finally {
      const seconds = (performance.now() - since) / 1000
      t.diagnostic(
        `${seconds.toFixed(1)} s, from ${idleMiB.toFixed(0)} to at most ${highestMiB().toFixed(0)} MiB`,
      )
      for (const { socket } of wires) socket.destroy()
      const waited = await other.leave()
      t.diagnostic(
        `${waited.length} answers to another, the last in ${waited.at(-1)?.toFixed(0)} ms`,
      )
    }
    assert.ok(highestMiB() < idleMiB + MOST_MIB, `${highestMiB().toFixed(0)} MiB`)
    assert.equal(proxy.pid(), pid)
  })
}
