import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Citation,
  type Citations,
  cited,
  CITATIONS_WAITING_MAX,
  type Finding,
  forgotten,
  HEADS_MAX,
  noCitations,
  recorded,
  unanswered,
} from './citations.ts'

/** An arrival: an event of the transcript, or an event of the control chain that cites it. */
type Step = (citations: Citations) => Finding[]

const at = (topic: string, offset: number) => ({ topic, partition: 0, offset })
const event =
  (sequence: number, hash = `h${sequence}`): Step =>
  (citations) =>
    recorded(citations, {
      position: at('transcript', sequence),
      length: sequence + 1,
      hash,
      unread: 0,
    })
const citation = (by: Citation['by'], count: number, head?: string): Citation => ({
  by,
  position: at('sessions', 100 + count),
  count,
  head: head ?? (count === 0 ? '' : `h${count - 1}`),
})
const completed =
  (count: number, head?: string): Step =>
  (citations) =>
    cited(citations, citation('RequestCompleted', count, head))
const ended =
  (count: number, head?: string): Step =>
  (citations) =>
    cited(citations, citation('SessionEnded', count, head))

/** The faults that are found, as topic/offset, and the citations that still wait at the end. */
function said(...steps: readonly Step[]) {
  const citations = noCitations()
  const findings = steps.flatMap((step) => step(citations))
  return {
    found: findings.map(({ position }) => `${position.topic}/${position.offset}`),
    waiting: [...citations.waiting].map(({ count }) => count),
  }
}

const FINE = { found: [], waiting: [] }

test('a session that records no results cites an empty transcript', () => {
  assert.deepEqual(said(completed(0), completed(0), ended(0)), FINE)
  assert.deepEqual(said(completed(0, 'forged'), ended(0)), { found: ['sessions/100'], waiting: [] })
})

test('in whatever order the two topics come, true citations are found true', () => {
  const control = [completed(0), completed(2), completed(2), completed(3), ended(5)]
  const transcript = [event(0), event(1), event(2), event(3), event(4)]
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), (turns) => {
      const [a, b] = [[...control], [...transcript]]
      const steps = turns.flatMap((turn) => (turn ? a : b).splice(0, 1))
      assert.deepEqual(said(...steps, ...a, ...b), FINE)
    }),
  )
})

test('in whatever order the two topics come, one false citation is found false once', () => {
  const control = [completed(1), completed(3, 'forged'), ended(4)]
  const transcript = [event(0), event(1), event(2), event(3)]
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }), (turns) => {
      const [a, b] = [[...control], [...transcript]]
      const steps = turns.flatMap((turn) => (turn ? a : b).splice(0, 1))
      assert.deepEqual(said(...steps, ...a, ...b), { found: ['sessions/103'], waiting: [] })
    }),
  )
})

test('a transcript that was written anew is not the one that was cited', () => {
  const forged = [event(0, 'x0'), event(1, 'x1')]
  assert.deepEqual(said(...forged, ended(2)).found, ['sessions/102'])
  assert.deepEqual(said(ended(2), ...forged).found, ['sessions/102'])
})

test('a transcript without an event that was cited is found wrong', () => {
  assert.deepEqual(said(event(0), event(2), completed(2), ended(3)).found, ['sessions/102'])
})

test('events after the end of the transcript are found wrong, whichever comes first', () => {
  assert.deepEqual(said(event(0), event(1), ended(1)).found, ['sessions/101'])
  assert.deepEqual(said(event(0), ended(1), event(1)).found, ['transcript/1'])
  assert.deepEqual(said(ended(1), event(0), event(1)).found, ['transcript/1'])
})

test('a citation waits for its transcript, and says what is missing when nothing more can come', () => {
  assert.deepEqual(said(event(0), completed(1), completed(2), ended(3)).waiting, [2, 3])
  const citations = noCitations()
  event(0)(citations)
  const { position, reason } = unanswered(citations, citation('SessionEnded', 3))
  assert.deepEqual(position, at('sessions', 103))
  assert.match(reason, /cites 3 transcript events, but only 1 came/)
})

test('only the hashes that can still be cited are kept', () => {
  const citations = noCitations()
  for (const step of [event(0), event(1), event(2), completed(3), event(3)]) step(citations)
  assert.deepEqual([...citations.heads.keys()], [3, 4])
})

/** Seen to fail when nothing is forgotten. */
test('of a transcript that nothing cites no more than the last hashes are kept, and that is said once', () => {
  const citations = noCitations()
  for (let sequence = 0; sequence < HEADS_MAX + 10; sequence++) event(sequence)(citations)
  assert.equal(citations.heads.size, HEADS_MAX)
  const [finding, ...others] = [completed(3), completed(4), completed(HEADS_MAX)].flatMap((step) =>
    step(citations),
  )
  assert.deepEqual([finding?.position, others], [at('sessions', 103), []])
  assert.match(finding?.reason ?? '', /not compared/)
  assert.deepEqual(
    completed(HEADS_MAX + 5, 'forged')(citations).map(({ position }) => position.offset),
    [HEADS_MAX + 105],
  )
})

test('of citations whose transcript does not come no more than a number wait, and that is said once', () => {
  const citations = noCitations()
  const findings: Finding[] = []
  for (let count = 1; count <= CITATIONS_WAITING_MAX + 10; count++)
    findings.push(...completed(count)(citations))
  assert.equal(citations.waiting.size, CITATIONS_WAITING_MAX)
  assert.deepEqual(
    findings.map(({ position }) => position.offset),
    [101],
  )
})

test('what is forgotten to make room is not compared, which is said once, and later citations are', () => {
  const citations = noCitations()
  for (const step of [event(0), event(1), event(2)]) step(citations)
  assert.deepEqual(forgotten(citations), [])
  assert.equal(citations.heads.size, 1)
  const findings = [completed(1), completed(2), completed(3), completed(4)].flatMap((step) =>
    step(citations),
  )
  assert.deepEqual(
    findings.map(({ position }) => position.offset),
    [101],
  )
  assert.match(findings[0]?.reason ?? '', /not compared/)
  assert.deepEqual([forgotten(citations), citations.waiting.size], [[], 0], 'it was said before')
  assert.deepEqual([...event(3)(citations), ...completed(4)(citations)], [])
  assert.deepEqual(
    completed(4, 'forged')(citations).map(({ position }) => position.offset),
    [104],
  )
})
