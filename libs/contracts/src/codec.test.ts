import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instant, Problem, RequestId, SessionId } from '@countersign/kernel'
import { codecOf, decode, encode, fingerprintOf, hashOf, SCHEMAS, topicOf } from './index.ts'

const withdrawn = {
  type: 'RequestWithdrawn',
  sessionId: SessionId('01a205d5-15a3-71b3-bc9d-1765de5ac95c'),
  sequence: 4,
  previousHash: 'ab',
  at: Instant(1_795_394_180_515_000),
  requestId: RequestId('01a205d5-15a3-7b91-a0dc-1516f8a6bac9'),
  reason: 'Cancelled',
} as const

test('a message survives the way through its bytes', () => {
  const bytes = encode(withdrawn)
  assert.deepEqual(
    { ...decode('RequestWithdrawn', fingerprintOf('RequestWithdrawn'), bytes) },
    withdrawn,
  )
  assert.equal(topicOf('RequestWithdrawn'), 'sessions')
})

test('a schema from the future is refused with what to do', () => {
  assert.throws(
    () => decode('RequestWithdrawn', '0123456789abcdef', encode(withdrawn)),
    unreadable(/does not know/),
  )
  assert.throws(
    () => decode('RequestBlessed', '0123456789abcdef', Buffer.alloc(0)),
    unreadable(/no message/),
  )
})

test('what a later version wrote is understood where its schema is compatible, and refused where it is not', () => {
  const { schema } = SCHEMAS.RequestWithdrawn
  const more = { name: 'words', type: 'string', default: '', doc: 'Words.' }
  const later = { ...schema, fields: [...schema.fields, more] }
  const { type, fingerprint } = codecOf(later)
  const bytes = type.toBuffer({ ...withdrawn, words: 'sorry' })
  const known = new Map<string, unknown>([[fingerprint, later]])
  const writtenWith = (print: string): unknown => known.get(print)
  assert.deepEqual({ ...decode('RequestWithdrawn', fingerprint, bytes, writtenWith) }, withdrawn)

  // This schema lacks a field that this version needs.
  const lesser = { ...schema, fields: schema.fields.filter(({ name }) => name !== 'requestId') }
  const other = codecOf(lesser)
  known.set(other.fingerprint, lesser)
  assert.throws(
    () =>
      decode('RequestWithdrawn', other.fingerprint, other.type.toBuffer(withdrawn), writtenWith),
    unreadable(/RequestWithdrawn/),
  )
  // A schema counts only for the message and the fingerprint that it really has, whoever publishes it.
  known.set('0123456789abcdef', later)
  for (const name of ['RequestWithdrawn', 'RequestRefused'])
    assert.throws(() => decode(name, '0123456789abcdef', bytes, writtenWith), unreadable(/know/))
})

test('corrupt bytes are refused, not guessed', () => {
  const bytes = encode(withdrawn)
  assert.throws(
    () => decode('RequestWithdrawn', fingerprintOf('RequestWithdrawn'), bytes.subarray(0, 20)),
    unreadable(/RequestWithdrawn/),
  )
  assert.throws(
    () =>
      decode(
        'RequestWithdrawn',
        fingerprintOf('RequestWithdrawn'),
        Buffer.concat([bytes, Buffer.alloc(3)]),
      ),
    unreadable(/RequestWithdrawn/),
  )
})

test('the hash commits to the name of the event and to its schema, not to the bytes alone', () => {
  const bytes = encode(withdrawn)
  const hash = hashOf('RequestWithdrawn', 'f', bytes)
  assert.notEqual(hashOf('RequestRefused', 'f', bytes), hash)
  assert.notEqual(hashOf('RequestWithdrawn', 'g', bytes), hash)
})

test('every schema can be read by Avro, and no two have the same fingerprint', () => {
  const prints = Object.values(SCHEMAS).map(({ schema }) => codecOf(schema).fingerprint)
  assert.equal(new Set(prints).size, prints.length)
})

const unreadable = (words: RegExp) => (thrown: unknown) =>
  thrown instanceof Problem && thrown.code === 'CS_MESSAGE_UNREADABLE' && words.test(thrown.message)
