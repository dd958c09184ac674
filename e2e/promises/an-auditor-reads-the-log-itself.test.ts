import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { ROOT } from '@countersign/local'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { targetStatements } from '../support/target-log.ts'

const system = await arena('auditor')
const folder = mkdtempSync(join(tmpdir(), 'countersign-auditor-'))
after(() => rmSync(folder, { recursive: true, force: true }))

// Meant to fail when `taken` in libs/cli/src/extract.ts leaves out the first record of a batch.
test('an extract holds the release of each statement that the target ran, and is the same each time', async () => {
  await statements()
  const ran = await targetStatements(system)
  assert.ok(ran.some(({ sql }) => sql.includes('shop.products')))
  const to = await afterEverything()
  // Statements after the end of the extract must not change it.
  await statements()
  for (const name of ['once', 'twice']) {
    const done = await exported(name, to)
    assert.equal(done.status, 0, done.stderr + done.stdout)
    assert.equal(JSON.parse(done.stdout).complete, true)
  }
  execFileSync('diff', ['-r', join(folder, 'once'), join(folder, 'twice')])

  const released = linesOf('once', 'sessions').filter(({ type }) => type === 'RequestReleased')
  const sessions = new Set(ran.map(({ sessionId }) => sessionId))
  for (const session of sessions)
    assert.equal(
      released.filter(({ key }) => key === session).length,
      ran.filter(({ sessionId }) => sessionId === session).length,
      session,
    )
  assert.ok(linesOf('once', 'approvals').length + linesOf('once', 'decisions').length > 0)

  const verified = verify('once')
  assert.match(verified, /chains are whole\n$/)
  appendFileSync(join(folder, 'twice', 'sessions.ndjson'), '\n')
  assert.throws(() => verify('twice'))
})

test('an extract replaces nothing unasked', async () => {
  const again = await exported('once', '2026-01-02')
  assert.equal(again.status, 1)
  assert.equal(JSON.parse(again.stdout).code, 'CS_BAD_REQUEST')
})

test('a follower sees what happens as it happens', async () => {
  const follower = spawn(
    process.execPath,
    [join(ROOT, 'countersign.js'), 'events', '--follow', '--limit', '1', '--all', '--json'],
    {
      env: { ...process.env, CS_INSTANCE: system.instance.name },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  try {
    const seen: string[] = []
    let isStatementRun = false
    for await (const line of createInterface({ input: follower.stdout })) {
      const { type, key, topic, partition, offset, time, fields } = JSON.parse(line)
      assert.match(`${topic} ${partition} ${offset} ${time}`, /^\S+ \d+ \d+ \d{4}-\S+Z$/)
      assert.equal(typeof fields, 'object')
      // The first line is the newest event that was there before; the follower prints later ones as they come.
      if (!isStatementRun) {
        isStatementRun = true
        assert.equal((await psql(system, PRODUCTS)).status, 0)
      }
      seen.push(`${type} ${key}`)
      if (type === 'SessionEnded') break
    }
    for (const type of ['SessionRequested', 'SessionAdmitted', 'RequestReleased', 'SessionEnded'])
      assert.ok(
        seen.some((each) => each.startsWith(type)),
        type,
      )
  } finally {
    follower.kill()
  }
})

test('events are of one agent, one session or one kind where that is asked for', async () => {
  await using log = await observe(system)
  const session = (await eventsOf(log, 'sessions', 'SessionRequested'))[0]?.sessionId ?? ''
  const all = await listed('--session', session)
  assert.ok(all.some(({ topic }) => topic === 'decisions'))
  assert.deepEqual(new Set(all.map(({ key }) => key)), new Set([session]))
  assert.ok((await listed('--agent', 'ci-deploy')).length >= all.length)
  assert.deepEqual(await listed('--agent', 'nightly-report'), [])
  const kinds = await listed('--type', 'SessionEnded', '--topic', 'sessions')
  assert.deepEqual([...new Set(kinds.map(({ type }) => type))], ['SessionEnded'])
})

const PRODUCTS = { profile: 'shop-prod', commands: ['select id from shop.products where id = 1'] }

async function statements(): Promise<void> {
  const commands = ['select count(*) from shop.orders', 'copy shop.products to stdout']
  const run = await psql(system, { ...PRODUCTS, commands: [...PRODUCTS.commands, ...commands] })
  assert.equal(run.status, 0, run.stderr)
}

/** A point in time after all events of the sessions so far. */
async function afterEverything(): Promise<string> {
  await using log = await observe(system)
  await eventually('the ends of all sessions', async () => {
    const [requested, ended] = await Promise.all([
      eventsOf(log, 'sessions', 'SessionRequested'),
      eventsOf(log, 'sessions', 'SessionEnded'),
    ])
    return requested.length === ended.length
  })
  return new Date(Date.now() + 1).toISOString()
}

const exported = (name: string, to: string) =>
  countersignCli(
    system,
    ...['export', '--from', '2026-01-01', '--to', to, '--out', join(folder, name), '--json'],
  )

const verify = (name: string): string =>
  execFileSync('python3', [join(ROOT, 'examples/log/verify_extract.py'), join(folder, name)], {
    encoding: 'utf8',
  })

async function listed(...words: string[]): Promise<Line[]> {
  const { status, stdout, stderr } = await countersignCli(system, 'events', ...words, '--json')
  assert.equal(status, 0, stderr + stdout)
  return parsed(stdout)
}

const linesOf = (name: string, topic: string): Line[] =>
  parsed(readFileSync(join(folder, name, `${topic}.ndjson`), 'utf8'))

const parsed = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line))

type Line = Readonly<Record<'topic' | 'type' | 'key', string>>
