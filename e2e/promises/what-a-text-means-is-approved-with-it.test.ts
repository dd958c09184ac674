// Meant to fail when `currentSettings` in services/proxy/src/shell/changed-settings.ts asks for nothing, and when `served` in
// pipeline.ts does not look whether the state changed since a request was asked about.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { heldOnWire } from '../support/held.ts'
import { timesRun } from '../support/ledger.ts'
import { countersign, deny } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { group, openWire, told, type Wire } from '../support/wire.ts'

const system = await arena('meaning')
const UPDATE = "update shop.orders set note = '01/02/2026'::date::text where id = 4"

/** The first statements of a session, and the settings that are then approved together with its held statement. */
const SETTINGS: Readonly<Record<string, readonly [sql: string, settings: object[]]>> = {
  'nothing was set': ['select 1', []],
  'only presentation was set': ["set application_name = 'x'; set statement_timeout = 1000", []],
  'the order of dates was set': [
    "set datestyle = 'SQL, DMY'",
    [{ name: 'DateStyle', value: 'SQL, DMY' }],
  ],
  'it was set back': ["set datestyle = 'SQL, DMY'; reset datestyle", []],
  'several were set': [
    "set intervalstyle = 'sql_standard'; set timezone = 'Asia/Tokyo'",
    [
      { name: 'IntervalStyle', value: 'sql_standard' },
      { name: 'TimeZone', value: 'Asia/Tokyo' },
    ],
  ],
  'a setting of the application was set': [
    "set app.tenant = '7'",
    [{ name: 'app.tenant', value: '7' }],
  ],
  'it was set by a function': [
    "select set_config('App.Tenant', '8', false)",
    [{ name: 'app.tenant', value: '8' }],
  ],
  'it was set back by a rollback to a savepoint': [
    "set datestyle = 'SQL, DMY'; begin; savepoint s; set datestyle = 'ISO, MDY'; select 1; rollback to s",
    [{ name: 'DateStyle', value: 'SQL, DMY' }],
  ],
  'it was undone by a rollback to a savepoint': [
    "begin; savepoint s; set datestyle = 'SQL, DMY'; select 1; select 1/0; rollback to s",
    [],
  ],
  'a text is too long for the proxy, so that policy names what it sets': [
    `set app.tenant = '9' /* ${'x'.repeat(17_000)} */`,
    [{ name: 'app.tenant', value: '9' }],
  ],
}

for (const [what, [sql, settings]] of Object.entries(SETTINGS)) {
  test(`where ${what}, the reviewer approves ${settings.length === 0 ? 'the text alone' : 'the text under those settings'}`, async () => {
    const wire = await openWire(system, 'shop-prod')
    for (const one of sql.split('; ')) await ran(wire, one)
    wire.send(toServer.query(UPDATE))
    const requestId = await heldOnWire(wire)
    assert.deepEqual(await shownSettings(requestId), settings)
    assert.equal((await deny(system, 'ana', requestId, 'no')).status, 200)
    await wire.ready()
    wire.end()
  })
}

const sync = toServer.sync()
/** A statement that runs under another name, so that the unnamed statement stays as it is. */
const beside = (sql: string): Buffer =>
  Buffer.concat([
    ...[toServer.close('statement', 'beside'), toServer.parse('beside', sql)],
    ...[toServer.bind({ statement: 'beside' }), toServer.execute()],
  ])
const DMY = beside("set datestyle = 'SQL, DMY'")
const RESET = beside('reset datestyle')

/** Ways to prepare a text under an order of dates that is no longer in force when the text is executed. */
const PREPARED: Readonly<Record<string, (parse: Buffer) => readonly Buffer[]>> = {
  'before the settings were set back': (parse) => [
    ...[Buffer.concat([DMY, sync]), Buffer.concat([parse, sync]), Buffer.concat([RESET, sync])],
  ],
  'between two changes of one pipeline': (parse) => [Buffer.concat([DMY, parse, RESET, sync])],
  'in a transaction that was rolled back': (parse) => [
    ...[Buffer.concat([beside('begin'), sync]), Buffer.concat([DMY, sync])],
    ...[Buffer.concat([parse, sync]), Buffer.concat([beside('rollback'), sync])],
  ],
}

