import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, RequestId, SessionId, uuidv5 } from '@countersign/kernel'
import type { RequestPart, TranscriptRecorded } from '@countersign/contracts'
import { isAskOf } from '../core/asked.ts'
import { ANSWER_BYTES_MAX } from '../core/contents.ts'
import type { SessionRecord } from '../core/session-record.ts'
import { neededOf } from '../core/story.ts'
import { newFollowers } from './followers.ts'

const SESSION = SessionId('01890a5d-ac96-774b-bcce-b302099a8057')
const REQUEST = RequestId('01890a5d-ac96-774b-bcce-b302099a8058')
const PIECE = Buffer.alloc(256 * 1024)
const PIECES = 1_000
const all = { caller: 'ana', before: () => true, fresh: () => true }

// Seen to fail when what waits is counted in records.
test('of readers that take nothing, who keeps most is cut off, and the others are not', async () => {
  const followers = newFollowers({ overview: () => null, read: async () => {} })
  using slow = followers.follow(SESSION, all)
  using quick = followers.follow(SESSION, all)
  await slow.next()
  let count = 0
  for (let number = 0; number < PIECES; number++) {
    followers.tell(transcript(number))
    count += (await quick.next()).records.length
  }
  assert.equal(count, PIECES)
  await slow.changed()
  await assert.rejects(slow.next(), { code: 'CS_REPLAY_BUSY' })
})

// Seen to fail when the one stream with most is cut off, whoever has how many.
test('who keeps much with many streams is cut off before another who keeps more with one', async () => {
  const followers = newFollowers({ overview: () => null, read: async () => {} })
  const cutOff: string[] = []
  const follow = (caller: string, name: string) =>
    followers.follow(SESSION, {
      ...all,
      caller,
      fresh: ({ message }) => message.type === 'TranscriptRecorded' || name === 'ask',
      onCutOff: () => cutOff.push(name),
    })
  using one = follow('agent', 'stream')
  using two = follow('agent', 'stream')
  using three = follow('agent', 'stream')
  using ask = follow('reviewer', 'ask')
  for (const each of [one, two, three, ask]) await each.next()
  // 10 MiB more for the reviewer than for each stream of the agent.
  for (let number = 0; number < 40; number++) followers.tell(part(number, false))
  for (let number = 0; number < 140; number++) followers.tell(transcript(number))
  assert.deepEqual(cutOff, ['stream'])
  assert.equal((await ask.next()).records.length, 180)
})

// Seen to fail when what was there before is not counted, and when what was given is counted no more.
test('what was there before and what was given last counts as what waits', async () => {
  const read = async (onRecord: (record: SessionRecord) => void) => {
    for (let number = 0; number < PIECES / 3; number++) onRecord(transcript(number))
  }
  let cutOff = 0
  const followers = newFollowers({ overview: () => null, read: (_id, onRecord) => read(onRecord) })
  using slow = followers.follow(SESSION, {
    caller: 'ana',
    before: () => true,
    fresh: () => false,
    onCutOff: () => cutOff++,
  })
  using other = followers.follow(SESSION, {
    caller: 'bo',
    before: () => false,
    fresh: () => true,
  })
  assert.ok((await slow.next()).records.length > PIECES / 3)
  await other.next()
  for (let number = 0; number < PIECES / 3; number++) followers.tell(transcript(number))
  assert.equal(cutOff, 1)
  await assert.rejects(slow.next(), { code: 'CS_REPLAY_BUSY' })
  // Its memory is free again, and nobody else is cut off for it.
  for (let number = 0; number < PIECES / 6; number++) followers.tell(transcript(number))
  assert.ok((await other.next()).records.length > PIECES / 2)
})

// Seen to fail when all of a request is taken.
test('before a session is followed no more of an answer is taken than is looked at, and nothing of what is told', async () => {
  const read = async (onRecord: (record: SessionRecord) => void) => {
    for (let number = 0; number < PIECES; number++) {
      onRecord(part(number, false))
      onRecord(transcript(number))
    }
  }
  const followers = newFollowers({ overview: () => null, read: (_id, onRecord) => read(onRecord) })
  using one = followers.follow(SESSION, { ...all, before: neededOf(new Set([REQUEST])) })
  const { records } = await one.next()
  assert.equal(records.length, ANSWER_BYTES_MAX / PIECE.length + 1)
  // The wanted records have a limit, whatever is wanted.
  using greedy = followers.follow(SESSION, all)
  await assert.rejects(greedy.next(), { code: 'CS_REPLAY_BUSY' })
})

// Seen to fail when the answer and the data of the request are wanted too.
test('of a request only what it asks is looked for', () => {
  const wanted = (record: SessionRecord) => isAskOf(record.message, REQUEST)
  assert.deepEqual([part(0, false), part(0, true), transcript(0)].map(wanted), [true, false, false])
})

const common = { sessionId: SESSION, requestId: REQUEST, previousHash: '', at: Instant(0) }

const transcript = (sequence: number) =>
  record({
    type: 'TranscriptRecorded',
    ...common,
    sequence,
    ciphertext: PIECE,
    sizeBytes: PIECE.length,
  })

const part = (index: number, stream: boolean) =>
  record({
    type: 'RequestPart',
    ...common,
    sequence: index,
    index,
    stream,
    ciphertext: PIECE,
    sizeBytes: PIECE.length,
  })

const record = (message: RequestPart | TranscriptRecorded): SessionRecord => ({
  position: { topic: 'sessions', partition: 0, offset: message.sequence },
  id: EventId(uuidv5(SESSION, `${message.type} ${message.sequence}`)),
  causation: null,
  message,
  bytes: PIECE.length,
})
