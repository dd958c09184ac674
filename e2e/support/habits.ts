import assert from 'node:assert/strict'
import type { System } from '@countersign/local'
import type { Log } from '@countersign/log'
import { agentEnvironment } from './agent.ts'
import { HELD_DATABASE, program, type ProgramRun, WORDS } from './driver.ts'
import { eventsOf, eventually, observe } from './ledger.ts'
import { applyCatalog, deny } from './reviewer.ts'
import { askTarget } from './target.ts'

/** The command of a script. The script prints one line of JSON for each step (name and result), or `read` finds the steps. */
export type Script = {
  readonly file: string
  readonly args?: readonly string[]
  read?(run: ProgramRun): Steps
}

/** Creates the objects that the scripts use, and permits their use. Sessions begin with the shop's schema on their path. */
export async function prepareHabits(system: System): Promise<void> {
  await askTarget(
    system,
    `create table shop.spoken (id int primary key, note text);
     grant all on shop.spoken to shop_dev_reader, shop_dev_writer;
     create function shop.thrice(int) returns int language plpgsql as $$ begin return 3 * $1; end $$;
     create type shop.mood as enum ('sad', 'happy');
     alter database shop_dev set search_path = "$user", shop`,
    'shop_dev',
  )
  await applyCatalog(system, (name, text) => (name === 'dev.cedar' ? `${text}\n${OPAQUE}` : text))
}

/** The steps of the same script at PostgreSQL itself and through Countersign. */
export async function habitsOf(
  system: System,
  script: Script,
): Promise<{ direct: Steps; through: Steps }> {
  const direct = await ran(script, directEnvironment(system, 'shop_dev'))
  const through = await ran(script, await agentEnvironment(system, { profile: 'shop-dev' }))
  const { read = stepsIn } = script
  // A script that broke off has fewer steps: its own error says more than a list of missing steps.
  if (direct.ok) assert.ok(through.ok, through.stderr)
  return { direct: read(direct), through: read(through) }
}

/** The fields of an error or notice, as a driver gives them out. */
type Fields = {
  readonly sqlstate: string
  readonly schema: string
  readonly code: string
  readonly request: string
  readonly status: string
  readonly deadline: string | null
  readonly session: string
}
/** The answer to a refused script: the session id from the connection's parameter status, the notices and the error. */
type Heard = {
  readonly session: string
  readonly notices: readonly Fields[]
  readonly error: Fields
}

/**
 * Has a script refused at once in shop-dev and denied by a reviewer in shop-prod, and asserts that its driver was told what
 * docs/errors.md promises to programs, with the ids that stand in the log.
 */
export async function toldAsPromised(system: System, script: Script): Promise<void> {
  await using log = await observe(system)
  const known = new Set((await askedIn(log)).map(({ requestId }) => requestId))
  const env = await agentEnvironment(system, { profile: 'shop-dev' })
  const running = ran(script, { ...env, HELD_DATABASE })
  const asked = await eventually(
    'the hold',
    async () => (await askedIn(log)).find(({ requestId }) => !known.has(requestId)),
    RUN_LIMIT_MS,
  ).catch(async (thrown: unknown) => assert.fail(`${String(thrown)}: ${(await running).stdout}`))
  await deny(system, 'ana', asked.requestId, WORDS)
  const steps = stepsIn(await running)
  const refused = heardIn(steps['refused'])
  const denied = heardIn(steps['denied'])

  const decisions = await eventsOf(log, 'decisions', 'RequestBlocked')
  const blocked = decisions.find(({ requestId }) => requestId === refused.error.request)
  assert.ok(blocked, JSON.stringify(refused))
  const { sessionId, requestId } = asked
  assert.deepEqual([refused.session, denied.session], [blocked.sessionId, sessionId])
  assert.deepEqual(told(refused.error), {
    ...{ sqlstate: '42C01', schema: 'countersign', code: 'CS_REQUEST_BLOCKED', status: 'blocked' },
    ...{ request: blocked.requestId, session: blocked.sessionId },
  })
  assert.deepEqual(told(denied.error), {
    ...{ sqlstate: '42C03', schema: 'countersign', code: 'CS_REVIEW_DENIED', status: 'denied' },
    ...{ request: requestId, session: sessionId },
  })
  const held = denied.notices.find(({ code }) => code === 'CS_HELD')
  assert.ok(held, JSON.stringify(denied))
  assert.deepEqual(told(held), {
    ...{ sqlstate: '00C01', schema: 'countersign', code: 'CS_HELD', status: 'held' },
    ...{ request: requestId, session: sessionId },
  })
}

/** The fields without the deadline, which must be an ISO instant in a notice of a hold, and empty in all others. */
function told({ deadline, ...rest }: Fields): Omit<Fields, 'deadline'> {
  if (rest.status === 'held')
    assert.equal(new Date(String(deadline)).toISOString(), deadline, 'the deadline is an instant')
  else assert.equal(deadline || null, null)
  return rest
}

function heardIn(value: unknown): Heard {
  assert.ok(typeof value === 'object' && value !== null && 'error' in value, JSON.stringify(value))
  return value as Heard
}

const askedIn = (log: Log): Promise<{ requestId: string; sessionId: string }[]> =>
  eventsOf(log, 'approvals', 'ApprovalRequested')

export type Steps = Readonly<Record<string, unknown>>

function stepsIn({ stdout, stderr }: ProgramRun): Steps {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  const steps = lines.map((line): { step: string; value: unknown } => JSON.parse(line))
  assert.ok(steps.length > 0, stderr)
  return Object.fromEntries(steps.map(({ step, value }) => [step, value]))
}

const ran = (script: Script, env: NodeJS.ProcessEnv): Promise<ProgramRun> =>
  program(script.file, script.args ?? [], { env })

/** The environment by which libpq reaches the target itself as its administrator, past Countersign. */
function directEnvironment(system: System, database: string): NodeJS.ProcessEnv {
  const url = new URL(system.postgres.adminUrl)
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    PGHOST: url.hostname,
    PGPORT: url.port,
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: database,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: system.caFile,
  }
}

const OPAQUE = 'permit (principal, action == Countersign::Action::"opaque", resource);'
const RUN_LIMIT_MS = 300_000
