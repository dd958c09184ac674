import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionId } from '@countersign/kernel'
import { codecOf } from './codec.ts'
import type { RequestSubject } from './generated/common.ts'
import { REQUEST_SUBJECT } from './generated/registry.ts'
import { decodeSubject, encodeSubject } from './subject.ts'

const subject: RequestSubject = {
  protocol: 'Postgres',
  kind: 'Execute',
  text: Buffer.from('select $1'),
  parameterTypes: [],
  parameterFormats: [1],
  parameters: [Buffer.from([0, 0, 0, 7])],
  resultFormats: [],
  rowsMax: 0,
  sessionId: SessionId('01890000-0000-7000-8000-000000001234'),
  agent: 'ci-deploy',
  target: 'shop-prod',
  baseRoles: ['reader'],
  stateVersion: 3,
  policyVersion: 'p',
  salt: Buffer.alloc(16, 1),
  settings: [{ name: 'DateStyle', value: 'German' }],
  valueTypes: [23],
  copyData: Buffer.from('1\tone\n'),
  executes: [{ name: 'p', text: 'prepare p as select 1' }],
}

test('what was encoded is decoded', () => {
  assert.deepEqual(plain(decodeSubject(encodeSubject(subject))), plain(subject))
})

test('what was recorded before a field was added is read without it', () => {
  const added = { executes: [], copyData: null, valueTypes: [], settings: [] }
  const names = ['executes', 'copyData', 'valueTypes', 'settings'] as const
  for (const count of [1, 2, 3, 4]) {
    const missing = names.slice(0, count)
    assert.deepEqual(plain(decodeSubject(encodedWithout(...missing))), {
      ...plain(subject),
      ...Object.fromEntries(missing.map((name) => [name, added[name]])),
    })
  }
})

test('bytes that are no request are an error', () => {
  const bytes = encodeSubject(subject)
  assert.throws(() => decodeSubject(bytes.subarray(0, -5)))
  assert.throws(() => decodeSubject(Buffer.concat([bytes, Buffer.from([0])])))
})

/** The bytes as an earlier version wrote them. */
function encodedWithout(...names: string[]): Buffer {
  const fields = REQUEST_SUBJECT.fields.filter(({ name }) => !names.includes(name))
  return codecOf({ ...REQUEST_SUBJECT, fields }).type.toBuffer(subject)
}

/** Avro gives records prototypes of its own. */
const plain = (value: RequestSubject): object => JSON.parse(JSON.stringify(value)) as object
