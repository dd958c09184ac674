import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import {
  authenticated,
  type Frontend,
  frontend,
  receive,
  type Request,
  toServer,
} from '@countersign/postgres-wire'
import { Secret } from '@countersign/kernel'
import { type Net, netOn } from '@countersign/runtime'
import { type Client, clientOn, isRequest, MESSAGE_BYTES } from './client.ts'
import { type Memory, memoryOf } from './memory.ts'

/** A connection within this process: the agent's end, and the client that the proxy makes of the other. */
async function connected(
  memory: Memory = memoryOf(64 * 1024 * 1024),
  net: Net = netOn(silent),
  clock = { monotonicMs: () => performance.now() },
): Promise<{ agent: Socket; client: Client; server: Socket } & Disposable> {
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const agent = connect(port, '127.0.0.1')
  const [server]: Socket[] = await once(listener, 'connection')
  if (server === undefined) throw new Error('no connection')
  agent.on('error', () => undefined)
  return {
    agent,
    server,
    client: admitted(clientOn(server, loggedIn(), { net, clock }), memory),
    [Symbol.dispose]() {
      agent.destroy()
      server.destroy()
      listener.close()
    },
  }
}

function admitted(client: Client, memory: Memory): Client {
  client.admit('agent', memory)
  return client
}

/** Takes a message, and is done with it. */
function take(client: Client): boolean {
  const message = client.take()
  if (message !== undefined && message.tag !== 'Violation') client.done(message)
  return message !== undefined
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

function loggedIn(): Frontend {
  const startup = toServer.startupMessage(new Map([['user', 'agent']]))
  const [engine] = receive(
    frontend(),
    Buffer.concat([startup, toServer.passwordMessage(new Secret('x'))]),
  )
  return authenticated(engine)
}

/** Waits until nothing more is read from a socket. */
async function still(socket: Socket): Promise<void> {
  for (let calm = 0, last = -1; calm < 200; calm = socket.bytesRead === last ? calm + 1 : 0) {
    last = socket.bytesRead
    await setImmediate()
  }
}

test('100 Syncs and 800,000 messages of five bytes: a few thousand are kept, all arrive, and the loop stays free', async () => {
  using pair = await connected()
  const { agent, client, server } = pair
  agent.write(Buffer.concat(Array<Buffer>(100).fill(toServer.sync())))
  agent.write(Buffer.concat(Array<Buffer>(800_000).fill(toServer.flush())))
  await still(server)
  assert.ok(server.bytesRead < 5 * 80_000, `${server.bytesRead} bytes are kept`)
  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()
  let taken = 0
  while (taken < 800_100) {
    await client.arrival()
    // As many as a session takes in its turn.
    for (let turn = 0; turn < 500 && take(client); turn++) taken++
    const kept = server.bytesRead / 5 - taken
    assert.ok(kept < 80_000, `${kept} messages are kept`)
    await setImmediate()
  }
  lag.disable()
  // Only the time tells how long others cannot have the loop. It was a minute; machines of tests are shared.
  assert.ok(lag.max / 1e6 < 2_000, `the loop was busy for ${(lag.max / 1e6).toFixed(0)} ms`)
})

test('however many slices of a pipeline run one after the other, no more is read ahead than an agent may have', async () => {
  using pair = await connected(memoryOf(64 * 1024 * 1024))
  const { agent, client, server } = pair
  const message = toServer.execute()
  const count = 1_000_000
  agent.write(Buffer.concat(Array<Buffer>(count).fill(message)))
  let taken = 0
  let most = 0
  while (taken < count) {
    await client.arrival()
    const slice: Request[] = []
    while (slice.length < 200) {
      const next = client.take()
      if (next === undefined || !isRequest(next)) break
      slice.push(next)
    }
    taken += slice.length
    // As it is sent to the target, which answers a little later.
    client.lasts()
    await setImmediate()
    client.done(...slice)
    most = Math.max(most, server.bytesRead / message.length - taken)
  }
  assert.ok(most < 60_000, `${most} messages are kept`)
})

test('the queue is filled again when what was taken is done with', async () => {
  using pair = await connected()
  const { agent, client, server } = pair
  const large = toServer.copyData(Buffer.alloc(100_000))
  agent.write(Buffer.concat(Array<Buffer>(200).fill(large)))
  await still(server)
  assert.ok(server.bytesRead < 6 * 1024 * 1024, `${server.bytesRead} bytes are kept`)
  let taken = 0
  while (taken < 200) {
    await client.arrival()
    if (take(client)) taken++
  }
  assert.equal(client.take(), undefined)
})

test('who says goodbye and stays is gone all the same', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  using pair = await connected()
  const { agent, client } = pair
  agent.write(Buffer.concat([toServer.query('select pg_sleep(300)'), toServer.terminate()]))
  await client.arrival()
  while (!client.hasSaidGoodbye()) await setImmediate()
  let isClosed = false
  void client.closed.then(() => (isClosed = true))
  await setImmediate()
  assert.equal(isClosed, false, 'the statement may end in this time')
  t.mock.timers.tick(2_000)
  await setImmediate()
  assert.equal(isClosed, true)
})

