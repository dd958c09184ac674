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
  toServer,
} from '@countersign/postgres-wire'
import { Secret } from '@countersign/kernel'
import { netOn } from '@countersign/runtime'
import { type Client, clientOn } from './client.ts'

/** A connection within this process: the agent's end, and the client that the proxy makes of the other. */
async function connected(): Promise<
  { agent: Socket; client: Client; server: Socket } & Disposable
> {
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
    client: clientOn(server, loggedIn(), netOn(silent)),
    [Symbol.dispose]() {
      agent.destroy()
      server.destroy()
      listener.close()
    },
  }
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
    for (let turn = 0; turn < 500 && client.take() !== undefined; turn++) taken++
    const kept = server.bytesRead / 5 - taken
    assert.ok(kept < 80_000, `${kept} messages are kept`)
    await setImmediate()
  }
  lag.disable()
  // It was a minute; machines of tests are shared.
  assert.ok(lag.max / 1e6 < 2_000, `the loop was busy for ${(lag.max / 1e6).toFixed(0)} ms`)
})

test('the queue is filled again when it is half empty, by messages and by bytes', async () => {
  using pair = await connected()
  const { agent, client, server } = pair
  const large = toServer.copyData(Buffer.alloc(100_000))
  agent.write(Buffer.concat(Array<Buffer>(200).fill(large)))
  await still(server)
  assert.ok(server.bytesRead < 6 * 1024 * 1024, `${server.bytesRead} bytes are kept`)
  let taken = 0
  while (taken < 200) {
    await client.arrival()
    if (client.take() !== undefined) taken++
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
