import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bind, toServer } from '@countersign/postgres-wire'
import {
  type AnswerTaint,
  cursorAnswered,
  type Cursors,
  cursorUsed,
  inDoubt,
  type PortalAnswer,
  portalAnswer,
  UNTAINTED,
} from './answer-taint.ts'
import { requests } from './requests-under-test.ts'

const use = (
  cursorUse: string,
  cursor: string | null = 'c',
  some: Partial<AnswerTaint> = {},
): AnswerTaint => ({
  ...UNTAINTED,
  ...some,
  cursor,
  cursorUse,
})
const FETCH = use('fetch', 'c', { isTainted: true })

/** Each use in order; a number confirms the request of that place. */
function fetched(...uses: (AnswerTaint | number)[]): AnswerTaint {
  const cursors: Cursors = new Map()
  for (const [request, one] of uses.entries())
    if (typeof one === 'number') cursorAnswered(cursors, one, true)
    else cursorUsed(cursors, one, request)
  return cursorUsed(cursors, FETCH, 99)
}

test('a cursor shows what it was declared for', () => {
  assert.equal(fetched(use('declare'), 0).isTainted, false)
  const tainted = fetched(use('declare', 'c', { isTainted: true, plainColumns: [2] }), 0)
  assert.deepEqual([tainted.isTainted, tainted.plainColumns], [true, [2]])
  assert.equal(fetched(use('hold'), 0, use('commit', null)).isTainted, false)
  assert.equal(fetched(use('declare'), 0, use('close', 'other')).isTainted, false)
})

test('whatever else may have the name is in doubt', () => {
  for (const uses of [
    [],
    [use('declare')],
    [use('declare', 'C'), 0],
    [use('declare'), 0, use('close')],
    [use('declare'), 0, use('commit', null)],
    [use('declare'), 0, use('clear', null)],
    [use('hold'), 0, use('clear', null)],
    [use('declare'), 0, use('close'), use('declare', 'c', { isTainted: true })],
    [use('declare'), 0, use('declare', 'c', { isTainted: true })],
  ])
    assert.equal(fetched(...uses).isTainted, true, JSON.stringify(uses))
  const cursors: Cursors = new Map()
  cursorUsed(cursors, use('declare'), 0)
  cursorAnswered(cursors, 0, false)
  assert.equal(cursorUsed(cursors, FETCH, 1).isTainted, true)
})

// Seen to fail when `portalAnswer` gives what policy says now alone, and when it leaves out that the masks are others since,
// or that it was in doubt.
test('a portal shows what it was bound to, also where names stand for others since', () => {
  const [bind] = requests(toServer.bind({ portal: 'p' }))
  assert.ok(bind?.tag === 'Bind')
  const masked = { ...UNTAINTED, isTainted: true, plainColumns: [1, 2] }
  const plain = { ...UNTAINTED, plainColumns: [2, 3] }
  const shown = (
    then: Partial<PortalAnswer>,
    now: Partial<PortalAnswer>,
  ): Pick<AnswerTaint, 'isTainted' | 'plainColumns'> => {
    const known = new WeakMap<Bind, PortalAnswer>()
    const counts = { changes: 0, planChanges: 0 }
    const first = portalAnswer(known, bind, { answer: plain, ...counts, ...then })
    assert.deepEqual(first, then.answer ?? plain)
    const { isTainted, plainColumns } = portalAnswer(known, bind, {
      ...{ answer: plain, ...counts },
      ...now,
    })
    return { isTainted, plainColumns }
  }
  const asNow = { isTainted: false, plainColumns: [2, 3] }
  assert.deepEqual(shown({ answer: masked }, {}), asNow, 'decided anew, of the same names')
  assert.deepEqual(shown({ answer: masked }, { changes: 1 }), {
    isTainted: true,
    plainColumns: [2],
  })
  assert.deepEqual(shown({}, { answer: masked, changes: 1 }), {
    isTainted: true,
    plainColumns: [2],
  })
  assert.deepEqual(shown({}, { changes: 1 }), asNow)
  assert.deepEqual(shown({}, { changes: 1, planChanges: 1 }), { isTainted: true, plainColumns: [] })
  assert.deepEqual(shown({}, { planChanges: 1 }), asNow)
  const doubtful = { ...inDoubt(masked), viewsInDoubt: new Set([7]) }
  assert.deepEqual(shown({ answer: doubtful }, {}), { isTainted: true, plainColumns: [] })
})
