// Meant to fail when bytes behind an SSLRequest are not looked for: the process ends within the first hundred starts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play, startsFrom } from '../../services/proxy/src/shell/starts.fixture.ts'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, observe } from '../support/ledger.ts'

/** The number of starts. Set CS_FUZZ_STARTS to a smaller one on a busy machine, or to play one seed again. */
const STARTS = Number(process.env['CS_FUZZ_STARTS'] ?? 100_000)
const SEED = Number(process.env['CS_FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const AT_ONCE = 32

const system = await arena('random-starts')
const proxy = system.service('proxy')

test(`${STARTS} random and mutated starts end their own connection and nothing else`, async () => {
  const pid = proxy.pid()
  const port = system.instance.ports.proxyPostgres
  const starts = startsFrom(SEED)
  let begun = 0
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (begun++ < STARTS) {
        const { value } = await starts.next()
        if (value !== undefined) await play(port, value)
      }
    }),
  )
  assert.equal(proxy.pid(), pid, `the proxy died and was started again: CS_FUZZ_SEED=${SEED}`)
  const run = await psql(system, { profile: 'shop-dev', commands: ['select 40 + 2'] })
  assert.match(run.stdout, /42/, run.stderr)
  assert.equal(proxy.pid(), pid)
})

test('no fault was caught, and few events are left of all that', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${proxy.healthPort}/metrics`)).text()
  assert.doesNotMatch(metrics, /^countersign_faults/m, `CS_FUZZ_SEED=${SEED}`)
  await using log = await observe(system)
  const refused = await eventsOf(log, 'sessions', 'SessionRefused')
  assert.ok(refused.length < 500, `${refused.length} refused sessions are on record`)
})
