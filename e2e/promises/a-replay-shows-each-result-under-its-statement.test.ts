// Meant to fail when `resultsOf` in services/replay/src/core/contents.ts gives all answers to the first request.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { eventually } from '../support/ledger.ts'
import { callReplay } from '../support/reviewer.ts'
import { group, openWire, told } from '../support/wire.ts'

const system = await arena('own-results')

test('a replay shows every result, each under its own statement', async () => {
  const wire = await openWire(system, 'shop-prod')
  const three = ["select 'one' as x", "select 'two' as y, 2 as n", THREE]
  wire.send(...three.map((sql) => group(sql)), toServer.sync())
  const dones = told(await wire.ready()).filter((one) => one.startsWith('done'))
  assert.deepEqual(dones, ['done SELECT 1', 'done SELECT 1', 'done SELECT 3'])
  wire.send(toServer.query(TWO))
  await wire.ready()
  wire.send(group("select 'four' as f"), group(FAILS), group('select 5 as g'), toServer.sync())
  assert.ok(told(await wire.ready()).includes('error 22012'))
  wire.send(group('select id from shop.products where id = $1', '42'), toServer.sync())
  await wire.ready()
  // The ends of the first hundred of these are noted before the others are answered.
  const many = Array.from({ length: MANY }, (_, index) => `select ${index} as of_many`)
  wire.send(...many.map((sql) => group(sql)), toServer.sync())
  await wire.ready()
  wire.end()
  await wire.closed

  const { sessions } = (await callReplay(system, 'ana', '/v1/sessions')).body
  const sessionId = Array.isArray(sessions) ? String(sessions[0]?.sessionId) : ''
  const timeline = await eventually('the end of the session', async () => {
    const { body } = await callReplay(system, 'ana', `/v1/sessions/${sessionId}`)
    return body['complete'] === true && entriesIn(body['timeline'])
  })
  const shown = (sql: string): unknown => {
    const asked = timeline.find(({ kind, text }) => kind === 'request' && text === sql)
    const end = timeline.find(
      ({ kind, requestId }) => kind === 'completed' && requestId === asked?.['requestId'],
    )
    assert.equal(end?.['resultsNote'], null, sql)
    return entriesIn(end['results']).map(({ columns, rows, tag, error }) => [
      ...[columns, rows, tag ?? error],
    ])
  }
  assert.deepEqual(three.map(shown), [
    [[['x'], [['one']], 'SELECT 1']],
    [[['y', 'n'], [['two', '2']], 'SELECT 1']],
    [[['z'], [['three'], ['three'], ['three']], 'SELECT 3']],
  ])
  assert.deepEqual(shown(TWO), [
    [['a'], [['s1']], 'SELECT 1'],
    [['b'], [['s2']], 'SELECT 1'],
  ])
  assert.deepEqual(shown("select 'four' as f"), [[['f'], [['four']], 'SELECT 1']])
  assert.deepEqual(shown(FAILS), [[['never'], [], 'ERROR: division by zero (22012)']])
  assert.deepEqual(shown('select 5 as g'), [])
  for (const [index, sql] of many.entries())
    assert.deepEqual(shown(sql), [[['of_many'], [[String(index)]], 'SELECT 1']])

  const { stdout } = await countersignCli(system, 'replay', sessionId, '--as', 'ana')
  const first = timeline.find(({ text }) => text === three[0])?.['requestId']
  const short = String(first).slice(-8)
  assert.match(stdout, new RegExp(`request ${short}\n +select 'one' as x\n`))
  assert.match(stdout, new RegExp(`SELECT 1, 1 rows.* request ${short}\n +x\n +-\n +one\n`))
  assert.match(stdout, / where id = \$1\n +\$1 = '42'\n/)
  assert.match(stdout, /SELECT 1, 1 rows.*\n +x\n +-+\n +one\n +SELECT 1\n/)
  assert.match(stdout, / s1\n +SELECT 1\n +b\n +-+\n +s2\n +SELECT 1\n/)
})

const entriesIn = (list: unknown): Record<string, unknown>[] =>
  Array.isArray(list) ? list.map((one: unknown) => Object(one)) : []

const THREE = "select 'three' as z from generate_series(1,3)"
const TWO = "select 's1' as a; select 's2' as b"
const FAILS = 'select 1 / (length(current_user) - length(current_user)) as never'
const MANY = 130
