import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import type { Entry } from './entry.ts'
import { newOverview } from './overview.ts'
import type { SessionMessage, SessionRecord } from './session-record.ts'
import { STEP } from './steps.ts'
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
    assert.deepEqual([...story.told(session, [transcript(number)], null)].flat(), [])
    assert.equal(story.bytes(), 0)
  }
  // Of one that is not over it is kept.
  assert.deepEqual([...story.told(session, [transcript(REQUESTS)], null)].flat(), [])
  assert.ok(story.bytes() > 0)
})

// Seen to fail when a burst is folded, placed, sorted or forgotten in one go.
test('a burst of any length is told in order, in steps that look at few of its records', () => {
  const story = newStory(isAnswered)
  let looks = 0
  const burst = Array.from({ length: 20 * STEP }, (_, index): SessionRecord => {
    // Neither by offset nor by time in order.
    const number = (index * 7_919) % (20 * STEP)
    const made = refused(number)
    return {
      ...made,
      get message() {
        looks++
        return made.message
      },
      get position() {
        looks++
        return made.position
      },
    }
  })
  let mostLooks = 0
  const told: Entry[] = []
  for (const entries of story.told(newOverview(SESSION), burst, null)) {
    mostLooks = Math.max(mostLooks, looks)
    looks = 0
    told.push(...entries)
  }
  assert.ok(mostLooks < 60 * STEP, `${mostLooks} looks in one step`)
  const moments = told.map(({ at }) => at)
  assert.equal(moments.length, burst.length)
  assert.deepEqual(moments, moments.toSorted())
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
