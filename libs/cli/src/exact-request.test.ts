import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestSubject } from '@countersign/contracts'
import { SessionId } from '@countersign/kernel'
import { exactText } from './exact-request.ts'

const SUBJECT: RequestSubject = {
  protocol: 'Postgres',
  kind: 'Execute',
  text: Buffer.from(
    `update t set a = $1, b = $2, c = $3, "$1" = '$2', d = E'\\'$1' /* $1 */ where e = $4 -- $1`,
  ),
  parameterTypes: [25, 21, 1007, 16_384],
  parameterFormats: [0, 1, 1, 1],
  parameters: [Buffer.from("it's"), Buffer.from('0898', 'hex'), null, Buffer.from('00ff', 'hex')],
  resultFormats: [],
  rowsMax: 0,
  sessionId: SessionId('01890000-0000-7000-8000-000000001234'),
  agent: 'ci-deploy',
  target: 'shop-prod',
  baseRoles: [],
  stateVersion: 0,
  policyVersion: '',
  salt: Buffer.alloc(16),
  settings: [],
}
const shown = (change: Partial<RequestSubject> = {}): string =>
  exactText({ status: 'seen', subject: { ...SUBJECT, ...change } }, (_style, text) => text)

test('reviewers see values by their types, and bytes where the type is not known', () => {
  const lines = shown().split('\n')
  assert.ok(lines.includes("    $1 text = 'it's'"), lines.join('\n'))
  assert.ok(lines.includes('    $2 smallint = 2200'))
  assert.ok(lines.includes('    $3 integer[] = NULL'))
  assert.ok(lines.includes("    $4 type 16384, binary, its bytes = '\\x00ff'"))
})

test('bytes that are no value of their type are shown as bytes', () => {
  const bad = shown({ parameters: [null, Buffer.from('00', 'hex'), null, null] })
  assert.match(bad, /^ {4}\$2 smallint, binary, its bytes = '\\x00'$/m)
})

test('the statement is shown with its values in place, and says that it is not what runs', () => {
  const text = shown()
  assert.match(text, /rendered +with the values in place, to read only:/)
  assert.ok(
    text.includes(
      `update t set a = 'it''s', b = 2200, c = NULL, "$1" = '$2', d = E'\\'$1' /* $1 */ where e = '\\x00ff' -- $1`,
    ),
    text,
  )
})

test('a value cannot draw another line', () => {
  const text = shown({ parameters: [Buffer.from("a\n    $9 = 'b'\u202e"), null, null, null] })
  assert.match(text, /^ {4}\$1 text = 'a\\n {4}\$9 = 'b'\\u202e'$/m)
})
