// Seen to fail when `isCoverable` in services/proxy/src/shell/requests.ts does not look at the age of the sign of life, and
// when CS_COVERAGE_ALIVE_MS is 30 s.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageOf } from '@countersign/kernel'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { connectPg } from '../support/node-postgres.ts'
import { openWire } from '../support/wire.ts'

const system = await arena('no-policy', { env: { proxy: { CS_DECISION_LIMIT_MS: '5000' } } })

test('a covered request does not wait for the decision on the one behind it', async () => {
  const text = "select 'in front' from shop.products where id = 1"
  const executed = (sql: string): Buffer[] => [
    toServer.parse('', sql),
    toServer.bind({ portal: '', statement: '' }),
    toServer.execute('', 0),
  ]
  const wire = await openWire(system, 'shop-prod')
  await using log = await observe(system)
  const sessionId = wire.parameters.get('countersign.session_id')
  const releases = async (): Promise<string[]> =>
    (await eventsOf(log, 'sessions', 'RequestReleased'))
      .filter((event) => event.sessionId === sessionId && event.origin === 'Agent')
      .map(({ coverage }) => coverage)
  await eventually('a covered release', async () => {
    wire.send(...executed(text), toServer.sync())
    await wire.ready()
    return (await releases()).includes('Shape')
  })
  const before = await timesRun(system, "'in front'")
  await system.service('policy').freeze()
  try {
    wire.send(...executed(text), ...executed("select 'behind' from shop.products"), toServer.sync())
    await wire.closed
  } finally {
    system.service('policy').thaw()
  }
  assert.equal(await timesRun(system, "'in front'"), before + 1)
  assert.equal(await timesRun(system, "'behind'"), 0)
})

test('a covered release stops within 3 s when the proxy no longer hears policy', async () => {
  await using agent = await connectPg(system, 'shop-prod')
  await using log = await observe(system)
  let answered = 0
  const read = async (): Promise<void> => {
    await agent.query("select 'covered' from shop.products where id = 1")
    answered++
  }
  const covered = async () =>
    (await eventsOf(log, 'sessions', 'RequestReleased')).filter(
      ({ coverage }) => coverage === 'Shape',
    )
  await eventually('a covered release', async () => {
    await read()
    return (await covered()).length > 0
  })
  await system.service('policy').freeze()
  const frozenAtMs = Date.now()
  try {
    const said = await eventually(
      'a refusal',
      () => read().then((): false => false, messageOf),
      60_000,
    )
    assert.match(said, /CS_POLICY_UNAVAILABLE/)
    assert.equal(await timesRun(system, "'covered'"), answered, 'what was refused did not run')
    const [last] = (await covered()).slice(-1)
    assert.ok(last !== undefined)
    const tookMs = last.at / 1_000 - frozenAtMs
    assert.ok(tookMs <= ALIVE_MS + LATE_MS_MAX, `still covered ${tookMs} ms after policy stopped`)
  } finally {
    system.service('policy').thaw()
  }
})

/** The time for which a sign of life of policy counts (CS_COVERAGE_ALIVE_MS), from the moment when the proxy hears it. */
const ALIVE_MS = 3_000
/** The delay with which a busy proxy may hear the last sign of life; both together are far less than the 30 s above. */
const LATE_MS_MAX = 15_000
