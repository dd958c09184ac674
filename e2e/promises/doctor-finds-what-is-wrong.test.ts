// Meant to fail when doctor asks only the services that it talks to itself.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startPostgres, startSystem, type System } from '@countersign/local'
import { startPsql } from '../support/agent.ts'
import { countersignCli } from '../support/cli.ts'
import { eventually } from '../support/ledger.ts'
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

type Report = {
  status: number | null
  failed: string[]
  warned: string[]
  details: Readonly<Record<string, string>>
}

/** The exit status of doctor, and the names of the checks that failed or gave a warning. */
async function doctor(): Promise<Omit<Report, 'details'>> {
  const { status, failed, warned } = await diagnosis()
  return { status, failed, warned }
}

async function diagnosis(): Promise<Report> {
  const { status, stdout } = await countersignCli(system, 'doctor', '--json', '--as', 'ana')
  const report: {
    checks: { check: string; status: string; detail: string; next: string | null }[]
  } = JSON.parse(stdout)
  const named = (wanted: string) =>
    report.checks.filter((each) => each.status === wanted).map(({ check }) => check)
  for (const { status: state, next } of report.checks)
    assert.equal(next === null, state === 'ok', 'what is not well says what to do')
  const details = Object.fromEntries(report.checks.map(({ check, detail }) => [check, detail]))
  return { status, failed: named('failed'), warned: named('warning'), details }
}

test('doctor finds a base role that is too strong, a login past Countersign, and whatever is dead', async () => {
  assert.deepEqual(await doctor(), { status: 0, failed: [], warned: [] })
  const creates = { status: 1, failed: ['shop-prod: rights to create'] }
  await askTarget(system, 'GRANT CREATE ON SCHEMA shop TO shop_prod_reader', 'shop_prod')
  assert.deepEqual(await doctor(), { ...creates, warned: [] })
  await askTarget(system, 'REVOKE CREATE ON SCHEMA shop FROM shop_prod_reader', 'shop_prod')
  await askTarget(system, 'GRANT shop_prod_owner TO shop_prod_reader')
  await askTarget(system, "CREATE ROLE somebody LOGIN PASSWORD 'x'")
  await askTarget(system, 'GRANT CONNECT ON DATABASE shop_dev TO somebody')
  assert.deepEqual(await doctor(), {
    ...creates,
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
  const agent = await startPsql(system, { profile: 'shop-dev' })
  agent.type('select 4711;')
  await agent.says(/4711/)
  await system.postgres.stop()
  await agent.finish()
  const { status, failed } = await doctor()
  assert.equal(status, 1)
  for (const profile of ['shop-dev', 'shop-staging', 'shop-prod'])
    assert.ok(failed.includes(`${profile}: reachable`), failed.join(', '))
  const { details } = await eventually(
    'a revocation that does not succeed',
    async () => {
      const found = await diagnosis()
      return found.failed.includes('shop-dev: revocations') ? found : null
    },
    STUCK_LIMIT_MS,
  )
  assert.match(
    details['shop-dev: revocations'] ?? '',
    /^one does not succeed: role cs_shop_dev\S*, since .* \(\d+ min .* s\): .*ECONNREFUSED/,
  )
  const { dir, ports } = system.instance
  const again = await startPostgres({
    ...{ dir, port: ports.postgres, tlsDir: system.secrets.tlsDir },
  })
  try {
    await eventually(
      'that it is revoked once the target is back',
      async () => !(await doctor()).failed.includes('shop-dev: revocations'),
      STUCK_LIMIT_MS,
    )
    assert.deepEqual(
      await askTarget(system, "SELECT 1 FROM pg_roles WHERE rolname LIKE 'cs\\_%' AND rolcanlogin"),
      [],
    )
  } finally {
    await again.stop()
  }
  await system.kafka().stop()
  assert.ok((await doctor()).failed.includes('kafka'))
})

/** Doctor reports a revocation that fails for a minute; the broker retries it after pauses of at most 5 minutes. */
const STUCK_LIMIT_MS = 600_000

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
