import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createLogger, netOn } from '@countersign/runtime'
import { type Listener, listenerOf } from './listener.ts'

const net = netOn(createLogger('replay', 'fatal'))

// Seen to fail when what is taken at once is written on at once.
test('an answer that is taken as fast as it is written lets others have their turn of the loop', async () => {
  let turns = 0
  const others = (): void => {
    turns++
    next = setImmediate(others)
  }
  let next = setImmediate(others)
  await answered(async ({ write }) => {
    turns = 0
    for (let number = 0; number < 10; number++) {
      const begun = performance.now()
      while (performance.now() - begun < 20);
      await write('x')
    }
    clearImmediate(next)
  })
  assert.ok(turns >= 9, String(turns))
})

// Seen to fail when it is waited for without an end, and when an end does not wait.
test('a reader that takes nothing is taken for gone, amidst the answer and at its end', async () => {
  const long = 'x'.repeat(64 * 1024 * 1024)
  const amidst = answered(({ write }) => write(long), { takesNothing: true, takenMsMax: 10 })
  await assert.rejects(amidst, /closed before the answer/)
  const atEnd = answered(
    ({ write, end }) => {
      write(long).catch(() => {})
      return end()
    },
    { takesNothing: true, takenMsMax: 10 },
  )
  await assert.rejects(atEnd, /closed before the answer/)
})

test('an answer is over when all of it was taken', async () => {
  const long = 'x'.repeat(8 * 1024 * 1024)
  await answered(async ({ write, end }) => {
    await write(long)
    await end()
  })
})

// Seen to fail when the time is looked at between writes.
test('a connection ends at its time, also while its reader takes nothing', async () => {
  const work = answered(
    ({ leaveAt, write }) => {
      leaveAt(Date.now() + 10)
      return write('x'.repeat(64 * 1024 * 1024))
    },
    { takesNothing: true },
  )
  await assert.rejects(work, /closed before the answer/)
})

/** Answers one call of a reader over a real connection. */
async function answered(
  answer: (listener: Listener) => Promise<void>,
  { takesNothing = false, takenMsMax = 600_000 } = {},
): Promise<void> {
  const over = Promise.withResolvers<void>()
  await using server = createServer((_request, response) => {
    answer(listenerOf(response, net, takenMsMax)).then(over.resolve, over.reject)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const client = connect(address.port, '127.0.0.1')
  client.on('error', () => {})
  client.write('GET / HTTP/1.1\r\nhost: replay\r\n\r\n')
  if (!takesNothing) client.resume()
  try {
    await over.promise
  } finally {
    client.destroy()
  }
}
