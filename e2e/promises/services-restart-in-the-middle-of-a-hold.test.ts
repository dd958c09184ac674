// Seen to fail when `restore` in libs/runtime/src/decider/restore.ts does not read the own output first.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { eventsOf, observe, timesRun } from '../support/ledger.ts'
import { countersign } from '../support/reviewer.ts'

const system = await arena('restarts')
// What was applied stands in the log; nobody needs the files again.
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
      const { psql, requestId } = await heldStatement(
        system,
        `alter table shop.orders add column ${mark} int`,
      )
      await system.service(service)[how]()
      await system.service(service).start()
      assert.equal(await timesRun(system, mark), 0)
      const answer = await countersign(system, 'ana', requestId)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      const run = await psql.finish()
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
