// Seen to fail when `applied` in libs/catalog/src/catalog.ts leaves the catalog as it is for DefinitionRemoved.
import assert from 'node:assert/strict'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { eventually } from '../support/ledger.ts'
import { connectPg } from '../support/node-postgres.ts'
import { callConsole, callReplay } from '../support/reviewer.ts'

const system = await arena('pruned')
const folder = await mkdtemp(join(tmpdir(), 'countersign-catalog-'))
after(() => rm(folder, { recursive: true }))

test('what is no longer in the files is named and stays in force, until apply --prune removes it', async () => {
  await cp(system.catalogDir, folder, { recursive: true })
  await writeFile(join(folder, 'moon.yaml'), MOON)
  await writeFile(join(folder, 'moon.cedar'), MOON_ROWS)
  assert.match(await applied(), /PolicySet +moon +added/)
  await eventually(
    'an agent connects to the new profile',
    async () => (await onMoon()).status === 0,
  )
  await using open = await connectPg(system, 'shop-moon')
  const write = "update shop.orders set note = 'pruned' where id = 1"
  assert.equal((await open.query(write)).rowCount, 1)
  await eventually('its reviewers read its session', async () => (await sessionsOfDev()) > 0)

  await rm(join(folder, 'moon.yaml'))
  await rm(join(folder, 'moon.cedar'))
  const named = await applied()
  for (const one of GONE) assert.match(named, new RegExp(`--prune removes it:[\\s\\S]*${one}\\n`))
  assert.equal((await open.query(write)).rowCount, 1)

  const pruned = await applied('--prune', '--yes')
  for (const one of GONE) assert.match(pruned, new RegExp(`${one} +removed\\n`))
  await eventually('policy and proxy permit it no more in the open session', async () => {
    const refused = await open.query(write).then(
      () => '',
      (thrown: unknown) => String(thrown),
    )
    return /CS_REQUEST_BLOCKED|polic/.test(refused)
  })
  await eventually('nobody connects to the profile', async () =>
    (await onMoon()).stderr.includes('CS_PROFILE_UNKNOWN'),
  )
  await eventually('its reviewers read nothing of it', async () => (await sessionsOfDev()) === 0)
  const { body } = await callConsole(system, 'olga', { path: '/v1/catalog' })
  assert.doesNotMatch(JSON.stringify(body), /moon/)
  const prod = await psql(system, { profile: 'shop-prod', commands: ['select 1'] })
  assert.equal(prod.status, 0, prod.stderr)
})

async function applied(...more: string[]): Promise<string> {
  const port = `POSTGRES_PORT=${system.instance.ports.postgres}`
  const words = ['apply', '-f', folder, '--set', port, ...more, '--as', 'olga']
  const run = await countersignCli(system, ...words)
  assert.equal(run.status, 0, run.stderr)
  return run.stdout
}

const onMoon = () => psql(system, { profile: 'shop-moon', commands: ['select 1'] })

/** The number of sessions that dev may read: only those of the environment moon, which she reviews. */
async function sessionsOfDev(): Promise<number> {
  const { body } = await callReplay(system, 'dev', '/v1/sessions')
  return Array.isArray(body['sessions']) ? body['sessions'].length : 0
}

const GONE = ['PolicySet +moon', 'ConnectionProfile +shop-moon', 'Reviewers +moon-reviewers']
const MOON = `apiVersion: countersign/v1
kind: Reviewers
metadata: { name: moon-reviewers }
spec: { environment: moon, groups: [dev-reviewers] }
---
apiVersion: countersign/v1
kind: ConnectionProfile
metadata: { name: shop-moon }
spec:
  environment: moon
  postgres:
    host: 127.0.0.1
    port: \${POSTGRES_PORT}
    database: shop_dev
    tls: verify-full
    adminSecret: file:shop-dev-admin
  roles: { base: [shop_dev_reader, shop_dev_writer] }
---
apiVersion: countersign/v1
kind: PolicySet
metadata: { name: moon }
spec: { files: [moon.cedar] }
`
const MOON_ROWS = `@id("moon-rows")
permit (
  principal in Countersign::Group::"agents",
  action == Countersign::Action::"write",
  resource in Countersign::Environment::"moon"
);
`