test('who goes behind a full queue is noticed, though nothing is taken', async () => {
  using pair = await connected()
  const { agent, client } = pair
  agent.end(Buffer.alloc(5 * 15_000, toServer.flush()))
  await client.closed
  assert.equal(client.isGone(), false, 'what it sent is there to be taken')
})

test('every way to go closes', async () => {
  for (const go of ['destroy', 'resetAndDestroy', 'end'] as const) {
    using pair = await connected()
    pair.agent[go]()
    await pair.client.closed
    assert.equal(pair.client.isGone(), true, go)
  }
})

const MIB = 1024 * 1024
const large = (mib: number): Buffer => toServer.copyData(Buffer.alloc(mib * MIB))

test('of a large message little is read before somebody waits for it, and then all of it', async () => {
  const memory = memoryOf(64 * MIB)
  using pair = await connected(memory)
  const { agent, client, server } = pair
  agent.write(large(8))
  await still(server)
  assert.ok(server.bytesRead < 2 * MIB, `${server.bytesRead} bytes are here`)
  assert.equal(memory.reservedBytes(), 0)
  await client.arrival()
  assert.equal(memory.reservedBytes(), (7 * MIB + 5 + MESSAGE_BYTES) * 6)
  assert.equal(take(client), true)
  assert.equal(memory.reservedBytes(), 0)
})

test('who stops waiting in the middle of a large message keeps memory for what is here alone', async () => {
  const memory = memoryOf(48 * MIB)
  using pair = await connected(memory)
  using other = await connected(memory)
  pair.agent.write(large(8).subarray(0, 3 * MIB))
  void pair.client.arrival()
  while (pair.server.bytesRead < 3 * MIB) await setImmediate()
  other.agent.write(large(4))
  const behind = other.client.arrival()
  while (!memory.isWanted()) await setImmediate()
  pair.client.rest()
  await behind
  assert.equal(take(other.client), true)
  pair.agent.write(large(8).subarray(3 * MIB))
  await still(pair.server)
  assert.ok(pair.server.bytesRead < 4 * MIB, `${pair.server.bytesRead} bytes are here`)
  await pair.client.arrival()
  assert.equal(take(pair.client), true)
  assert.equal(memory.reservedBytes(), 0)
})

test('two large messages in a row are read one after the other', async () => {
  const memory = memoryOf(64 * MIB)
  using pair = await connected(memory)
  pair.agent.write(Buffer.concat([large(8), large(8)]))
  for (const time of [1, 2]) {
    await pair.client.arrival()
    assert.ok(memory.reservedBytes() <= 8 * MIB * 6, `message ${time}`)
    assert.equal(memory.isWanted(), false)
    await still(pair.server)
    assert.ok(pair.server.bytesRead < (8 * time + 1) * MIB)
    assert.equal(take(pair.client), true)
  }
})

test('who waits for memory reads on when others are done, and gives it back when it has left', async () => {
  const memory = memoryOf(64 * MIB)
  using first = await connected(memory)
  using second = await connected(memory)
  using third = await connected(memory)
  for (const { agent } of [first, second, third]) agent.write(large(8))
  await first.client.arrival()
  const arrival = second.client.arrival()
  const behind = third.client.arrival()
  await still(second.server)
  assert.equal(memory.isWanted(), true)
  second.agent.destroy()
  assert.equal(take(first.client), true)
  await arrival
  assert.equal(second.client.isGone(), true)
  second.client.drop()
  await behind
  assert.equal(take(third.client), true)
  assert.deepEqual([memory.reservedBytes(), memory.isWanted()], [0, false])
})

