// Seen to fail when the example has no MaskingRules, and when apply says nothing of an environment without them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { ROOT, startSystem, type System } from '@countersign/local'
import { psql } from '../support/agent.ts'
import { everyoneHasRead } from '../support/catalog.ts'
import { type CliRun, countersignCli } from '../support/cli.ts'
import { eventually } from '../support/ledger.ts'
import { askTarget } from '../support/target.ts'

const EXAMPLE = join(ROOT, 'examples', 'own-database')
let system: System
let folder = ''
before(async () => {
  system = await startSystem({ name: 'test-own-database', quiet: true })
  folder = await mkdtemp(join(tmpdir(), 'countersign-own-'))
  await cp(EXAMPLE, folder, { recursive: true })
  await askTarget(system, 'create database inventory')
  await askTarget(
    system,
    `create schema stock;
     create table stock.items (id int primary key, title text not null, quantity int not null, contact_email text);
     insert into stock.items values (3, 'washer', 9, 'canary.supplier@aviary.example')`,
    'inventory',
  )
  const secrets = system.secrets.targetSecretsDir
  const login = await readFile(join(secrets, 'shop-dev-admin'), 'utf8')
  const { password }: { password: string } = JSON.parse(login)
  const database = new URL(system.postgres.adminUrl)
  database.pathname = '/inventory'
  await promisify(execFile)('psql', [
    ...['-X', '-v', 'ON_ERROR_STOP=1', '-v', `broker_password=${password}`],
    ...['-d', database.href, '-f', join(EXAMPLE, 'own-database.sql')],
  ])
  await writeFile(join(secrets, 'inventory-admin'), login, { mode: 0o600 })
})
after(async () => {
  await system.stop()
  await rm(folder, { recursive: true })
})

/** Applies a folder in place of everything that is in force, as step 4 of docs/catalog.md says. */
async function applied(...more: string[]): Promise<CliRun> {
  const port = `POSTGRES_PORT=${system.instance.ports.postgres}`
  const set = ['--set', 'POSTGRES_HOST=127.0.0.1', '--set', port]
  const run = await countersignCli(
    system,
    ...['apply', '-f', folder, ...set, '--as', 'olga', '--prune', '--yes', ...more],
  )
  assert.equal(run.status, 0, `${run.stdout}${run.stderr}`)
  return run
}

const ask = (...commands: string[]) =>
  psql(system, { profile: 'inventory-prod', args: ['-t', '-A'], commands })

const EVERYTHING = /no masking rules .*environment inventory.*everything is masked/

test('the example alone gives an agent its rows and counts, and hides an address', async () => {
  const { stderr, stdout } = await applied('--check-targets', '--json')
  assert.doesNotMatch(stderr, /warning|failed/)
  const { warnings, catalogOffset } = JSON.parse(stdout)
  assert.deepEqual(warnings, [])
  await everyoneHasRead(system, catalogOffset)
  const run = await ask(
    'select 1 as one',
    'select count(*) from stock.items',
    'select id, title, quantity, contact_email from stock.items',
  )
  assert.equal(run.status, 0, run.stderr)
  const [one, count, row = ''] = run.stdout.trim().split('\n')
  assert.deepEqual([one, count], ['1', '1'])
  assert.match(row, /^3\|washer\|9\|/)
  assert.doesNotMatch(row, /canary/)
  const doctor = await countersignCli(system, 'doctor', '--as', 'olga')
  assert.match(doctor.stdout, /ok +masking rules/)
})

test('an environment without masking rules masks everything, and apply, doctor and the agent are told so', async () => {
  const file = join(folder, 'own-database.yaml')
  const whole = await readFile(file, 'utf8')
  const rest = whole.split('---\n').filter((part) => !part.includes('kind: MaskingRules'))
  await writeFile(file, rest.join('---\n'))
  for (const options of [['--dry-run'], ['--check-targets']]) {
    const { stderr } = await applied(...options)
    assert.match(stderr, EVERYTHING)
    assert.equal(stderr.match(/warning/g)?.length, 1, 'once')
  }
  const { catalogOffset, warnings } = JSON.parse((await applied('--json')).stdout)
  assert.match(JSON.stringify(warnings), EVERYTHING)
  await everyoneHasRead(system, catalogOffset)
  const doctor = await countersignCli(system, 'doctor', '--as', 'olga')
  assert.match(doctor.stdout, /warning +masking rules .*inventory.*\n +next: /)
  assert.equal(doctor.status, 0)
  const run = await eventually('that a session has the new plan', async () => {
    const found = await ask(
      'select title from stock.items',
      "select 1/length(title) from stock.items where title = 'washer'",
    )
    return found.stdout.includes('[masked]') && found
  })
  assert.match(run.stderr, EVERYTHING)
  assert.doesNotMatch(run.stdout, /washer/)
})
