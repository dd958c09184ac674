// Seen to fail when `OURS` in examples/agents/node-postgres-agent.ts is another name, and when Java wrote ASCII.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '@countersign/local'
import { agentEnvironment } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { HELD_DATABASE, type Missing, program, reviewInTurn, WORDS } from '../support/driver.ts'
import { eventsOf, observe } from '../support/ledger.ts'
import { jdbc, pgx, python } from '../support/parts.ts'
import { applyCatalog } from '../support/reviewer.ts'

const system = await arena('examples')
const EXAMPLES = join(ROOT, 'examples', 'agents')
const WRITE = "update shop.orders set note = 'example' where id = 41"

/** Options that make Java write UTF-8: without a locale it writes ASCII. */
const IN_UTF8 = ['-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8']

type Command = { readonly file: string; readonly args: readonly string[] }

/** The command of each example, or the program or package that it needs and that is not on this machine. */
const AGENTS: Readonly<Record<string, () => Promise<Command | Missing>>> = {
  'psycopg_agent.py': () => inPython('psycopg_agent.py'),
  'sqlalchemy_agent.py': () => inPython('sqlalchemy_agent.py'),
  'node-postgres-agent.ts': async () => inNode('node-postgres-agent.ts'),
  'postgres-js-agent.ts': async () => inNode('postgres-js-agent.ts'),
  'JdbcAgent.java': async () => {
    const found = await jdbc()
    if ('missing' in found) return found
    return {
      file: 'java',
      args: [...IN_UTF8, '-cp', found.classPath, join(EXAMPLES, 'JdbcAgent.java')],
    }
  },
  pgx: async () => {
    const found = await pgx(system.instance.dir, 'example')
    return 'missing' in found ? found : { file: found.program, args: [] }
  },
}

for (const [name, commandOf] of Object.entries(AGENTS)) {
  test(`${name} reads, and knows what became of each write by its fields`, async (t) => {
    const command = await commandOf()
    if ('missing' in command) return t.skip(command.missing)
    await using log = await observe(system)
    const before = new Set(
      (await eventsOf(log, 'approvals', 'ApprovalRequested')).map(({ requestId }) => requestId),
    )
    const env = await agentEnvironment(system, { profile: HELD_DATABASE })
    const reviewed = reviewInTurn(system, log, 1, { seen: before })
    const statements = [WRITE, WRITE, 'grant shop_prod_owner to public']
    const run = await program(command.file, [...command.args, ...statements], { env })
    assert.ok(run.ok, run.stderr)
    await reviewed
    const said = run.stdout.split('\n')
    const held = /^CS_HELD request ([0-9a-f-]{36}) .*\d{4}-\d\d-\d\dT[\d:.]+Z/
    const ids = said.flatMap((line) => held.exec(line)?.[1] ?? [])
    const asked = (await eventsOf(log, 'approvals', 'ApprovalRequested'))
      .map(({ requestId }) => requestId)
      .filter((id) => !before.has(id))
    assert.deepEqual(ids.toSorted(), asked.toSorted(), run.stdout)
    assert.match(run.stdout, /^read .*…/m)
    assert.match(run.stdout, /^ran 1$/m)
    assert.match(run.stdout, new RegExp(`^CS_REVIEW_DENIED denied .*${WORDS}$`, 'm'))
    assert.match(run.stdout, /^CS_REQUEST_BLOCKED blocked /m)
  })
}

for (const [name, commandOf] of Object.entries(AGENTS)) {
  test(`${name} gives up what it does not want to wait for`, async (t) => {
    const command = await commandOf()
    if ('missing' in command) return t.skip(command.missing)
    const said = await heardBy(command, { PATIENCE_SECONDS: '5' })
    assert.match(said, /^CS_REQUEST_CANCELLED cancelled /m)
  })
}

test('the deadline of the chain becomes short', async () => {
  const applied = await applyCatalog(system, (file, text) =>
    file === 'chains.yaml' ? text.replaceAll('deadline: 15m', 'deadline: 3s') : text,
  )
  assert.equal(applied.status, 200, JSON.stringify(applied.body))
})

for (const [name, commandOf] of Object.entries(AGENTS)) {
  test(`${name} is told that nobody countersigned in time`, async (t) => {
    const command = await commandOf()
    if ('missing' in command) return t.skip(command.missing)
    const said = await heardBy(command)
    assert.match(said, /^CS_HELD request /m)
    assert.match(said, /^CS_REVIEW_EXPIRED expired /m)
  })
}

/** The output of an example for one statement that no reviewer answers. */
async function heardBy(
  command: Command,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = await agentEnvironment(system, { profile: HELD_DATABASE, env: more })
  const run = await program(command.file, [...command.args, WRITE], { env })
  assert.ok(run.ok, run.stderr)
  return run.stdout
}

const inNode = (file: string): Command => ({ file: process.execPath, args: [join(EXAMPLES, file)] })

async function inPython(file: string): Promise<Command | Missing> {
  const found = await python()
  if ('missing' in found) return found
  return { file: found.python, args: [join(EXAMPLES, file)] }
}