// Meant to fail when `isReadOtherwise` in services/proxy/src/core/passage.ts is always false.
for (const [when, sent] of Object.entries(PREPARED))
  for (const name of ['s', ''])
    test(`what was prepared as "${name}" ${when} runs as it was approved`, async () => {
      const wire = await openWire(system, 'shop-prod')
      const sql = "update shop.orders set note = '01/02/2026'::date::text where id = 5"
      for (const bytes of sent(toServer.parse(name, sql))) {
        wire.send(bytes)
        const heard = told(await wire.ready())
        assert.deepEqual(
          heard.filter((line) => line.startsWith('error')),
          [],
        )
      }
      wire.send(toServer.bind({ statement: name }), toServer.execute(), sync)
      const requestId = await heldOnWire(wire)
      assert.deepEqual(await shownSettings(requestId), [])
      assert.equal((await countersign(system, 'ana', requestId)).status, 200)
      assert.deepEqual(told(await wire.ready()), ['2', 'done UPDATE 1', 'ready I'])
      wire.end()
      const noted = 'select note from shop.orders where id = 5'
      assert.deepEqual(await askTarget(system, noted, 'shop_prod'), [{ note: '2026-01-02' }])
    })

const describedA = toServer.describe('statement', 'a')
/** Ways to make the target parse the prepared `a` again, under an order of dates that is no longer in force at the end. */
const READ_ANEW: Readonly<Record<string, readonly Buffer[]>> = {
  'in pipelines of their own': [
    ...[Buffer.concat([DMY, sync]), Buffer.concat([describedA, sync])],
    Buffer.concat([RESET, sync]),
  ],
  'in one pipeline': [Buffer.concat([DMY, describedA, RESET, sync])],
  'by whatever ran in between': [
    ...[Buffer.concat([DMY, sync]), toServer.query('select 1'), Buffer.concat([RESET, sync])],
  ],
}

// Meant to fail when `readOtherwise` in services/proxy/src/core/statement-names.ts keeps what PREPARE named, and when
// `learnDescribed` does nothing.
for (const [how, sent] of Object.entries(READ_ANEW))
  test(`what PREPARE named, and was read under other settings since, ${how}, is not known any more`, async () => {
    const wire = await openWire(system, 'shop-prod')
    const sql = "update shop.orders set note = '01/02/2026'::date::text where id = 6 returning id"
    wire.send(toServer.query(`prepare a as ${sql}`))
    assert.equal((await countersign(system, 'ana', await heldOnWire(wire))).status, 200)
    assert.ok(told(await wire.ready()).includes('done PREPARE'))
    for (const bytes of sent) {
      wire.send(bytes)
      const heard = told(await wire.ready())
      assert.deepEqual(
        heard.filter((line) => line.startsWith('error')),
        [],
      )
    }
    wire.send(toServer.query('execute a'))
    assert.match(told(await wire.ready()).join(), /^error 42C0[12],ready I$/)
    wire.end()
  })

test('a setting that the agent begins with is shown too', async () => {
  const wire = await openWire(system, 'shop-prod', { startup: [['TimeZone', 'Asia/Tokyo']] })
  wire.send(toServer.query(UPDATE))
  const requestId = await heldOnWire(wire)
  assert.deepEqual(await shownSettings(requestId), [{ name: 'TimeZone', value: 'Asia/Tokyo' }])
  wire.end()
})

test('what is set in the same pipeline is in force when people are asked', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(group("set datestyle = 'SQL, DMY'"), group(UPDATE), toServer.sync())
  const requestId = await heldOnWire(wire)
  assert.deepEqual(await shownSettings(requestId), [{ name: 'DateStyle', value: 'SQL, DMY' }])
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  await wire.ready()
  wire.end()
  assert.equal(await timesRun(system, "'01/02/2026'::date::text where id = 4"), 1)
})

test('a person reads the settings beside the statement', async () => {
  const wire = await openWire(system, 'shop-prod')
  await ran(wire, "set timezone = 'Asia/Tokyo'")
  wire.send(toServer.query(UPDATE))
  const requestId = await heldOnWire(wire)
  const { stdout } = await countersignCli(system, 'show', requestId, '--as', 'ana')
  assert.match(stdout, /under +TimeZone = 'Asia\/Tokyo/)
  wire.end()
})

async function ran(wire: Wire, sql: string): Promise<void> {
  wire.send(toServer.query(sql))
  await wire.ready()
}

/** The settings that the digest of a held request binds, as its reviewer is shown them. */
async function shownSettings(requestId: string): Promise<unknown> {
  const { stdout } = await countersignCli(system, 'show', requestId, '--json', '--as', 'ana')
  return JSON.parse(stdout).exact.settings
}
