// Seen to fail when `noteReleased` takes every request for one on rows, when `notePath` forgets no text, and when `guardText`
// does not look at what failed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guardText, newPathGuard, notePath, noteReleased, type PathGuard } from './path-guard.ts'

const A = { setting: 'a', schemas: '["a"]' }
const INSERT = { kind: 'Execute', text: Buffer.from('insert into t values ($1)') } as const
const ON_ROWS = {
  effects: [{ effect: 'write', schema: 'a', table: 't' }],
  changesState: false,
  takesCopyData: false,
  cursorUse: null,
}

test('a guard follows a text behind which the path was asked for and was the same', () => {
  const guard = newPathGuard()
  noteReleased(guard, INSERT, ON_ROWS)
  assert.equal(guardText(guard), null)
  notePath(guard, A, false)
  assert.match(guardText(guard) ?? '', /E'a'[^]*E'\["a"\]'/)
  noteReleased(guard, { ...INSERT, text: Buffer.from('insert into u values ($1)') }, ON_ROWS)
  assert.equal(guardText(guard), null)
})

const REFUSED: Readonly<Record<string, (guard: PathGuard) => void>> = {
  'a text behind which the path moved': (guard) => notePath(guard, A, true),
  'what may change the state of the session': (guard) =>
    noteReleased(guard, INSERT, { ...ON_ROWS, changesState: true }),
  'a COPY, whose data come behind it': (guard) =>
    noteReleased(guard, INSERT, { ...ON_ROWS, takesCopyData: true }),
  'a cursor': (guard) => noteReleased(guard, INSERT, { ...ON_ROWS, cursorUse: 'fetch' }),
  'the end of a transaction': (guard) =>
    noteReleased(guard, INSERT, {
      ...ON_ROWS,
      effects: [{ effect: 'transaction', schema: null, table: null }],
    }),
  'a simple query': (guard) => noteReleased(guard, { ...INSERT, kind: 'Query' }, ON_ROWS),
  'a path that is written otherwise by now': (guard) => (guard.known = null),
  'a guard that failed, in this session': (guard) => (guard.hasFailed = true),
}

for (const [what, happens] of Object.entries(REFUSED))
  test(`no guard follows ${what}`, () => {
    const guard = newPathGuard()
    noteReleased(guard, INSERT, ON_ROWS)
    notePath(guard, A, false)
    happens(guard)
    // No guard, whatever else was learned before.
    assert.equal(guardText(guard), null)
  })

test('the value of a path is no SQL', () => {
  const guard = newPathGuard()
  noteReleased(guard, INSERT, ON_ROWS)
  notePath(guard, { setting: `"a'", '\\'`, schemas: `["a'"]` }, false)
  assert.match(guardText(guard) ?? '', /E'"a\\'", \\'\\\\\\''/)
})

test('a session remembers a thousand texts, and asks behind the others', () => {
  const guard = newPathGuard()
  for (let index = 0; index <= 1_000; index++) {
    noteReleased(guard, { ...INSERT, text: Buffer.from(`insert into t${index}`) }, ON_ROWS)
    notePath(guard, A, false)
  }
  assert.equal(guard.keeping.size, 1_000)
  assert.equal(guardText(guard), null)
})
