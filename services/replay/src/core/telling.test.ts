import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeSubject } from '@countersign/contracts'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import { TEXT_BYTES_MAX, VALUES_BYTES_MAX } from './contents.ts'
import type { SessionRecord } from './session-record.ts'
import { type Read, telling } from './telling.ts'

const SESSION = SessionId('01890a5d-ac96-774b-bcce-b302099a8057')
const REQUESTS = 20_000
const id = (number: number) => RequestId(uuidv5(SESSION, `request ${number}`))

// Seen to fail when all that is wanted of a session is wanted at once.
test('a session of 300 MB is told in order, its contents some tens of megabytes at a time', async () => {
  const text = Buffer.from(`select '${'x'.repeat(16_000)}'`)
  const subject = subjectOf({ text })
  let passes = 0
  const taken: number[] = []
  const read: Read = async (onRecord) => {
    passes++
    let bytes = 0
    for (let number = 0; number < REQUESTS; number++) {
      const record = intercepted(number, subject)
      onRecord(record)
      bytes += subject.length
    }
    taken.push(bytes)
  }
  const told = await telling({ read, decrypt: (sealed) => Buffer.from(sealed), isOver: true })
  let number = 0
  for await (const entries of told.entries())
    for (const entry of entries) {
      assert.equal(entry.requestId, id(number++))
      assert.equal(entry.text?.length, text.length)
    }
  assert.equal(number, REQUESTS)
  assert.ok((taken[0] ?? 0) > 300_000_000)
  // One pass is for the order, and one for each piece.
  assert.ok(passes > 10 && passes < 40, String(passes))
})

test('more records than can be put in order at once are told in parts, each once', async () => {
  let passes = 0
  const read: Read = async (onRecord) => {
    passes++
    // The second half of the session comes before the first.
    for (let number = 0; number < 500; number++) onRecord(intercepted((number + 250) % 500, null))
  }
  const told = await telling({ read, decrypt: null, isOver: true, outlinesMax: 50 })
  const ids: unknown[] = []
  for await (const entries of told.entries()) ids.push(...entries.map(({ requestId }) => requestId))
  assert.deepEqual(
    ids,
    Array.from({ length: 500 }, (_, number) => id(number)),
  )
  // After the first pass, each part is told in one pass, which also finds the next part.
  assert.equal(passes, 11)
})

// Seen to fail when parts of a statement do not count, or are taken for every entry of their request.
test('large parameters are taken some tens of megabytes at a time, and only where they are shown', async () => {
  const piece = Buffer.alloc(256 * 1024)
  const requests = 100
  let passes = 0
  const told = await telling({
    decrypt: null,
    isOver: true,
    read: async (onRecord) => {
      passes++
      for (let number = 0; number < requests; number++) {
        const requestId = id(number)
        for (let index = 0; index < 8; index++) {
          const part = {
            requestId,
            index,
            stream: false,
            ciphertext: piece,
            sizeBytes: piece.length,
          }
          onRecord(other({ type: 'RequestPart', ...common(number), ...part }, 8 * number + index))
        }
        onRecord(intercepted(number, null, 8))
      }
      for (let number = 0; number < requests; number++) onRecord(completed(number, 1_000))
    },
  })
  let count = 0
  for await (const entries of told.entries()) count += entries.length
  assert.equal(count, 2 * requests)
  // The statements have 200 MiB; the pass of the last piece has room for the answers.
  assert.equal(passes, 1 + Math.ceil(requests / 15))
})

// Seen to fail when 50,000 entries are put in order at once.
test('what was not recorded of answers takes no room, and so many entries are put in order at once', async () => {
  let passes = 0
  const told = await telling({
    decrypt: null,
    isOver: true,
    read: async (onRecord) => {
      passes++
      for (let number = 0; number < 12_000; number++) onRecord(completed(number, 1e9))
    },
  })
  let count = 0
  for await (const entries of told.entries()) count += entries.length
  assert.deepEqual([count, passes], [12_000, 4])
})

// Seen to fail when what is missing is left out.
test('a session whose records go away while it is told is an error, never a shorter one', async () => {
  let passes = 0
  const read: Read = async (onRecord) => {
    passes++
    for (let number = passes; number < 10; number++) onRecord(intercepted(number, null))
  }
  const told = await telling({ read, decrypt: null, isOver: true })
  await assert.rejects(Array.fromAsync(told.entries()), { code: 'CS_REPLAY_BUSY' })
})

