// Meant to fail when `limitsOf` in services/proxy/src/shell/hold.ts gives no limits, when `bounded` there notes nothing, when
// `reminderOf` says nothing a second time, and when `machineFields` in core/refusal.ts leaves a field out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldNotice, heldRequest } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { applyCatalog, callConsole, countersign } from '../support/reviewer.ts'
import { fieldOf, openWire } from '../support/wire.ts'
import { toServer } from '@countersign/postgres-wire'

const system = await arena('hold-time', { env: { proxy: { CS_HOLD_NOTICE_MS: '700' } } })

/** The statements of a transaction before one is held in it, and the name of the limit that the hold then has. */
const TRANSACTIONS: Readonly<Record<string, { before: string[]; limit: string }>> = {
  'no transaction': { before: [], limit: 'deadline' },
  'a session that its target ends when it is idle': {
    before: ["set idle_session_timeout = '20s'"],
    limit: 'idle_session_timeout',
  },
  'one that has only begun': { before: ['begin'], limit: 'deadline' },
  'one that set something': { before: ['begin', "set local work_mem = '8MB'"], limit: 'deadline' },
  'one that read': { before: ['begin', 'select count(*) from shop.orders'], limit: 'deadline' },
  'one that wrote': {
    before: ['begin', 'update shop.orders set note = note where id = 1'],
    limit: 'holdAfterWriteMax',
  },
  'one that locked rows': {
    before: ['begin', 'select id from shop.orders where id = 1 for update'],
    limit: 'holdAfterWriteMax',
  },
  'one that keeps its snapshot': {
    before: ['begin isolation level repeatable read', 'select count(*) from shop.orders'],
    limit: 'holdInTransactionMax',
  },
  'one whose session asked for another isolation level': {
    before: [
      'set default_transaction_isolation = serializable',
      'begin',
      'select count(*) from shop.orders',
    ],
    limit: 'holdInTransactionMax',
  },
  'one that its target will end': {
    before: ["set idle_in_transaction_session_timeout = '20s'", 'begin'],
    limit: 'idle_in_transaction_session_timeout',
  },
}

for (const [index, [what, { before, limit }]] of Object.entries(TRANSACTIONS).entries()) {
  test(`a hold in ${what} is limited by ${limit}, as agent and reviewer are told, and runs when granted`, async (context) => {
    const running = await startPsql(system, { profile: 'shop-dev' })
    context.after(() => running.signal('SIGKILL'))
    for (const sql of before) running.type(`${sql};`)
    running.type(`alter table shop.orders add column held_${index} int;`)
    const requestId = await heldRequest(running)
    const [, until, name] = await running.says(/Time left: [^,]+, until (\S+) \((\w+)\)/)
    assert.equal(name, limit)
    const shown = await eventually('that the console knows the limit', async () => {
      const { body } = await callConsole(system, 'dev', { path: `/v1/requests/${requestId}` })
      return body['deadlineOf'] === limit && body
    })
    assert.equal(Date.parse(String(shown['deadline'])), Date.parse(until ?? ''))
    assert.equal((await countersign(system, 'dev', requestId)).status, 200)
    await running.says(/ALTER TABLE/)
    if (before.some((sql) => sql.startsWith('begin'))) {
      running.type('commit;')
      await running.says(/COMMIT/)
    }
    await running.finish()
    assert.equal(await timesRun(system, `held_${index} int`), 1)
  })
}

test('a hold is said again while it lasts, with less time left', async (context) => {
  const running = await startPsql(system, { profile: 'shop-dev' })
  context.after(() => running.signal('SIGKILL'))
  running.type('alter table shop.orders add column reminded int;')
  await running.says(/still held[\s\S]*still held/)
  const left = [...running.stderr().matchAll(/until (\S+) \(deadline\)/g)].map(([, at]) => at)
  assert.ok(left.length >= 3)
  assert.equal(new Set(left).size, 1, 'the instant stays the same')
})

