// Meant to fail when doctor asks only the services that it talks to itself.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startSystem, type System } from '@countersign/local'
import { countersignCli } from '../support/cli.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'

let system: System
let folder = ''
before(async () => {
  system = await startSystem({ name: 'e2e-doctor', quiet: true })
  assert.equal((await applyCatalog(system)).status, 200)
  folder = await mkdtemp(join(tmpdir(), 'countersign-doctor-'))
})
after(async () => {
  await system.stop()
  await rm(folder, { recursive: true })
})

/** What doctor says is not well, by the name of the check. */
async function doctor(): Promise<{ status: number | null; failed: string[]; warned: string[] }> {
  const { status, stdout } = await countersignCli(system, 'doctor', '--json', '--as', 'ana')
  const report: { checks: { check: string; status: string; next: string | null }[] } =
    JSON.parse(stdout)
  const named = (wanted: string) =>
    report.checks.filter((each) => each.status === wanted).map(({ check }) => check)
  for (const { status: state, next } of report.checks)
    assert.equal(next === null, state === 'ok', 'what is not well says what to do')
  return { status, failed: named('failed'), warned: named('warning') }
}

test('doctor finds a base role that is too strong, a login past Countersign, and whatever is dead', async () => {
  assert.deepEqual(await doctor(), { status: 0, failed: [], warned: [] })
  await askTarget(system, 'GRANT shop_prod_owner TO shop_prod_reader')
  await askTarget(system, "CREATE ROLE somebody LOGIN PASSWORD 'x'")
  await askTarget(system, 'GRANT CONNECT ON DATABASE shop_dev TO somebody')
  assert.deepEqual(await doctor(), {
    status: 0,
    failed: [],
    warned: ['shop-dev: direct logins', 'shop-prod: base roles'],
  })
  for (const name of ['approval', 'masking', 'proxy'] as const) {
    const service = system.service(name)
    await service.stop()
    const { status, failed } = await doctor()
    assert.deepEqual([status, failed.includes(name)], [1, true], name)
    assert.equal(failed.includes('port for agents'), name === 'proxy')
    await service.start()
  }
  await system.postgres.stop()
  const { status, failed } = await doctor()
  assert.equal(status, 1)
  for (const profile of ['shop-dev', 'shop-staging', 'shop-prod'])
    assert.ok(failed.includes(`${profile}: reachable`), failed.join(', '))
  await system.kafka().stop()
  assert.ok((await doctor()).failed.includes('kafka'))
})

test('apply --check-targets finds a secret, a role and a database that are not there', async () => {
  const other = await startSystem({
    name: 'e2e-targets',
    quiet: true,
    services: ['console', 'credential-broker'],
  })
  try {
    const profiles = await readFile(join(other.catalogDir, 'profiles.yaml'), 'utf8')
    const dev = profiles.slice(0, profiles.indexOf('\n---'))
    const file = join(folder, 'profiles.yaml')
    const applied = async (from: string, to: string) => {
      assert.ok(dev.includes(from))
      await writeFile(file, dev.replace(from, to))
      const line = ['apply', '-f', file, '--as', 'olga', '--check-targets', '--json']
      return countersignCli(other, ...line)
    }
    for (const [from, to, check] of [
      ['shop-dev-admin', 'nobody-admin', 'secret'],
      ['database: shop_dev', 'database: shop_devv', 'database'],
      ['base: [shop_dev_reader', 'base: [shop_dev_raeder', 'roles'],
      ['schema-change: [shop_dev_owner]', 'schema-change: [pg_monitor]', 'grants'],
      ['host: 127.0.0.1', 'host: 127.0.0.2', 'reachable'],
    ] as const) {
      const { status, stdout } = await applied(from, to)
      assert.equal(status, 1, to)
      const failed = JSON.parse(stdout).checks.filter(
        (each: { status: string }) => each.status === 'failed',
      )
      assert.deepEqual(
        failed.map((each: { check: string }) => each.check),
        [`shop-dev: ${check}`],
        to,
      )
    }
    assert.equal((await applied('record: full', 'record: full')).status, 0)
  } finally {
    await other.stop()
  }
})
