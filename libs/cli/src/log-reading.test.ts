import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Log } from '@countersign/log'
import { inMemoryLog } from '@countersign/log/in-memory'
import { drainOf } from './io.ts'
import { readingOf } from './log-reading.ts'

const MINUTE_MS = 60_000

// Seen to fail when the time that records are taken counts as time in which the log gives nothing.
test('who takes records may take a long time; a log that gives nothing is told', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const log = inMemoryLog({ partitions: 1 })
  log.appendRaw('sessions', 0, 'k', {}, Buffer.from('x'))
  const taking = Promise.withResolvers<void>()
  const taken = Promise.withResolvers<void>()
  await using slow = await readingOf(log, {
    topics: ['sessions'],
    sinceMs: 0,
    onRecords: () => {
      taking.resolve()
      return taken.promise
    },
  })
  const caughtUp = slow.caughtUp()
  await taking.promise
  for (let minutes = 0; minutes < 3; minutes++) {
    t.mock.timers.tick(MINUTE_MS)
    await Promise.race([caughtUp, setImmediate()])
  }
  taken.resolve()
  await caughtUp

  const silent: Log = {
    ...log,
    read: async () => ({
      commit: async () => undefined,
      taken: () => null,
      failed: new Promise<never>(() => undefined),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  }
  await using reading = await readingOf(silent, {
    topics: ['sessions'],
    sinceMs: 0,
    onRecords: () => undefined,
  })
  const stalled = assert.rejects(reading.caughtUp(), /gives nothing more/)
  t.mock.timers.tick(MINUTE_MS)
  await stalled
})

test('all who wait for a stream wait for one event', async () => {
  const written = Promise.withResolvers<void>()
  const stream = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => void written.promise.then(() => done()),
  })
  const drained = drainOf(stream)
  await drained()
  stream.write('long')
  const before = stream.listenerCount('drain')
  const all = Array.from({ length: 20 }, drained)
  assert.equal(stream.listenerCount('drain'), before + 1)
  written.resolve()
  await Promise.all(all)
  await drained()
})