test('a hold ends before the target would end the session, which goes on', async (context) => {
  for (const [setting, begin] of [
    ['idle_session_timeout', ''],
    ['idle_in_transaction_session_timeout', 'begin;'],
    ['transaction_timeout', 'begin;'],
  ] as const) {
    const running = await startPsql(system, { profile: 'shop-dev' })
    context.after(() => running.signal('SIGKILL'))
    running.type(`set ${setting} = '8s';`)
    running.type(`${begin} alter table shop.orders add column outlasted int;`)
    await running.says(new RegExp(`Time left: [^,]+, until \\S+ \\(${setting}\\)`))
    await running.says(/CS_HOLD_IN_TRANSACTION/)
    running.type(`rollback; reset ${setting}; select 'alive';`)
    await running.says(/alive/)
    await running.finish()
  }
  assert.equal(await timesRun(system, 'outlasted int'), 0)
})

test('a token that ends first is what limits a hold', async (context) => {
  const token = await system.tokenFor('ci-deploy', 90)
  const running = await startPsql(system, { profile: 'shop-dev', token })
  context.after(() => running.signal('SIGKILL'))
  running.type('alter table shop.orders add column brief int;')
  await running.says(/Time left: \d+ s, until \S+ \(token\)/)
})

test('a profile says how long others may wait for the locks of a hold, or that they never may', async (context) => {
  for (const [limit, pattern] of [
    ['2s', /held for review[\s\S]*CS_HOLD_IN_TRANSACTION/],
    ['0s', /CS_HOLD_IN_TRANSACTION/],
  ] as const) {
    const answer = await applyCatalog(system, (name, text) =>
      name === 'profiles.yaml'
        ? text.replaceAll('holdInTransactionMax: 60s', `holdAfterWriteMax: ${limit}`)
        : text,
    )
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    const running = await startPsql(system, { profile: 'shop-dev' })
    context.after(() => running.signal('SIGKILL'))
    running.type('begin; update shop.orders set note = note where id = 2;')
    await running.says(/UPDATE/)
    running.type('alter table shop.orders add column locked int;')
    await running.says(pattern)
    assert.equal(/held for review/.test(running.stderr()), limit === '2s')
    running.type('commit;')
    await running.says(/ROLLBACK/)
    await running.finish()
  }
  assert.equal(await timesRun(system, 'locked int'), 0)
  await using log = await observe(system)
  const held = await eventsOf(log, 'sessions', 'RequestHeld')
  assert.ok(held.some((event) => event.limit === 'holdAfterWriteMax'))
})

test('notices and refusals carry code, request, status, deadline and session in fields of their own', async () => {
  const wire = await openWire(system, 'shop-dev')
  const sessionId = wire.parameters.get('countersign.session_id')
  assert.match(sessionId ?? '', /^[0-9a-f-]{36}$/)
  wire.send(toServer.query('alter table shop.orders add column fields int'))
  const notice = await heldNotice(wire)
  const requestId = fieldOf(notice, 't')
  assert.deepEqual(
    ['C', 's', 'n', 'c', 'R'].map((letter) => fieldOf(notice, letter)),
    ['00C01', 'countersign', 'CS_HELD', 'held', sessionId],
  )
  assert.ok(Date.parse(fieldOf(notice, 'd')) > Date.now())
  await countersign(system, 'dev', requestId)
  await wire.until('Z')
  wire.send(toServer.query("copy shop.orders to program 'true'"))
  const error = (await wire.until('Z')).find(({ tag }) => tag === 'E')
  assert.ok(error !== undefined)
  assert.deepEqual(
    ['C', 's', 'n', 'c', 'R'].map((letter) => fieldOf(error, letter)),
    ['42C01', 'countersign', 'CS_REQUEST_BLOCKED', 'blocked', sessionId],
  )
  wire.end()
})
