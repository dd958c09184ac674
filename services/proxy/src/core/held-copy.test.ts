import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { loadStatements } from '@countersign/statements'
import { heldCopy } from './held-copy.ts'
import { planned } from './pipeline-plan.ts'
import { requests } from './requests-under-test.ts'
import { noNames } from './statement-names.ts'

before(loadStatements)

const COPY = 'copy t from stdin'
const { bind, describe: describes, execute, flush, parse, query, sync, close } = toServer

/** Of the last request of a pipeline: the messages that are answered first, and those that the target gets. */
function tags(...frames: Uint8Array[]): string | null {
  const messages = requests(...frames)
  const ask = planned(messages, noNames()).asks.at(-1)
  assert.ok(ask)
  const held = heldCopy(messages, ask, noNames())
  if (held === null) return null
  return [held.answered, held.messages].map((each) => each.map(({ tag }) => tag).join()).join(' | ')
}

describe('a COPY whose data can be taken before the target hears of it', () => {
  const held: [string, Uint8Array[], string][] = [
    ['a simple query', [query(COPY)], ' | Query'],
    ['behind another request', [parse('', 'select 1'), query(COPY)], ' | Query'],
    [
      'all of the extended protocol, as libpq sends it',
      [parse('', COPY), bind(), describes('portal'), execute(), sync()],
      'Parse,Bind,Describe | Bind,Execute',
    ],
    [
      'with a description of the statement, and Flush for Sync',
      [parse('s', COPY), describes('statement', 's'), bind({ statement: 's' }), execute(), flush()],
      'Parse,Describe,Bind | Bind,Execute',
    ],
    ['not waited for yet', [parse('', COPY), bind(), execute()], 'Parse,Bind | Bind,Execute'],
  ]
  for (const [name, frames, expected] of held)
    test(name, () => assert.equal(tags(...frames), expected))
})

describe('no data are asked for', () => {
  const refused: [string, Uint8Array[]][] = [
    ['for another statement', [query('select 1')]],
    ['for several statements', [query(`${COPY}; select 1`)]],
    ['for a COPY TO', [query('copy t to stdout')]],
    ['for a preparation', [parse('', COPY), sync()]],
    ['for a Bind that nothing executes', [parse('', COPY), bind(), sync()]],
    [
      'where more than a Sync comes behind it',
      [parse('', COPY), bind(), execute(), close('portal'), sync()],
    ],
    [
      'where another statement is described amid it',
      [parse('s', COPY), describes('statement', 'x'), bind({ statement: 's' }), execute(), sync()],
    ],
    [
      'where its portal is described before it is bound',
      [parse('s', COPY), describes('portal'), bind({ statement: 's' }), execute(), sync()],
    ],
    [
      'where another portal is described amid it',
      [parse('', COPY), bind(), describes('portal', 'x'), execute(), sync()],
    ],
    [
      'where a Close stands in it',
      [parse('s', COPY), close('portal'), bind({ statement: 's' }), execute(), sync()],
    ],
  ]
  for (const [name, frames] of refused) test(name, () => assert.equal(tags(...frames), null))

  test('where the name of the statement is taken', () => {
    const frames = [parse('s', COPY), bind({ statement: 's' }), execute(), sync()]
    const messages = requests(...frames)
    const names = noNames()
    const [earlier] = requests(parse('s', 'select 1'))
    assert.ok(earlier?.tag === 'Parse')
    names.statements.set('s', earlier)
    const [ask] = planned(messages, names).asks
    assert.ok(ask)
    assert.equal(heldCopy(messages, ask, names), null)
    assert.notEqual(heldCopy(messages, ask, noNames()), null)
  })
})
