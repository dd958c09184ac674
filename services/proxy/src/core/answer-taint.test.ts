import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AnswerTaint,
  cursorAnswered,
  type Cursors,
  cursorUsed,
  UNTAINTED,
} from './answer-taint.ts'

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
