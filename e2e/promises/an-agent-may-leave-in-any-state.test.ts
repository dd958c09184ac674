// Meant to fail when `gone` in answers.ts returns instead of throwing (a proxy out of memory), when a goodbye without an
// end of the connection counts for nothing (client.ts), and when `during` waits after the end.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { memoryOf } from '@countersign/local'
import { toServer } from '@countersign/postgres-wire'
import { startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { bystander } from '../support/bystander.ts'
import { heldOnWire } from '../support/held.ts'
import { countersign } from '../support/reviewer.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { askingTarget, askTarget, lockedRoles } from '../support/target.ts'
import {
  cancel,
  group,
  loginBytes,
  openTcp,
  openTls,
  openWire,
  reset,
  type Wire,
} from '../support/wire.ts'

const system = await arena('leaving')
await using log = await observe(system)
const proxy = system.service('proxy')
const pid = proxy.pid()
const locking = await askingTarget(system, 'shop_dev')
await locking.query('begin; lock table shop.orders in access exclusive mode')
locking.on('error', () => undefined)
after(() => locking.end())

/** A state of a session: the profile, and the way into the state; `enter` resolves when the session is in it. */
type State = { readonly profile: string; enter(wire: Wire): Promise<void> }

const dev = (enter: (wire: Wire) => Promise<void>): State => ({ profile: 'shop-dev', enter })
const prod = (enter: (wire: Wire) => Promise<void>): State => ({ profile: 'shop-prod', enter })
const runs = async (wire: Wire, sql: string): Promise<void> => {
  wire.send(toServer.query(sql))
  await wire.ready()
}
/** Waits until a backend is in this condition, so that the agent does not leave earlier. */
const until = (condition: string): Promise<true> =>
  eventually(condition, async () => {
    const found = await askTarget(
      system,
      `select 1 from pg_stat_activity where usename like 'cs\\_%' and ${condition}`,
    )
    return found.length > 0 && true
  })
/** The number of tables made so far, for their names; they are to be rolled back. */
let made = 0
const LONG = 'select count(*) from generate_series(1, 999999) a, generate_series(1, 10000000) b'
const MANY_ROWS = "select n, repeat('x', 500) from generate_series(1, 1000000) n"

const STATES: Readonly<Record<string, State>> = {
  idle: dev(async () => undefined),
  'in a transaction': dev((wire) => runs(wire, 'begin')),
  'in a failed transaction': dev(async (wire) => {
    await runs(wire, 'begin')
    await runs(wire, 'select nothing_like_this from shop.products')
  }),
  'a statement runs': dev(async (wire) => {
    wire.send(toServer.query(LONG))
    await until("state = 'active' and query like '%series(1, 999999)%'")
  }),
  'a statement runs, and the queue behind it is full': dev(async (wire) => {
    wire.send(toServer.query(LONG), Buffer.alloc(5 * 15_000, toServer.flush()))
    await until("state = 'active' and query like '%series(1, 999999)%'")
  }),
  'rows stream to who does not read': dev(async (wire) => {
    wire.socket.pause()
    wire.send(toServer.query(MANY_ROWS))
    await until("wait_event = 'ClientWrite'")
  }),
  'COPY streams to who does not read': dev(async (wire) => {
    wire.socket.pause()
    wire.send(toServer.query(`copy (${MANY_ROWS}) to stdout`))
    await until("wait_event = 'ClientWrite'")
  }),
  'COPY waits for data': dev(async (wire) => {
    wire.send(toServer.query('copy shop.products from stdin'))
    await wire.until('G')
  }),
  'COPY waits for more data': dev(async (wire) => {
    wire.send(toServer.query('copy shop.products from stdin'))
    await wire.until('G')
    wire.send(toServer.copyData(Buffer.from('777001\tleft behind\t1\n')))
  }),
  'COPY of the extended protocol waits for data': dev(async (wire) => {
    wire.send(
      toServer.parse('', 'copy shop.products from stdin'),
      toServer.bind(),
      toServer.execute(),
      toServer.flush(),
    )
    await wire.until('G')
    wire.send(toServer.copyData(Buffer.from('777002\tleft behind\t1\n')))
  }),
  'a portal is suspended': dev(async (wire) => {
    await runs(wire, 'begin')
    wire.send(
      toServer.parse('', 'select n from generate_series(1, 100) n'),
      toServer.bind({ portal: 'p' }),
      toServer.execute('p', 3),
      toServer.flush(),
    )
    await wire.until('s')
  }),
  'a pipeline has no Sync yet': dev(async (wire) => {
    wire.send(group('select 1'), toServer.flush())
    await wire.until('C')
  }),
  'a statement waits for a lock': dev(async (wire) => {
    wire.send(toServer.query('select * from shop.orders'))
    await until("wait_event_type = 'Lock'")
  }),
  held: prod(async (wire) => {
    wire.send(toServer.query('drop table shop.orders'))
    await heldOnWire(wire)
  }),
  raised: prod(async (wire) => {
    await runs(wire, 'begin')
    await lent(wire, `create table shop.left_${++made} (id int)`)
    await wire.ready()
  }),
  'raised, and COPY waits for data': prod(async (wire) => {
    await runs(wire, 'begin')
    await lent(wire, 'copy shop.products from stdin')
    await wire.until('G')
    wire.send(toServer.copyData(Buffer.from('777004\tleft behind\t1\n')))
  }),
  'held in a transaction': prod(async (wire) => {
    await runs(wire, 'begin')
    wire.send(toServer.query('drop table shop.orders'))
    await heldOnWire(wire)
  }),
}

/** Sends a statement that is held, and has it countersigned. */
async function lent(wire: Wire, sql: string): Promise<void> {
  wire.send(toServer.query(sql))
  assert.equal((await countersign(system, 'ana', await heldOnWire(wire))).status, 200)
}

/** The ways to leave. Each returns when the agent has done its part; the connection may still be open. */
const WAYS: Readonly<Record<string, (wire: Wire) => Promise<void> | void>> = {
  'closes its connection': ({ socket }) => void socket.destroy(),
  'resets its connection': ({ socket }) => reset(socket),
  'says goodbye': ({ socket }) => void socket.end(toServer.terminate()),
  'says goodbye and stays': ({ socket }) => void socket.write(toServer.terminate()),
  'closes its end only': ({ socket }) => void socket.end(),
  'cancels and closes': async (wire) => {
    await cancel(system, wire)
    wire.socket.destroy()
  },
}

/** Waits until the left sessions leave nothing behind: no backend, no role that can log in, no session without its end. */
async function nothingIsLeft(): Promise<void> {
  await eventually('the end of the backends and roles', async () => {
    const { canLogIn, backends } = await lockedRoles(system)
    return canLogIn.length === 0 && backends === 0
  })
  await eventually('the ends of the sessions', async () => {
    const asked = await eventsOf(log, 'sessions', 'SessionRequested')
    const ends = [
      ...(await eventsOf(log, 'sessions', 'SessionEnded')),
      ...(await eventsOf(log, 'sessions', 'SessionRefused')),
    ]
    const ended = new Set(ends.map(({ sessionId }) => sessionId))
    return asked.every(({ sessionId }) => ended.has(sessionId))
  })
}

/** The share of a core that the proxy takes while nobody asks anything, measured for a second. */
async function idleShare(): Promise<number> {
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }
  const before = ticks()
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return (ticks() - before) / 100
}

