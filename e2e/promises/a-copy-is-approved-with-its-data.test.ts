import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { agentEnvironment, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { type DirectWire, openDirectWire } from '../support/direct-wire.ts'
import { program } from '../support/driver.ts'
import { heldOnWire, heldRequest } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { python } from '../support/parts.ts'
import { applyCatalog, callReplay, countersign, deny } from '../support/reviewer.ts'
import { askTarget, lockedRoles } from '../support/target.ts'
import { cancel, fieldOf, only, openWire, reset, told, type Wire } from '../support/wire.ts'

const BYTES_MAX = 4_096
const system = await arena('copy-held', {
  env: { proxy: { CS_COPY_DATA_BYTES_MAX: String(BYTES_MAX) } },
})
await using log = await observe(system)
await askTarget(
  system,
  `create table shop.loaded (
     id int primary key, note text, gone int, twice int generated always as (id * 2) stored);
   alter table shop.loaded drop column gone;
   grant all on shop.loaded to shop_prod_writer;
   grant select on shop.loaded to shop_prod_reader;
   create table shop.direct (id int);
   grant all on shop.direct to shop_prod_reader, shop_prod_writer;
   create table shop.unseen (id int);
   grant all on shop.unseen to shop_dev_writer, shop_prod_writer`,
  'shop_prod',
)
const OPAQUE = 'permit (principal, action == Countersign::Action::"opaque", resource);'
const applied = await applyCatalog(system, (name, text) => {
  if (name === 'prod.cedar') return `${text}\n${OPAQUE}`
  return name === 'chains.yaml'
    ? text.replace('name: prod-change }\nspec:\n', '$&  copyData: held\n')
    : text
})
assert.equal(applied.status, 200, JSON.stringify(applied.body))

const COPY = 'copy shop.loaded from stdin'
const data = (text: string): Buffer => toServer.copyData(Buffer.from(text))
const rows = (condition: string) =>
  askTarget(system, `select id, note from shop.loaded where ${condition} order by id`, 'shop_prod')
const approvals = async (): Promise<number> =>
  (await eventsOf(log, 'approvals', 'ApprovalRequested')).length
const digestOf = async (requestId: string): Promise<string | undefined> =>
  (await eventsOf(log, 'approvals', 'ApprovalRequested')).find(
    (asked) => asked.requestId === requestId,
  )?.digest

/** A COPY in the extended protocol as libpq sends it: with a Sync that has no effect, because data follow. */
const extended = (name: string, sql: string): Buffer =>
  Buffer.concat([
    toServer.parse(name, sql),
    toServer.bind({ statement: name }),
    toServer.describe('portal'),
    toServer.execute(),
    toServer.sync(),
  ])

// Seen to fail when `sendHeld` in services/proxy/src/shell/answers.ts sends other bytes.
test('the reviewer sees the data of a COPY, and exactly these reach the target, once', async () => {
  const wire = await openWire(system, 'shop-prod')
  const before = await approvals()
  wire.send(toServer.query(COPY))
  const asked = only(await wire.until('G'), 'G')
  // The format is text, with two text columns: neither the generated column nor the dropped one is among them.
  assert.equal(asked.raw.subarray(5).toString('hex'), '00000200000000')
  assert.equal(await approvals(), before)
  wire.send(data('1\ton'), data('e\n2\t\u001b[2Jtwo'), data(''), data('\n'), toServer.copyDone())
  const requestId = await heldOnWire(wire)
  const lines = '1\tone\n2\t\u001b[2Jtwo\n'
  const hash = createHash('sha256').update(lines).digest('hex')
  for (const verb of ['show', 'requests']) {
    const { stdout, stderr } = await countersignCli(system, verb, requestId, '--as', 'ana')
    assert.match(stdout, /adds rows to shop\.loaded from 16 bytes of data of the agent/, stderr)
    assert.match(stdout, new RegExp(`data +16 bytes, 2 lines, SHA-256 ${hash}`))
    assert.match(stdout, /\n +1 {2}1⇥one\n +2 {2}2⇥\\u001b\[2Jtwo\n/)
  }
  const inJson = await countersignCli(system, '--json', 'show', requestId, '--as', 'ana')
  const { exact } = JSON.parse(inJson.stdout)
  assert.deepEqual([exact.copyData.sha256, exact.copyData.text], [hash, lines])
  assert.equal(await timesRun(system, COPY), 0)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  assert.deepEqual(told(await wire.ready()), ['done COPY 2', 'ready I'])
  assert.equal(await timesRun(system, COPY), 1)
  assert.deepEqual(await rows('id < 10'), [
    { id: 1, note: 'one' },
    { id: 2, note: '\u001b[2Jtwo' },
  ])
  const { sessionId } =
    (await eventsOf(log, 'approvals', 'ApprovalRequested')).find(
      (one) => one.requestId === requestId,
    ) ?? assert.fail('no approval')
  await eventually('the data in the replay', async () => {
    const { body } = await callReplay(system, 'olga', `/v1/sessions/${sessionId}`)
    const { timeline } = body
    return (
      Array.isArray(timeline) &&
      timeline.some((entry) => entry.requestId === requestId && entry.copyData === lines)
    )
  })
  const { stdout } = await countersignCli(system, 'replay', sessionId, '--as', 'olga')
  assert.match(stdout, /with the data\n +1  1⇥one\n +2  2⇥\\u001b\[2Jtwo\n/)
  wire.end()
})

// Seen to fail when `passage` in services/proxy/src/core/passage.ts hides no answers that the client had already.
test('in the extended protocol the agent hears what PostgreSQL itself would say', async () => {
  const wire = await openWire(system, 'shop-prod')
  const direct = await openDirectWire(system, 'shop_prod')
  /** The answers to each message; the notices of a hold are not among them. */
  const converse = async (one: Wire | DirectWire, id: number, held: () => Promise<void>) => {
    one.send(extended('loads', `copy shop.loaded (id, note) from stdin (format csv)`))
    const asked = await one.until('G')
    one.send(data(`${id},a\n`), data(`${id + 1},`), data('"b\nc"\n'), toServer.copyDone())
    one.send(toServer.sync())
    await held()
    const done = await one.ready()
    // The name still stands for the statement afterwards.
    one.send(toServer.bind({ statement: 'loads' }), toServer.execute(), toServer.sync())
    const again = await one.until('G')
    one.send(toServer.copyFail('enough'), toServer.sync())
    const failed = await one.ready()
    one.send(toServer.query('select count(*) from shop.loaded where id < 0'))
    return [asked, done, again, failed, await one.ready()].map(told)
  }
  const through = await converse(wire, 20, async () => {
    assert.equal((await countersign(system, 'ana', await heldOnWire(wire))).status, 200)
  })
  assert.deepEqual(through, await converse(direct, 30, async () => undefined))
  assert.deepEqual(through[0], ['1', '2', 'n', 'G'])
  assert.deepEqual(through[3], ['error 57014', 'ready I'])
  assert.deepEqual(await rows('id between 20 and 29'), [
    { id: 20, note: 'a' },
    { id: 21, note: 'b\nc' },
  ])
  wire.end()
  direct.end()
})

test('EXECUTE of a COPY that was prepared takes no data, by whichever message and from wherever its name', async () => {
  const copy = 'copy shop.direct from stdin'
  const prepared = await openWire(system, 'shop-prod')
  prepared.send(toServer.parse('s', copy), toServer.sync())
  assert.deepEqual(told(await prepared.ready()), ['1', 'ready I'])
  const granted = await openWire(system, 'shop-prod')
  granted.send(extended('s', copy))
  await granted.until('G')
  granted.send(data('1\n'), toServer.copyDone(), toServer.sync())
  assert.equal((await countersign(system, 'ana', await heldOnWire(granted))).status, 200)
  assert.deepEqual(told(await granted.ready()), ['done COPY 1', 'ready I'])
  for (const wire of [prepared, granted]) {
    wire.send(toServer.query('execute s'))
    assert.deepEqual(told(await wire.ready()), ['error 57014', 'ready I'])
    wire.send(toServer.parse('', 'execute s'), toServer.bind(), toServer.execute(), toServer.sync())
    assert.deepEqual(told(await wire.ready()), ['1', '2', 'error 57014', 'ready I'])
    wire.send(toServer.query('select 1'))
    assert.deepEqual(told(await wire.ready()).at(-2), 'done SELECT 1')
    wire.end()
  }
  const seen = await askTarget(system, 'select id from shop.direct', 'shop_prod')
  assert.deepEqual(seen, [{ id: 1 }])
})

test('a changed byte of the data is another request, and what is denied leaves nothing', async () => {
  const wire = await openWire(system, 'shop-prod')
  const digests: (string | undefined)[] = []
  for (const note of ['right', 'wrong']) {
    const id = note === 'right' ? 40 : 41
    wire.send(toServer.query(COPY))
    await wire.until('G')
    wire.send(data(`${id}\t${note}\n`), toServer.copyDone())
    const requestId = await heldOnWire(wire)
    digests.push(await digestOf(requestId))
    const answer = await (note === 'right'
      ? countersign(system, 'ana', requestId)
      : deny(system, 'ana', requestId, 'not these'))
    assert.equal(answer.status, 200)
    const heard = await wire.ready()
    if (note === 'right') assert.deepEqual(told(heard), ['done COPY 1', 'ready I'])
    else assert.deepEqual(told(heard), ['error 42C03', 'ready I'])
  }
  assert.equal(new Set(digests).size, 2)
  assert.deepEqual(await rows('id between 40 and 49'), [{ id: 40, note: 'right' }])
  // The name of a denied statement is known, although nothing of its pipeline came to the target.
  wire.send(extended('kept', COPY))
  await wire.until('G')
  wire.send(data('42\tdenied\n'), toServer.copyDone(), toServer.sync())
  await deny(system, 'ana', await heldOnWire(wire), 'not these either')
  assert.deepEqual(told(await wire.ready()), ['error 42C03', 'ready I'])
  wire.send(toServer.bind({ statement: 'kept' }), toServer.execute(), toServer.sync())
  assert.deepEqual(told(await wire.until('G')), ['2', 'G'])
  wire.send(data('43\tgranted\n'), toServer.copyDone(), toServer.sync())
  assert.equal((await countersign(system, 'ana', await heldOnWire(wire))).status, 200)
  assert.deepEqual(told(await wire.ready()), ['done COPY 1', 'ready I'])
  assert.deepEqual(await rows('id between 42 and 49'), [{ id: 43, note: 'granted' }])
  wire.end()
})

test('what the target says of the data reaches the agent, and its transaction fails as any', async () => {
  const wire = await openWire(system, 'shop-prod')
  const copied = async (text: string): Promise<string[]> => {
    wire.send(toServer.query(COPY))
    await wire.until('G')
    wire.send(data(text), toServer.copyDone())
    assert.equal((await countersign(system, 'ana', await heldOnWire(wire))).status, 200)
    return told(await wire.ready())
  }
  assert.deepEqual(await copied('not a number\tx\n'), ['error 22P02', 'ready I'])
  wire.send(toServer.query('begin'))
  await wire.ready()
  assert.deepEqual(await copied('50\tin a transaction\n'), ['done COPY 1', 'ready T'])
  wire.send(toServer.query('rollback'))
  await wire.ready()
  assert.deepEqual(await rows('id >= 50 and id < 60'), [])
  wire.end()
})

const REFUSED: Readonly<Record<string, { sql: string; code: string }>> = {
  'an unknown table': { sql: 'copy shop.nowhere from stdin', code: '42P01' },
  'an unknown column': { sql: 'copy shop.loaded (id, nothing) from stdin', code: '42703' },
  'a COPY among other statements': { sql: `${COPY}; select 1`, code: '42C21' },
  'a COPY in another encoding': { sql: `${COPY} (encoding 'latin1')`, code: '42C21' },
  'a COPY with a long text': { sql: `${COPY} /* ${'x'.repeat(17_000)} */`, code: '42C21' },
  'two COPYs in one text': { sql: `${COPY}; copy shop.loaded to stdout`, code: '42C21' },
}
for (const [name, { sql, code }] of Object.entries(REFUSED)) {
  test(`${name}: is refused before data are asked for`, async () => {
    const wire = await openWire(system, 'shop-prod')
    wire.send(toServer.query(sql))
    assert.deepEqual(told(await wire.ready()), [`error ${code}`, 'ready I'])
    wire.send(extended('', sql))
    const [first, ...rest] = told(await wire.ready())
    assert.ok(first === `error ${code}` || first === 'error 42601', first)
    assert.deepEqual(rest, ['ready I'])
    wire.end()
  })
}

// Each of these ends the data in another way than with CopyDone.
const ENDS: Readonly<Record<string, { ends(wire: Wire): Promise<void>; code: string }>> = {
  'above the bound': {
    ends: async (wire) => wire.send(data('x'.repeat(BYTES_MAX)), data('y'), toServer.copyDone()),
    code: '54C04',
  },
  'given up by the client': {
    ends: async (wire) => wire.send(data('1\tone\n'), toServer.copyFail('changed my mind')),
    code: '57014',
  },
  cancelled: {
    ends: async (wire) => {
      wire.send(data('1\tone\n'))
      await cancel(system, wire)
    },
    code: '57014',
  },
}
for (const [name, { ends, code }] of Object.entries(ENDS)) {
  test(`data ${name}: nobody is asked, and the session goes on`, async () => {
    const before = [await approvals(), await timesRun(system, 'copy shop.loaded')]
    const wire = await openWire(system, 'shop-prod')
    wire.send(toServer.query(COPY))
    await wire.until('G')
    await ends(wire)
    const heard = await wire.ready()
    assert.deepEqual(told(heard), [`error ${code}`, 'ready I'])
    if (name === 'above the bound') {
      assert.match(fieldOf(only(heard, 'E'), 'D'), /CS_COPY_DATA_BYTES_MAX/)
      assert.match(fieldOf(only(heard, 'E'), 'H'), /Split the data/)
    }
    wire.send(extended('', COPY))
    assert.deepEqual(told(await wire.until('G')), ['1', '2', 'n', 'G'])
    await ends(wire)
    // The rest of the data is dropped, up to the Sync.
    wire.send(data('more\n'), toServer.copyDone(), toServer.sync())
    assert.deepEqual(told(await wire.ready()), [`error ${code}`, 'ready I'])
    wire.send(toServer.query('select 1'))
    assert.deepEqual(told(await wire.ready()).at(-2), 'done SELECT 1')
    assert.deepEqual([await approvals(), await timesRun(system, 'copy shop.loaded')], before)
    wire.end()
  })
}

test('no data at all are data too', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(toServer.query(COPY))
  await wire.until('G')
  wire.send(toServer.copyDone())
  assert.equal((await countersign(system, 'ana', await heldOnWire(wire))).status, 200)
  assert.deepEqual(told(await wire.ready()), ['done COPY 0', 'ready I'])
  wire.end()
})

/** Brings a session to where its agent leaves. */
const STATES: Readonly<Record<string, (wire: Wire) => Promise<void>>> = {
  'before the data': async (wire) => {
    wire.send(toServer.query(COPY))
    await wire.until('G')
  },
  'amidst the data': async (wire) => {
    wire.send(toServer.query(COPY))
    await wire.until('G')
    wire.send(data('60\tleft\n'))
  },
  'amidst the data, in the extended protocol': async (wire) => {
    wire.send(extended('', COPY))
    await wire.until('G')
    wire.send(data('61\tleft\n'))
  },
  'while held': async (wire) => {
    wire.send(toServer.query(COPY))
    await wire.until('G')
    wire.send(data('62\tleft\n'), toServer.copyDone())
    await heldOnWire(wire)
  },
}
const WAYS: readonly ((wire: Wire) => Promise<void> | void)[] = [
  ({ socket }) => void socket.destroy(),
  ({ socket }) => reset(socket),
  ({ socket }) => void socket.end(toServer.terminate()),
  ({ socket }) => void socket.write(toServer.terminate()),
  ({ socket }) => void socket.end(),
  async (wire) => {
    await cancel(system, wire)
    wire.socket.destroy()
  },
]
for (const [name, enter] of Object.entries(STATES)) {
  test(`who leaves ${name} leaves nothing, in whichever way`, async () => {
    const wires = await Promise.all(WAYS.map(() => openWire(system, 'shop-prod')))
    await Promise.all(wires.map(enter))
    await Promise.all(wires.map(async (wire, index) => WAYS[index]?.(wire)))
    await eventually('that nothing waits and nothing is left', async () => {
      const asked = await eventsOf(log, 'approvals', 'ApprovalRequested')
      const ended = new Set(
        [
          ...(await eventsOf(log, 'approvals', 'ApprovalGranted')),
          ...(await eventsOf(log, 'approvals', 'ApprovalDenied')),
          ...(await eventsOf(log, 'approvals', 'ApprovalWithdrawn')),
        ].map(({ approvalId }) => approvalId),
      )
      const { canLogIn, backends } = await lockedRoles(system)
      const isOver = asked.every(({ approvalId }) => ended.has(approvalId))
      return isOver && canLogIn.length === 0 && backends === 0
    })
    for (const { socket } of wires) socket.destroy()
    assert.deepEqual(await rows('id between 60 and 69'), [])
  })
}

test('a cancel while the data are held is answered as PostgreSQL does', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(toServer.query(COPY))
  await wire.until('G')
  wire.send(data('63\tleft\n'), toServer.copyDone())
  await heldOnWire(wire)
  await cancel(system, wire)
  assert.deepEqual(told(await wire.ready()), ['error 57014', 'ready I'])
  assert.deepEqual(await rows('id = 63'), [])
  wire.end()
})

test('what PostgreSQL does not take amidst the data ends the session', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(toServer.query(COPY))
  await wire.until('G')
  wire.send(data('70\tx\n'), toServer.query('select 1'))
  assert.equal(fieldOf(only(await wire.until('E'), 'E'), 'C'), '08C01')
  await wire.closed
  assert.deepEqual(await rows('id = 70'), [])
})