// Seen to fail when they have no bound.
test('the records of one moment are told together, up to a bound', async () => {
  for (const [moments, isTold] of [
    [150, true],
    [900, false],
  ] as const) {
    const work = (async () => {
      const read: Read = async (onRecord) => {
        for (let number = 0; number < moments; number++)
          onRecord({ ...intercepted(number, null), ...at(number) })
      }
      const told = await telling({ read, decrypt: null, isOver: true, outlinesMax: 10 })
      return (await Array.fromAsync(told.entries())).length
    })()
    if (isTold) assert.equal(await work, moments)
    else await assert.rejects(work, { code: 'CS_SESSION_LIMIT' })
  }

  function at(number: number) {
    return { message: { ...intercepted(number, null).message, at: Instant(1) } }
  }
})

test('a long statement, long parameters and data are cut, and where all of them are is said', async () => {
  const long = Buffer.alloc(3 * VALUES_BYTES_MAX, 'y')
  for (const [values, isCut] of [
    [{ parameters: [Buffer.from('1'), long, Buffer.from('2')] }, true],
    [{ copyData: long }, true],
    [{ text: Buffer.alloc(TEXT_BYTES_MAX + 1, 1) }, true],
    [{ text: Buffer.alloc(TEXT_BYTES_MAX, 1) }, false],
    [{ parameters: [Buffer.from('1')], copyData: Buffer.from('2') }, false],
  ] as const) {
    const read: Read = async (onRecord) => onRecord(intercepted(1, subjectOf(values)))
    const told = await telling({ read, decrypt: (sealed) => Buffer.from(sealed), isOver: true })
    for await (const [entry] of told.entries()) {
      assert.ok(entry !== undefined)
      const length = [...entry.parameters, entry.copyData].join('').length
      assert.ok(length <= VALUES_BYTES_MAX)
      assert.ok((entry.text?.length ?? 0) <= TEXT_BYTES_MAX)
      const whole = `/v1/sessions/${SESSION}/requests/${id(1)}`
      assert.equal(entry.whole, isCut ? whole : null)
    }
  }
})

const common = (number: number) => ({
  sessionId: SESSION,
  sequence: number,
  previousHash: '',
  at: Instant(number),
})

const other = (message: SessionRecord['message'], offset: number): SessionRecord => ({
  position: { topic: 'transcript', partition: 0, offset },
  id: EventId(uuidv5(SESSION, `${message.type} ${offset}`)),
  causation: null,
  message,
  bytes: 1_000,
})

const completed = (number: number, resultBytes: number): SessionRecord =>
  other(
    {
      type: 'RequestCompleted',
      ...common(REQUESTS + number),
      requestId: id(number),
      outcome: 'Succeeded',
      commandTag: 'SELECT 1',
      sqlState: null,
      rows: 1,
      resultBytes,
      durationMicros: 1,
      transactionStatus: 'Idle',
      transcriptHead: '',
      transcriptCount: 0,
    },
    REQUESTS + number,
  )

function intercepted(number: number, subject: Buffer | null, partCount = 0): SessionRecord {
  const requestId = id(number)
  return {
    position: { topic: 'sessions', partition: 0, offset: number },
    id: EventId(requestId),
    causation: null,
    bytes: 1_000 + (subject?.length ?? 0),
    message: {
      type: 'RequestIntercepted',
      ...common(number),
      requestId,
      content: {
        kind: 'Query',
        digest: '',
        ciphertext: subject ?? Buffer.alloc(0),
        partCount,
        rendering: 'select ?',
        sizeBytes: subject?.length ?? 0,
      },
      origin: 'Agent',
      transactionStatus: 'Idle',
      stateVersion: 0,
      raisedRoles: [],
      namesInDoubt: false,
    },
  }
}

function subjectOf(values: {
  text?: Buffer
  parameters?: readonly Buffer[]
  copyData?: Buffer
}): Buffer {
  return encodeSubject({
    protocol: 'Postgres',
    kind: 'Query',
    text: values.text ?? Buffer.from('select 1'),
    parameterTypes: [],
    valueTypes: [],
    parameterFormats: [],
    parameters: [...(values.parameters ?? [])],
    resultFormats: [],
    rowsMax: 0,
    sessionId: SESSION,
    agent: 'ci-deploy',
    target: 'shop-prod',
    baseRoles: [],
    stateVersion: 0,
    policyVersion: '',
    salt: Buffer.alloc(16),
    settings: [],
    copyData: values.copyData ?? null,
    executes: [],
  })
}
