// Seen to fail when what is made without people passes while a privilege is raised, and when long texts are judged by their
// effects although policy tells what they do to their transaction.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { isEndTold, loadStatements, transactionTurn } from '@countersign/statements'
import { keepsRaised, makesUnreviewed, noteEnd } from './next-transaction.ts'
import type { RequestDecision } from './requests.ts'
import type { Session } from './session-state.ts'

before(loadStatements)

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

const LONG = 'x'.repeat(20_000)
/** Texts, and whether they are refused that would raise a privilege, and where one is raised; and whether that has ended behind them. */
const KEEPING: readonly (readonly [
  sql: string,
  raising: boolean,
  raised: boolean,
  ended: boolean,
])[] = [
  ["begin; update t set a = '~'; commit", false, false, true],
  ["begin; update t set a = '~'; rollback; --~", false, false, true],
  ["/*~*/ begin; savepoint s; update t set a = '~'; rollback to s; commit", false, false, true],
  ["savepoint s; update t set a = '~'; release s", false, false, false],
  ["begin; update t set a = '~'", false, false, false],
  ["update t set a = '~'; commit; select 1", false, true, true],
  ["update t set a = '~'; commit and chain", true, true, true],
  ["rollback /*~*/ and chain; update t set a = '~'", true, true, true],
  ["commit; begin; update t set a = '~'", true, true, true],
  ["update t set a = '~'", false, false, false],
]

test('what a text does to its transaction counts alike whether it is long or short', () => {
  for (const [text, raising, raised, ended] of KEEPING)
    for (let at = 0; at < text.split('~').length; at++) {
      const sql = text
        .split('~')
        .map((part, n) => (n > 0 && n === at ? LONG : '') + part)
        .join('')
      const short = text.replaceAll('~', '')
      const control = /begin|commit|rollback|savepoint/.test(text)
        ? [{ effect: 'transaction' }]
        : []
      const told = {
        turn: transactionTurn(short) ?? 'None',
        endTold: isEndTold(short),
        ...{ prepares: null, executes: null },
      }
      const longText = at === 0 ? null : told
      const asked = { ask: { sql, kind: 'Query' } } as unknown as Parameters<typeof keepsRaised>[1]
      const held = {
        type: 'ReviewRequired',
        effects: [...control, { effect: 'write' }],
        raise: ['owner'],
        longText,
      } as unknown as Parameters<typeof keepsRaised>[2]
      const isKept = (of: Session): boolean => keepsRaised(of, asked, held) !== null
      const inRaised = session(true, false)
      const name = `${at} of ${text}`
      assert.deepEqual([isKept(session(false, false)), isKept(inRaised)], [raising, raised], name)
      noteEnd(inRaised, asked, held)
      assert.equal(inRaised.hasEndedRaised === true, ended, name)
      // From a policy that tells nothing, it may keep the privilege.
      if (at > 0 && control.length > 0)
        assert.ok(keepsRaised(session(false, false), asked, { ...held, longText: null }) !== null)
    }
})