test('a message that stops on its way is told of when others wait for its memory, and only then', async () => {
  const looks: (() => void | Promise<unknown>)[] = []
  const net: Net = {
    ...netOn(silent),
    every(_where, _ms, run) {
      looks.push(run)
      return { [Symbol.dispose]() {} }
    },
  }
  const memory = memoryOf(64 * MIB)
  using slow = await connected(memory, net)
  let isStalled = false
  void slow.client.stalled.then((why) => (isStalled = why === 'stopped'))
  slow.agent.write(large(8).subarray(0, 3 * MIB))
  void slow.client.arrival()
  while (slow.server.bytesRead < 3 * MIB) await setImmediate()
  const looked = async (): Promise<boolean> => {
    for (const look of looks) void look()
    await setImmediate()
    return isStalled
  }
  assert.deepEqual([await looked(), await looked()], [false, false])
  using other = await connected(memory)
  other.agent.write(large(8))
  void other.client.arrival()
  while (!memory.isWanted()) await setImmediate()
  assert.equal(await looked(), true)
})

/** The messages that drivers send for a statement with a value, in one write. */
const valued = (bytes: number): Buffer =>
  Buffer.concat([
    toServer.parse('', 'select length($1)', [25]),
    toServer.bind({ values: [Buffer.alloc(bytes, 'x')] }),
    toServer.execute(),
    toServer.sync(),
  ])

async function takenUpTo(client: Client, tag: string): Promise<void> {
  for (;;) {
    const message = client.take()
    if (message === undefined) await client.arrival()
    else if (message.tag === tag) return
  }
}

for (const kept of ['lasts', 'waits'] as const) {
  // Seen to fail when a socket that is paused stays so where the share has grown.
  test(`who leaves behind a large request that ${kept} is noticed`, async () => {
    using pair = await connected(memoryOf(128 * MIB))
    pair.agent.write(valued(2 * MIB))
    await takenUpTo(pair.client, 'Sync')
    pair.client[kept]()
    pair.agent.end(toServer.terminate())
    await pair.client.closed
  })
}

// Seen to fail when nothing is looked at while memory is waited for.
test('who leaves while it waits for memory is noticed', async () => {
  const memory = memoryOf(128 * MIB)
  await memory.reserve(126 * MIB)
  using pair = await connected(memory)
  pair.agent.write(large(2))
  const arrival = pair.client.arrival()
  while (!memory.isWanted()) await setImmediate()
  pair.agent.destroy()
  await Promise.all([pair.client.closed, arrival])
})

// Seen to fail when nothing is read ahead above the part of an owner.
test('who leaves is noticed though its sessions have all their memory, but not behind more than may be read then', async () => {
  const memory = memoryOf(128 * MIB)
  using all = memory.share('agent')
  all.add(64 * MIB)
  using left = await connected(memory)
  left.agent.write(valued(2 * MIB))
  await takenUpTo(left.client, 'Sync')
  left.client.lasts()
  left.agent.write(valued(MIB / 2))
  left.agent.end(toServer.terminate())
  await left.client.closed
  assert.equal(await left.client.heard(), true)
  using behind = await connected(memory)
  behind.agent.write(valued(2 * MIB))
  await takenUpTo(behind.client, 'Sync')
  behind.client.lasts()
  assert.equal(await behind.client.heard(), true)
  behind.agent.end(large(8))
  while (!behind.server.isPaused()) await setImmediate()
  assert.equal(await behind.client.heard(), false)
  all.shrink(64 * MIB)
  assert.equal(await behind.client.heard(), true)
})

// Seen to fail when it is never said that all was read behind messages that wait.
test('all is heard of an agent that waits behind more than its session reads uncounted', async () => {
  using pair = await connected(memoryOf(128 * MIB))
  pair.agent.write(Buffer.concat([toServer.sync(), valued(2 * MIB)]))
  await takenUpTo(pair.client, 'Sync')
  await still(pair.server)
  assert.equal(await pair.client.heard(), true)
})

