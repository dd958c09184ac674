import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLogger, netOn } from '@countersign/runtime'
import type { Entry } from '../core/entry.ts'
import { listenerOf } from './listener.ts'
import { follow } from './live.ts'

const STEPS = 5_000

// Seen to fail when the past is told on to a reader that has left.
test('what is told first ends when its reader leaves, and so does what waits for more', async () => {
  for (const length of [STEPS, 1]) {
    let steps = 0
    const over = Promise.withResolvers<unknown>()
    const asked = Promise.withResolvers<void>()
    async function* past(): AsyncGenerator<readonly Entry[]> {
      for (; steps < length; steps++) {
        yield [entry(steps)]
        await setImmediate()
      }
    }
    await using server = createServer((_request, response) => {
      follow(listenerOf(response, netOn(createLogger('replay', 'fatal'))), {
        past: past(),
        next: async () => ({ complete: false, entries: [] }),
        changed: () => new Promise(() => asked.resolve()),
        untilMs: Infinity,
      }).then(over.reject, over.resolve)
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const client = connect(address.port, '127.0.0.1')
    client.write('GET / HTTP/1.1\r\nhost: replay\r\n\r\n')
    await new Promise((resolve) => client.once('data', resolve))
    if (length === 1) await asked.promise
    client.destroy()
    assert.match(String(await over.promise), /closed before the answer/)
    if (length > 1) assert.ok(steps < STEPS, String(steps))
  }
})

// Seen to fail when the stream ends without a word.
test('the last event says whether the session is over or the token', async () => {
  for (const [untilMs, complete, told, expected] of [
    [Infinity, true, 1, 'session'],
    [0, false, 1, 'token'],
    [0, false, 0, 'token'],
  ] as const) {
    const sent: string[] = []
    const never = new AbortController().signal
    await follow(
      {
        gone: never,
        write: async (text) => void sent.push(text),
        rest: async () => {},
      },
      {
        past: (async function* () {
          if (told > 0) yield [entry(1)]
        })(),
        next: async () => ({ complete, entries: [[entry(2)]] }),
        changed: () => new Promise(() => {}),
        untilMs,
      },
    )
    assert.equal(sent.at(-1), `event: over\ndata: {"over":"${expected}"}\n\n`)
  }
})

const entry = (number: number): Entry => ({
  at: String(number),
  kind: 'request',
  requestId: null,
  text: null,
  parameters: [],
  parameterTypes: [],
  copyData: null,
  whole: null,
  detail: '',
  who: null,
  durationMs: null,
  results: [],
  resultsNote: null,
  internal: false,
  facts: {},
})
