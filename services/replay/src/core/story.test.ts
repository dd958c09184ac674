import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import { newOverview } from './overview.ts'
import type { SessionMessage, SessionRecord } from './session-record.ts'
import { isAnswered, newStory } from './story.ts'

const SESSION = SessionId('01890a5d-ac96-774b-bcce-b302099a8057')
const REQUESTS = 3_000

// Seen to fail when the transcript of a request that is over is taken.
test('of a request that is over nothing is kept, whatever comes of it later', () => {
  const story = newStory(isAnswered)
  const session = newOverview(SESSION)
  for (let number = 0; number < REQUESTS; number++) {
    const told = [...story.told(session, [refused(number)], null)].flat()
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['refused'],
    )
    assert.deepEqual([...story.told(session, [transcript(number)], null)], [])
    assert.equal(story.bytes(), 0)
  }
  // Of one that is not over it is kept.
  assert.deepEqual([...story.told(session, [transcript(REQUESTS)], null)], [])
  assert.ok(story.bytes() > 0)
})

const common = (number: number) => ({
  sessionId: SESSION,
  sequence: number,
  previousHash: '',
  at: Instant(number),
  requestId: RequestId(uuidv5(SESSION, `request ${number}`)),
})

const refused = (number: number): SessionRecord =>
  record('sessions', number, {
    type: 'RequestRefused',
    ...common(number),
    code: 'CS_REQUEST_BLOCKED',
    sqlState: '42C01',
    reason: 'no',
    decisionId: null,
  })

const transcript = (number: number): SessionRecord =>
  record('transcript', number, {
    type: 'TranscriptRecorded',
    ...common(number),
    ciphertext: Buffer.alloc(100),
    sizeBytes: 100,
  })

const record = (topic: string, offset: number, message: SessionMessage): SessionRecord => ({
  position: { topic, partition: 0, offset },
  id: EventId(uuidv5(SESSION, `${topic} ${offset}`)),
  causation: null,
  message,
  bytes: 100,
})