test('psql loads a file with \\copy, and is told what happens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-copy-'))
  try {
    const file = join(folder, 'rows.csv')
    await writeFile(file, Array.from({ length: 100 }, (_, n) => `${100 + n},row ${n}\n`).join(''))
    const command = `\\copy shop.loaded from '${file}' with (format csv)`
    const running = await startPsql(system, { profile: 'shop-prod', commands: [command] })
    const requestId = await heldRequest(running)
    const first = await countersignCli(system, 'show', requestId, '--as', 'ana')
    assert.match(first.stdout, /100 lines.*\n(?:.*\n)* +20 {2}119,row 19\n +NOT ALL OF THEM/)
    assert.doesNotMatch(first.stdout, /row 20/)
    const whole = await countersignCli(system, 'show', requestId, '--data', '--as', 'ana')
    assert.match(whole.stdout, / +100 {2}199,row 99\n/)
    assert.equal((await countersign(system, 'ana', requestId)).status, 200)
    const { status, stdout, stderr } = await running.finish()
    assert.equal(status, 0, stderr)
    assert.match(stdout, /COPY 100/)
    assert.equal((await rows('id between 100 and 199')).length, 100)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('psycopg and libpq wait for the answer of people behind the data', async (t) => {
  const found = await python()
  if ('missing' in found) return t.skip(found.missing)
  const env = await agentEnvironment(system, { profile: 'shop-prod' })
  const script = join(import.meta.dirname, '..', 'drivers', 'python_held_copy.py')
  const before = new Set(
    (await eventsOf(log, 'approvals', 'ApprovalRequested')).map(({ requestId }) => requestId),
  )
  const running = program(found.python, [script], { env })
  for (const verdict of ['granted', 'denied', 'granted'] as const) {
    const requestId = await eventually('that a COPY is held', async () => {
      const asked = await eventsOf(log, 'approvals', 'ApprovalRequested')
      return asked.find((one) => !before.has(one.requestId))?.requestId
    })
    before.add(requestId)
    const answer = await (verdict === 'granted'
      ? countersign(system, 'ana', requestId)
      : deny(system, 'ana', requestId, 'not these'))
    assert.equal(answer.status, 200)
  }
  const { stdout, stderr } = await running
  const steps = stdout.split('\n').filter((line) => line !== '')
  assert.deepEqual(
    steps.map((line): unknown => JSON.parse(line)),
    [
      ['psycopg granted', 2],
      ['psycopg denied', '42C03'],
      ['libpq with PQexecParams', 1],
      ['and on', 3],
    ],
    stderr,
  )
})

test('a chain that does not demand it approves a COPY before its data are sent, as ever', async () => {
  assert.equal((await applyCatalog(system)).status, 200)
  const wire = await openWire(system, 'shop-prod')
  wire.send(toServer.query('copy shop.unseen from stdin'))
  const requestId = await heldOnWire(wire)
  const { stdout } = await countersignCli(system, 'show', requestId, '--as', 'ana')
  assert.match(stdout, /data of the agent that are not shown here/)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  await wire.until('G')
  wire.send(data('1\n'), toServer.copyDone())
  assert.deepEqual(told(await wire.ready()), ['done COPY 1', 'ready I'])
  wire.end()
})