const memoryBefore = memoryOf([pid]).bytes

for (const [name, { profile, enter }] of Object.entries(STATES)) {
  test(`${name}: in whichever way the agent leaves, nothing is left`, async () => {
    const other = await bystander(system)
    const ways = Object.values(WAYS)
    const wires = await Promise.all(ways.map(() => openWire(system, profile)))
    try {
      await Promise.all(wires.map(enter))
      await Promise.all(
        wires.map(async (wire, index) => {
          await ways[index]?.(wire)
        }),
      )
      const waited = await other.leave()
      assert.ok((waited.at(-1) ?? 0) < 5_000, `somebody waited ${waited.at(-1)} ms`)
      await nothingIsLeft()
      assert.equal(proxy.pid(), pid)
    } finally {
      for (const { socket } of wires) socket.destroy()
      await other.leave()
    }
  })
}

test('before the login: in whichever way the agent leaves, nothing is left', async () => {
  const [startup, password] = await loginBytes(system, 'shop-dev')
  const sent: readonly (readonly Buffer[])[] = [[], [startup], [startup, password]]
  const leave: readonly ((socket: TLSSocket) => void)[] = [
    (socket) => void socket.destroy(),
    (socket) => reset(socket),
    (socket) => void socket.end(),
    (socket) => void socket.end(toServer.terminate()),
  ]
  for (const messages of sent)
    for (const go of leave) {
      const socket = await openTls(system)
      socket.resume()
      for (const message of messages) socket.write(message)
      go(socket)
    }
  for (const go of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const socket = await openTcp(system)
    socket.resume()
    socket.write(toServer.sslRequest())
    socket[go]()
  }
  await nothingIsLeft()
  assert.equal(proxy.pid(), pid)
})

test('psql killed in the middle of COPY FROM STDIN leaves nothing, and no row', async () => {
  const psql = await startPsql(system, {
    profile: 'shop-dev',
    commands: ['copy shop.products from stdin'],
  })
  psql.type('777003\tleft behind\t1')
  await until("wait_event = 'ClientRead' and query like 'copy%'")
  psql.signal('SIGKILL')
  await psql.done
  await nothingIsLeft()
  for (const database of ['shop_dev', 'shop_prod']) {
    const left = await askTarget(
      system,
      `select 1 from shop.products where id between 777000 and 777999
       union all select 1 from pg_class where relname like 'left\\_%'`,
      database,
    )
    assert.equal(left.length, 0, database)
  }
})

test('the proxy is at rest, and no larger', async (t) => {
  const share = await idleShare()
  const grownMiB = (memoryOf([pid]).bytes - memoryBefore) / 1024 / 1024
  t.diagnostic(`${(share * 100).toFixed(0)} % of a core, grown by ${grownMiB.toFixed(0)} MiB`)
  assert.ok(share < 0.3, `the proxy takes ${(share * 100).toFixed(0)} % of a core`)
  assert.ok(grownMiB < 150, `the proxy grew by ${grownMiB.toFixed(0)} MiB`)
  assert.equal(proxy.pid(), pid)
})
