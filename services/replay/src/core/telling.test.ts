import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeSubject } from '@countersign/contracts'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import { VALUES_BYTES_MAX } from './contents.ts'
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
  // Once for the order, and once for each piece.
  assert.ok(passes > 10 && passes < 40, String(passes))
})

test('more records than can be put in order at once are told in parts, each once', async () => {
  let passes = 0
  const read: Read = async (onRecord) => {
    passes++
    // The second half of the session stands before the first.
    for (let number = 0; number < 500; number++) onRecord(intercepted((number + 250) % 500, null))
  }
  const told = await telling({ read, decrypt: null, isOver: true, outlinesMax: 50 })
  const ids: unknown[] = []
  for await (const entries of told.entries()) ids.push(...entries.map(({ requestId }) => requestId))
  assert.deepEqual(
    ids,
    Array.from({ length: 500 }, (_, number) => id(number)),
  )
  assert.equal(passes, 20)
})

test('long parameters and data are cut, and where all of them are is said', async () => {
  const long = Buffer.alloc(3 * VALUES_BYTES_MAX, 'y')
  for (const [values, isCut] of [
    [{ parameters: [Buffer.from('1'), long, Buffer.from('2')] }, true],
    [{ copyData: long }, true],
    [{ parameters: [Buffer.from('1')], copyData: Buffer.from('2') }, false],
  ] as const) {
    const read: Read = async (onRecord) => onRecord(intercepted(1, subjectOf(values)))
    const told = await telling({ read, decrypt: (sealed) => Buffer.from(sealed), isOver: true })
    for await (const [entry] of told.entries()) {
      assert.ok(entry !== undefined)
      const length = [...entry.parameters, entry.copyData].join('').length
      assert.ok(length <= VALUES_BYTES_MAX)
      const whole = `/v1/sessions/${SESSION}/requests/${id(1)}`
      assert.equal(entry.whole, isCut ? whole : null)
    }
  }
})

function intercepted(number: number, subject: Buffer | null): SessionRecord {
  const requestId = id(number)
  return {
    position: { topic: 'sessions', partition: 0, offset: number },
    id: EventId(requestId),
    causation: null,
    message: {
      type: 'RequestIntercepted',
      sessionId: SESSION,
      sequence: number,
      previousHash: '',
      at: Instant(number),
      requestId,
      content: {
        kind: 'Query',
        digest: '',
        ciphertext: subject ?? Buffer.alloc(0),
        partCount: 0,
        rendering: 'select ?',
        sizeBytes: subject?.length ?? 0,
      },
      origin: 'Agent',
      transactionStatus: 'Idle',
      stateVersion: 0,
      raisedRoles: [],
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
