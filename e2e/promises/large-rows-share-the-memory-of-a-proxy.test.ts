// Meant to fail when `admitLarge` in large-rows.ts admits everything (1.4 GB), when the thread of large rows in long-rows.ts
// does not end behind each row, and when nobody looks whether the agent reads (the others wait for ever).
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { fieldOf, only, openWire, told, type Wire } from '../support/wire.ts'

const MEMORY_BYTES_MAX = 256 * 1024 * 1024
const ROW_BYTES = 60_000_000
/** The largest growth beyond the idle process: one row always fits, and its copies take more than the knob allows. */
const MOST_MIB = (2 * MEMORY_BYTES_MAX) / 1024 / 1024

const system = await arena('large-rows', {
  env: {
    proxy: {
      CS_MEMORY_BYTES_MAX: String(MEMORY_BYTES_MAX),
      // The lease of production; other tests have a shorter one.
      CS_LEASE_MS: '10000',
      // A slow search by detectors and two threads beside it leave the log little time on a busy machine.
      CS_APPEND_LIMIT_MS: '10000',
    },
  },
})
const proxy = system.service('proxy')
const pid = proxy.pid()

/** The peak of the proxy's resident memory since `forgetHighest`, in MiB. */
const highestMiB = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
const forgetHighest = (): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** Asks for a large result and counts the bytes that come, until ReadyForQuery. */
function reads(wire: Wire, sql: string): Promise<number> {
  const { socket } = wire
  socket.removeAllListeners('data')
  return new Promise((resolve, reject) => {
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (chunk.subarray(-6).equals(READY)) resolve(bytes)
    })
    socket.on('close', () => reject(new Error(`closed after ${bytes} bytes`)))
    wire.send(toServer.query(sql))
  })
}

const READY = Buffer.from('Z\0\0\0\x05I', 'latin1')

test('eight agents read rows of 60 MB at a time', async (t) => {
  const wires = await Promise.all(Array.from({ length: 8 }, () => openWire(system, 'shop-dev')))
  forgetHighest()
  const idleMiB = highestMiB()
  const since = performance.now()
  const read = await Promise.all(
    wires.map((wire) => reads(wire, `select repeat('x', ${ROW_BYTES})`)),
  )
  t.diagnostic(
    `${((performance.now() - since) / 1000).toFixed(1)} s, from ${idleMiB.toFixed(0)} to at most ${highestMiB().toFixed(0)} MiB`,
  )
  for (const bytes of read) assert.ok(bytes > ROW_BYTES)
  for (const { socket } of wires) socket.destroy()
  assert.ok(highestMiB() < idleMiB + MOST_MIB, `${highestMiB().toFixed(0)} MiB`)
  assert.equal(proxy.pid(), pid)
})

test('an agent that does not read its large row ends, and those who wait for its memory go on', async () => {
  const idle = await openWire(system, 'shop-dev')
  idle.socket.pause()
  idle.send(toServer.query(`select repeat('x', ${ROW_BYTES})`))
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  const other = await openWire(system, 'shop-dev')
  assert.ok((await reads(other, `select repeat('x', ${ROW_BYTES})`)) > ROW_BYTES)
  other.socket.destroy()
  idle.socket.resume()
  await idle.closed
})

test('nobody loses a session while others read what is slow to search', async () => {
  const idle = await openWire(system, 'shop-dev')
  const wires = await Promise.all(Array.from({ length: 5 }, () => openWire(system, 'shop-dev')))
  const slow = [
    "select repeat('4 ', 5000000)",
    `select repeat('x', ${ROW_BYTES})`,
    "copy (select repeat('4 ', 4000000)) to stdout",
    "copy (select repeat('DE89 ', 20) from generate_series(1, 50000)) to stdout",
    "select repeat('DE89 ', 20) from generate_series(1, 50000)",
  ]
  const read = await Promise.all(
    wires.flatMap((wire, index) => {
      const sql = slow[index]
      return sql === undefined ? [] : [reads(wire, sql)]
    }),
  )
  for (const bytes of read) assert.ok(bytes > 4_000_000, read.join())
  for (const wire of wires) assert.ok((await reads(wire, 'select 1')) > 0)
  idle.send(toServer.query('select 1 as still_here'))
  assert.ok(told(await idle.ready()).includes('row 1'))
  for (const { socket } of [idle, ...wires]) socket.destroy()
  assert.equal(proxy.pid(), pid)
})

test('a long row behind a COPY that failed is whole', async () => {
  const wire = await openWire(system, 'shop-dev')
  wire.send(toServer.query('copy (select 1/(2-g) from generate_series(1, 3) g) to stdout'))
  assert.ok(told(await wire.ready()).includes('error 22012'))
  for (const length of [200_000, 2_000_000])
    assert.ok((await reads(wire, `select repeat('a', ${length})`)) > length)
  wire.socket.destroy()
})

test('a COPY of masked columns says that it is masked', async () => {
  const run = await psql(system, {
    profile: 'shop-dev',
    commands: ['copy shop.customers to stdout'],
  })
  assert.match(run.stderr, /NOTICE:.*masked every column of the COPY/, run.stderr)
  assert.equal(run.stderr.match(/NOTICE:/g)?.length, 1, run.stderr)
})

test('a value above the limit ends its session, and says which limit and which knob', async () => {
  const wire = await openWire(system, 'shop-dev')
  wire.send(toServer.query("select repeat('x', 200000000)"))
  const heard = await wire.until('E')
  assert.deepEqual(told(heard).slice(-1), ['error 54C02'])
  assert.match(fieldOf(only(heard, 'E'), 'M'), /CS_ROW_BYTES_MAX/)
  await wire.closed
  assert.equal(proxy.pid(), pid)
})
