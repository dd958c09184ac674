import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeSubject, type RequestContent } from '@countersign/contracts'
import { newDataKey } from '@countersign/identity'
import { Instant, RequestId, SessionId } from '@countersign/kernel'
import { toClient } from '@countersign/postgres-wire'
import type { AnswerGroup } from './answer-groups.ts'
import { ANSWER_BYTES_MAX, newContents } from './contents.ts'

test('a statement of several records is shown whole, in whatever order they are seen; without one of them, its rendering', () => {
  const key = newDataKey()
  const sealed = key.encrypt(subjectOf(TEXT))
  // The proxy encrypts a content as a whole, and then cuts it.
  const pieces = [0, 1, 2].map((index) => sealed.subarray(index * 2_000, (index + 1) * 2_000))
  const contents = newContents()
  const shown = () => contents.opened(key.decrypt).statementOf(REQUEST, CONTENT).text
  for (const [index, ciphertext] of [...pieces.entries()].reverse()) {
    assert.equal(shown(), 'select ?')
    const common = { sessionId: SESSION, requestId: REQUEST, sequence: index, previousHash: '' }
    const sizeBytes = ciphertext.length
    const part = { ...common, index, ciphertext, sizeBytes, stream: false, at: Instant(0) }
    contents.take({ type: 'RequestPart', ...part })
  }
  assert.equal(shown(), TEXT)
})

/** Seen to fail when the pieces are kept as they come. */
test('of a long answer the first rows are shown and the rest is not kept, in whatever order its pieces come', () => {
  const key = newDataKey()
  const row = toClient.dataRow([Buffer.alloc(500_000, 'x')])
  const bytes = [toClient.rowDescription([column]), ...Array.from({ length: 20 }, () => row)]
  for (const order of [[...bytes.keys()], [...bytes.keys()].reverse()]) {
    const contents = newContents()
    for (const sequence of order) {
      const ciphertext = key.encrypt(bytes[sequence] ?? Buffer.alloc(0))
      const common = { sessionId: SESSION, requestId: REQUEST, previousHash: '', at: Instant(0) }
      const sizeBytes = ciphertext.length
      contents.take({ type: 'TranscriptRecorded', ...common, sequence, ciphertext, sizeBytes })
    }
    const opened: number[] = []
    const { results, note } = contents
      .opened((sealed) => {
        opened.push(sealed.length)
        return key.decrypt(sealed)
      })
      .resultsOf(REQUEST, GROUP)
    assert.deepEqual([results[0]?.rows.length, results[0]?.truncated], [1, true])
    assert.match(note ?? '', /beginning/)
    assert.ok(opened.reduce((sum, size) => sum + size, 0) <= ANSWER_BYTES_MAX)
  }
})

const column = {
  name: 'x',
  tableOid: 0,
  columnAttribute: 0,
  typeOid: 25,
  typeSize: -1,
  typeModifier: -1,
  format: 'text',
} as const
const SESSION = SessionId('01890a5d-ac96-774b-bcce-b302099a8057')
const REQUEST = RequestId('01890a5d-ac96-774b-bcce-b302099a8058')
const GROUP: AnswerGroup = {
  from: 0,
  leaders: [REQUEST],
  members: [
    { requestId: REQUEST, kind: 'Query', outcome: 'Succeeded', commandTag: null, rows: 20 },
  ],
  isStartKnown: true,
  hasLateEnd: false,
  goesOn: false,
}
const TEXT = `select '${'long '.repeat(1_000)}'`
const CONTENT: RequestContent = {
  kind: 'Query',
  digest: '',
  ciphertext: Buffer.alloc(0),
  partCount: 3,
  rendering: 'select ?',
  sizeBytes: TEXT.length,
}

const subjectOf = (text: string): Buffer =>
  encodeSubject({
    protocol: 'Postgres',
    kind: 'Query',
    text: Buffer.from(text),
    parameterTypes: [],
    valueTypes: [],
    executes: [],
    parameterFormats: [],
    parameters: [],
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
    copyData: null,
  })
