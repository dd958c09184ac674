// Seen to fail when `restore` in libs/runtime/src/decider/restore.ts does not read the own output first.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { countersign } from '../support/reviewer.ts'
import { lockedRoles } from '../support/target.ts'

const system = await arena('restarts')
// The applied catalog stands in the log, so no service needs the files again.
await rm(system.catalogDir, { recursive: true })

for (const service of [
  'policy',
  'approval',
  'credential-broker',
  'masking',
  'recorder',
  'replay',
  'console',
] as const) {
  for (const how of ['stop', 'kill9'] as const) {
    test(`${service} ${how === 'stop' ? 'stopped' : 'killed'} and started while a statement is held: it runs once after the countersignature`, async () => {
      const mark = `restart_${service.replace('-', '_')}_${how}`
      const held = await heldStatement(system, `alter table shop.orders add column ${mark} int`)
      const { requestId } = held
      await system.service(service)[how]()
      await system.service(service).start()
      assert.equal(await timesRun(system, mark), 0)
      const answer = await countersign(system, 'ana', requestId)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      const run = await held.psql.finish()
      assert.equal(run.status, 0, run.stderr)
      assert.equal(await timesRun(system, mark), 1)
      await using log = await observe(system)
      const granted = (await eventsOf(log, 'approvals', 'ApprovalGranted')).filter(
        (event) => event.requestId === requestId,
      )
      assert.equal(granted.length, 1)
    })
  }
}

test('the proxy stopped while a statement is held: the agent is told, nothing runs, and nothing stays open', async () => {
  const held = await heldStatement(system, 'drop table shop.orders')
  await system.service('proxy').stop()
  const run = await held.psql.finish()
  assert.match(run.stderr, /CS_SHUTTING_DOWN/)
  await using log = await observe(system)
  const withdrawn = (await eventsOf(log, 'sessions', 'RequestWithdrawn')).find(
    ({ requestId }) => requestId === held.requestId,
  )
  assert.equal(withdrawn?.reason, 'SessionEnded')
  const ended = (await eventsOf(log, 'sessions', 'SessionEnded')).find(
    ({ sessionId }) => sessionId === withdrawn.sessionId,
  )
  assert.equal(ended?.code, 'CS_SHUTTING_DOWN')
  assert.equal((await eventsOf(log, 'leases', 'LeaseReleased')).length, 1)
  await eventually('the revocation', async () =>
    (await eventsOf(log, 'credentials', 'CredentialRevoked')).some(
      ({ sessionId }) => sessionId === withdrawn.sessionId,
    ),
  )
  await eventually('every role is locked', async () => {
    const { canLogIn, backends } = await lockedRoles(system)
    return canLogIn.length === 0 && backends === 0
  })
  const late = await countersign(system, 'ana', held.requestId)
  assert.equal(late.status, 409, JSON.stringify(late.body))
  await system.service('proxy').start()
  const next = await psql(system, { profile: 'shop-prod', commands: ["select 'back'"] })
  assert.equal(next.status, 0, next.stderr)
  assert.equal(await timesRun(system, 'drop table'), 0)
})
