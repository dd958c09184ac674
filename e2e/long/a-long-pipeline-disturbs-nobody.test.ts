// One session sends 150,000 statements in one pipeline, as fast as they are taken, while another one works; a million with
// CS_FLOOD_STATEMENTS=1000000, in a quarter of an hour. Not compared with the log of the target: nothing else says the same of
// so many lines. Meant to fail when `complete` in services/proxy/src/shell/answers.ts waits for ReadyForQuery, and when
// `isCongested` in journal.ts never is, or when each slice of a pipeline reads ahead more than it takes (`mayRead` in client.ts).
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { memoryOf, startSystem } from '@countersign/local'
import { toServer } from '@countersign/postgres-wire'
import { bystander, quantile } from '../support/bystander.ts'
import { counted, flood, SMALL, until } from '../support/flood.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { openWire } from '../support/wire.ts'

const STATEMENTS = Number(process.env['CS_FLOOD_STATEMENTS'] ?? 150_000)
/** A million took 100 MiB. What grows with the number of statements took 200 MiB for 150,000 already. */
const GROWTH_MIB_MAX = 150

const system = await startSystem({ name: 'test-million', quiet: true })
after(() => system.stop())
assert.equal((await applyCatalog(system)).status, 200)
const proxy = system.service('proxy')

test(`${STATEMENTS} statements in one pipeline run, others are answered, and the proxy stays as large as it is`, async (t) => {
  const pid = proxy.pid()
  const before = memoryOf([pid]).bytes
  let highest = before
  const watch = setInterval(() => (highest = Math.max(highest, memoryOf([pid]).bytes)), 500)
  t.after(() => clearInterval(watch))
  const other = await bystander(system)
  const since = performance.now()

  const wire = await openWire(system, 'shop-dev')
  const answered = counted(wire)
  await flood(wire, SMALL, STATEMENTS)
  wire.send(toServer.sync())
  await until(() => answered('Z') === 1 || wire.socket.destroyed, 3_600_000)
  assert.deepEqual([answered('C'), answered('E')], [STATEMENTS, 0])
  wire.end()

  const seconds = (performance.now() - since) / 1_000
  const latencies = await other.leave()
  const grownMiB = (highest - before) / 1024 / 1024
  t.diagnostic(
    `${seconds.toFixed(0)} s, ${(STATEMENTS / seconds).toFixed(0)} statements a second; others: ` +
      `${latencies.length} statements, median ${quantile(latencies, 0.5).toFixed(0)} ms, ` +
      `longest ${latencies.at(-1)?.toFixed(0)} ms; the proxy grew by ${grownMiB.toFixed(0)} MiB`,
  )
  assert.ok(latencies.length > 0)
  assert.ok(grownMiB < GROWTH_MIB_MAX, `the proxy grew by ${grownMiB.toFixed(0)} MiB`)
  // A lost lease would have ended every session, and a proxy that ended would have been started again with another pid.
  assert.equal(proxy.pid(), pid)
})
