// Seen to fail when what is made without people passes while a privilege is raised.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makesUnreviewed } from './next-transaction.ts'
import type { RequestDecision } from './requests.ts'
import type { Session } from './session-state.ts'

const session = (isRaised: boolean, mayCreate: boolean): Session =>
  ({ raised: isRaised ? {} : null, profile: { mayCreate } }) as unknown as Session
const decision = (type: RequestDecision['type'], effect: string): RequestDecision =>
  ({ type, effects: [{ effect: 'read' }, { effect }] }) as unknown as RequestDecision

test('while a privilege is raised nothing is made that people did not approve', () => {
  const code = (...[raised, mayCreate, type, effect]: Parameters<typeof asked>): string | null =>
    asked(raised, mayCreate, type, effect)?.code ?? null
  for (const effect of ['schema-change', 'opaque'])
    assert.equal(code(true, true, 'RequestAllowed', effect), 'CS_PRIVILEGE_MISMATCH', effect)
  assert.equal(code(true, true, 'RequestAllowed', 'write'), null)
  assert.equal(code(true, true, 'ReviewRequired', 'schema-change'), null)
  assert.equal(code(false, true, 'RequestAllowed', 'schema-change'), null)
  // A base role that may not create makes nothing.
  assert.equal(code(true, false, 'RequestAllowed', 'opaque'), null)
})

const asked = (
  isRaised: boolean,
  mayCreate: boolean,
  type: RequestDecision['type'],
  effect: string,
) => makesUnreviewed(session(isRaised, mayCreate), decision(type, effect))
