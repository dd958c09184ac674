import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { applyCatalog } from '../support/reviewer.ts'

const system = await arena('wrong-profile')

const WRONG: readonly (readonly [what: string, from: string, to: string])[] = [
  ['role', 'base: [shop_dev_reader, shop_dev_writer]', 'base: [shop_dev_nobody]'],
  ['database', 'database: shop_dev\n', 'database: shop_nowhere\n'],
  ['secret', 'adminSecret: file:shop-dev-admin', 'adminSecret: file:shop-dev-nothing'],
]

for (const [what, from, to] of WRONG)
  test(`a session of a profile whose ${what} is missing is refused, and nothing of it is left to revoke`, async () => {
    const applied = await applyCatalog(system, (name, text) => {
      if (name !== 'profiles.yaml') return text
      assert.ok(text.includes(from))
      return text.replace(from, to)
    })
    assert.equal(applied.status, 200, JSON.stringify(applied.body))
    await using log = await observe(system)
    const before = (await eventsOf(log, 'sessions', 'SessionRequested')).length
    const run = await psql(system, { profile: 'shop-dev', commands: ['select 1'] })
    assert.notEqual(run.status, 0)
    const sessions = await eventsOf(log, 'sessions', 'SessionRequested')
    assert.equal(sessions.length, before + 1)
    const { sessionId } = sessions.toSorted((a, b) => a.at - b.at).at(-1) ?? {}
    await eventually('the revocation', async () =>
      (await eventsOf(log, 'credentials', 'CredentialRevoked')).some(
        (revoked) => revoked.sessionId === sessionId,
      ),
    )
    const failures = (await eventsOf(log, 'credentials', 'CredentialFailed')).filter(
      (failed) => failed.sessionId === sessionId,
    )
    assert.equal(failures.length, 1, 'what failed is not tried again')
  })

test('a profile that was mended opens sessions again, and doctor finds no revocation that waits', async () => {
  assert.equal((await applyCatalog(system)).status, 200)
  const run = await psql(system, { profile: 'shop-dev', commands: ['select 1'] })
  assert.equal(run.status, 0, run.stderr)
  const { stdout } = await countersignCli(system, 'doctor', '--json', '--as', 'ana')
  const report: { checks: { check: string; status: string }[] } = JSON.parse(stdout)
  const found = report.checks.filter(({ status }) => status !== 'ok').map(({ check }) => check)
  assert.deepEqual(found, [])
})
