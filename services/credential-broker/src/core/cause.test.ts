import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyMessage } from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import { causeOf, stepName } from './cause.ts'
import { newCredentials, nextStep, noted } from './credential.ts'
import {
  admitted,
  alter,
  completed,
  ended,
  granted,
  intended,
  lowered,
  opened,
  owner,
  raised,
  reviewed,
  role,
  session,
  update,
} from './examples.ts'

const lentFor = (request: typeof alter) => [
  reviewed(request, owner),
  granted(request, owner),
  raised(request, owner),
]
const over = [completed(alter, 'Idle'), lowered(alter, owner)]

const HISTORIES: Readonly<Record<string, readonly AnyMessage[]>> = {
  intend: [admitted()],
  issue: [admitted(), intended(role)],
  [`raise/${alter}`]: [...opened, reviewed(alter, owner), granted(alter, owner)],
  [`refuse/${alter}`]: [...opened, reviewed(alter, owner), granted(alter, owner, 'other bytes')],
  [`lower/${alter}`]: [...opened, ...lentFor(alter), completed(alter, 'Idle')],
  [`lower/${update}`]: [
    ...opened,
    ...lentFor(alter),
    ...over,
    ...lentFor(update),
    completed(update, 'Idle'),
  ],
  revoke: [...opened, ended()],
}

for (const [name, history] of Object.entries(HISTORIES)) {
  test(`the step that is asked for is named ${name.replaceAll(/\/.*/g, ' and its request')}`, () => {
    assert.equal(nameAfter(history), name)
  })
}

test('the same facts give the same cause, each step and each session its own', () => {
  const other = SessionId('00000000-0000-7000-8000-0000000000ab')
  const causes = () =>
    [session, other].flatMap((id) =>
      Object.values(HISTORIES).map((history) => causeOf(id, nameAfter(history) ?? '')),
    )
  assert.deepEqual(causes(), causes())
  assert.equal(new Set(causes()).size, 2 * Object.keys(HISTORIES).length)
})

test('the id of a cause never changes: what is in the log was made with it', () => {
  const known = SessionId('01890000-0000-7000-8000-0000000000aa')
  assert.equal(causeOf(known, 'intend'), '042636b0-53f9-5dc0-8b91-577726f7052e')
})

function nameAfter(history: readonly AnyMessage[]): string | null {
  const state = newCredentials(3, Instant(0))
  for (const message of history) noted(state, message)
  const step = nextStep(state, session, () => false)
  return step === null ? null : stepName(step)
}