// Seen to fail when memory is waited for with a large message in hand.
test('a large message is served before memory is waited for to read the next', async () => {
  const memory = memoryOf(64 * MIB)
  using pair = await connected(memory)
  const { agent, client } = pair
  agent.write(Buffer.concat([large(7), large(8)]))
  await client.arrival()
  const message = client.take()
  await client.follows()
  assert.equal(client.take(), undefined)
  assert.deepEqual([client.isFull(), memory.isWanted()], [true, false])
  assert.equal(memory.reservedBytes(), (6 * MIB + 5 + MESSAGE_BYTES) * 6)
  client.lasts()
  assert.equal(memory.reservedBytes(), 0)
  assert.ok(memory.sharedBytes() >= 6 * MIB)
  if (message !== undefined && message.tag !== 'Violation') client.done(message)
  await client.arrival()
  assert.equal(take(client), true)
  assert.deepEqual([memory.reservedBytes(), memory.sharedBytes()], [0, 0])
})

// Seen to fail when who stops waiting for a message withdraws what is asked for its copies.
test('a message that arrived by reading ahead waits for memory for its copies', async () => {
  const memory = memoryOf(128 * MIB)
  const others = await memory.reserve(126 * MIB)
  using pair = await connected(memory)
  const { agent, client } = pair
  agent.write(large(1.9))
  const arrival = client.arrival()
  while (!memory.isWanted()) await setImmediate()
  await arrival
  assert.notEqual(client.take(), undefined)
  let isServed = false
  const copied = client.copied()?.given.then(() => (isServed = true))
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  assert.deepEqual([isServed, memory.isWanted()], [false, true])
  others.release()
  await copied
  assert.ok(memory.reservedBytes() > 5 * MIB, `${memory.reservedBytes()} bytes are reserved`)
})

// Seen to fail when only complete messages count, and when the wait for memory counts as silence.
test('who sends a part of a message, or waits for memory, is not silent', async () => {
  let nowMs = 0
  const memory = memoryOf(64 * MIB)
  const others = await memory.reserve(64 * MIB)
  using pair = await connected(memory, netOn(silent), { monotonicMs: () => nowMs })
  const { agent, client, server } = pair
  agent.write(toServer.sync())
  await client.arrival()
  assert.equal(client.partAtMs(), null)
  assert.equal(take(client), true)
  nowMs = 10
  agent.write(large(8).subarray(0, 1_000))
  await still(server)
  assert.equal(client.partAtMs(), 10)
  agent.write(large(8).subarray(1_000, 3 * MIB))
  const arrival = client.arrival()
  while (!memory.isWanted()) await setImmediate()
  nowMs = 20
  assert.equal(client.partAtMs(), 20)
  others.release()
  while (client.partAtMs() !== 20 || server.bytesRead < 3 * MIB) await setImmediate()
  nowMs = 30
  assert.equal(client.partAtMs(), 20)
  agent.write(large(8).subarray(3 * MIB))
  await arrival
  assert.equal(take(client), true)
})

test('who waits for memory for five minutes is told of, and only then', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const memory = memoryOf(64 * MIB)
  await memory.reserve(64 * MIB)
  using pair = await connected(memory)
  let why: string | null = null
  void pair.client.stalled.then((told) => (why = told))
  pair.agent.write(large(8))
  void pair.client.arrival()
  while (!memory.isWanted()) await setImmediate()
  t.mock.timers.tick(299_999)
  await setImmediate()
  assert.equal(why, null)
  t.mock.timers.tick(1)
  await setImmediate()
  assert.equal(why, 'kept waiting')
})

test('after the end of a session what its agent still sends is thrown away', async () => {
  const memory = memoryOf(64 * MIB)
  using pair = await connected(memory)
  pair.agent.write(large(8))
  await still(pair.server)
  pair.client.drop()
  while (pair.server.bytesRead < 8 * MIB) await setImmediate()
  assert.equal(pair.client.take(), undefined)
})

test('who goes behind 12 MB that nobody takes is noticed', async () => {
  using pair = await connected(memoryOf(128 * MIB))
  pair.agent.end(Buffer.concat([large(6), large(6)]))
  await pair.client.closed
  assert.equal(pair.client.isGone(), false, 'what it sent is there to be taken')
})
