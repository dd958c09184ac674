import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import type { HeldCopy } from '../core/held-copy.ts'
import { noNames } from '../core/statement-names.ts'
import { requests } from '../core/requests-under-test.ts'
import { takenCopyData } from './copy-held.ts'
import { memoryOf } from './memory.ts'
import type { Session } from './session-state.ts'
import { nothingWithheld } from './withheld.ts'

const COPY: HeldCopy = {
  copy: { relation: ['t'], columnCount: 1, format: 'text' },
  answered: [],
  messages: [],
}

/** A session whose agent sends one message, or a part of one, in each wait, after so many milliseconds, and then none. */
function sending(...sent: readonly [afterMs: number, message: Uint8Array | null][]): Session {
  let nowMs = 0
  let partAtMs: number | null = null
  const coming = [...sent]
  const queue: ReturnType<typeof requests> = []
  let arrives: () => void = () => undefined
  const session = {
    names: noNames(),
    untaken: null,
    isEnding: false,
    isCancelled: false,
    ending: Promise.withResolvers(),
    raised: null,
    withheld: nothingWithheld(),
    behindRow: null,
    profile: { recording: 'Digest' },
    client: {
      lasts() {},
      write: () => undefined,
      isGone: () => false,
      partAtMs: () => partAtMs,
      take: () => queue.shift(),
      done() {},
      arrival: () => new Promise<void>((resolve) => (arrives = resolve)),
    },
    proxy: {
      config: { CS_COPY_DATA_BYTES_MAX: 100 },
      clock: { monotonicMs: () => nowMs },
      net: {
        // The clock goes on to what comes first: the limit, or the next message.
        after(_where: string, ms: number, run: () => void) {
          const [next] = coming
          if (next === undefined || next[0] >= ms)
            queueMicrotask(() => {
              nowMs += ms
              run()
            })
          else
            queueMicrotask(() => {
              coming.shift()
              nowMs += next[0]
              if (next[1] === null) partAtMs = nowMs
              else queue.push(...requests(next[1]))
              arrives()
            })
          return { [Symbol.dispose]: () => undefined }
        },
      },
    },
  }
  return session as unknown as Session
}

const taken = async (session: Session): Promise<string> => {
  using share = memoryOf(10_000).share('agent')
  const data = await takenCopyData(session, COPY, { columns: 1, share })
  return Buffer.isBuffer(data) ? data.toString() : `${data.code} ${data.reason}`
}
const data = toServer.copyData(Buffer.from('x'))

// Seen to fail when each message begins the wait anew.
test('an agent that sends no data for a minute is refused, whatever else it sends', async () => {
  const SENT_NOTHING = 'CS_COPY_DATA_NEEDED The agent sent no data of the COPY for 60 s.'
  assert.equal(await taken(sending()), SENT_NOTHING)
  assert.equal(await taken(sending([59_000, data], [59_000, data])), SENT_NOTHING)
  const sync = toServer.sync()
  assert.equal(await taken(sending([40_000, sync], [40_000, toServer.copyDone()])), SENT_NOTHING)
})

// Seen to fail when only complete messages count.
test('an agent that sends parts of a large message is waited for', async () => {
  const slow = sending([50_000, null], [50_000, null], [50_000, data], [0, toServer.copyDone()])
  assert.equal(await taken(slow), 'x')
})

test('an agent that goes on sending is waited for', async () => {
  const slow = sending([59_000, data], [59_000, data], [59_000, toServer.copyDone()])
  assert.equal(await taken(slow), 'xx')
})
