import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeSubject, type RequestContent } from '@countersign/contracts'
import { newDataKey } from '@countersign/identity'
import { Instant, RequestId, SessionId } from '@countersign/kernel'
import { newContents } from './contents.ts'

test('a statement of several records is shown whole, in whatever order they are seen; without one of them, its rendering', () => {
  const key = newDataKey()
  const sealed = key.encrypt(subjectOf(TEXT))
  // As the proxy does it: encrypted as a whole, then cut.
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

const SESSION = SessionId('01890a5d-ac96-774b-bcce-b302099a8057')
const REQUEST = RequestId('01890a5d-ac96-774b-bcce-b302099a8058')
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
