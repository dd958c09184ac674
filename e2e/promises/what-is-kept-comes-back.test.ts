// Meant to fail when an instance that is kept is emptied before it starts, when Kafka gets new passwords, when a stale
// postmaster.pid stays, and when what ends is not started again.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { dirOf, forget, isKept, startSystem, type System, takeInstance } from '@countersign/local'
import { psql } from '../support/agent.ts'
import { eventually } from '../support/ledger.ts'
import { applyCatalog, callConsole, callReplay } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'

const NAME = 'e2e-kept'
const started = () => startSystem({ name: NAME, keep: true, supervise: true, quiet: true })

after(() => forget(NAME))

test('data, secrets, certificates, rules and ports are there again, also after everything was killed', async () => {
  await forget(NAME)
  const first = await started()
  let ca = ''
  let ports = first.instance.ports.base
  try {
    assert.equal((await applyCatalog(first)).status, 200)
    await askTarget(first, "update shop.orders set note = 'kept' where id = 7", 'shop_dev')
    assert.match((await asked(first)).stdout, /kept/)
    ca = readFileSync(first.caFile, 'utf8')
    ports = first.instance.ports.base
    // All are killed, as by a crash of the machine: no process can end in order.
    const ends = [...first.services, first.kafka(), first.postgres].map((each) => each.kill9())
    await Promise.all(ends)
  } finally {
    await first.stop()
  }
  // A run that does not keep gets an empty folder; it puts the kept one aside while it lasts and then gives it back.
  const other = await takeInstance(NAME)
  assert.equal(existsSync(join(dirOf(NAME), 'kafka')), false)
  await other.release()
  assert.ok(isKept(NAME))

  await using again = await started()
  assert.equal(again.instance.ports.base, ports)
  assert.equal(readFileSync(again.caFile, 'utf8'), ca)
  const { body } = await callConsole(again, 'olga', { path: '/v1/profiles' })
  assert.equal(Object(body)['profiles'].length, 3)
  assert.match((await asked(again)).stdout, /kept/)
  const sessions = await callReplay(again, 'dev', '/v1/sessions')
  assert.ok(
    Object(sessions.body)['sessions'].length >= 2,
    'the session before the kill is there too',
  )

  // A process that dies while the instance is up is started again.
  const policy = again.service('policy')
  const pid = policy.pid()
  process.kill(pid, 'SIGKILL')
  process.kill(again.postgres.pid, 'SIGQUIT')
  await eventually('policy is another process', () => Promise.resolve(policy.pid() !== pid), 60_000)
  await eventually(
    'a session opens again',
    async () => (await asked(again)).stdout.includes('kept'),
    60_000,
  )
})

const asked = (system: System) =>
  psql(system, { profile: 'shop-dev', commands: ['select note from shop.orders where id = 7'] })
