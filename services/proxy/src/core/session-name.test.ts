import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SessionId } from '@countersign/kernel'
import { applicationName, namesAnother } from './session-name.ts'

const ID = SessionId('0192f000-0000-7000-8000-000000000001')
const OTHER = 'countersign/0192f000-0000-7000-8000-000000000002'

const NAMES: Readonly<Record<string, string>> = {
  '': `countersign/${ID}`,
  psql: `countersign/${ID} psql`,
  [OTHER]: `countersign/${ID} countersign?01`,
  [` Countersign/${'x'.repeat(80)}`]: `countersign/${ID}  Countersign?`,
  [`x ${OTHER}`]: `countersign/${ID} x countersign`,
  [`[${OTHER}`]: `countersign/${ID} [countersign?`,
  [`-${OTHER} ${OTHER}`]: `countersign/${ID} -countersign`,
  'team/psql': `countersign/${ID} team/psql`,
  'a\nb': `countersign/${ID} a?b`,
}

for (const [name, expected] of Object.entries(NAMES)) {
  test(`an agent that calls itself ${JSON.stringify(name.slice(0, 20))} is found by its session`, () => {
    const said = applicationName(ID, name)
    assert.equal(said.slice(0, expected.length), expected.slice(0, said.length))
  })
}

test('no name of an agent takes the place of its session, or names another one', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.tuple(fc.string(), fc.string()).map(([begin, end]) => begin + OTHER + end),
      ),
      (name) => {
        const said = applicationName(ID, name)
        assert.ok(said.startsWith(`countersign/${ID}`))
        assert.equal(said.toLowerCase().lastIndexOf('countersign/'), 0)
        assert.ok(Buffer.byteLength(said) <= 63)
      },
    ),
  )
})

const REPORTED: Readonly<Record<string, boolean>> = {
  '': false,
  psql: false,
  [`countersign/${ID}`]: false,
  [`countersign/${ID} team/psql`]: false,
  [OTHER]: true,
  [`x ${OTHER}`]: true,
  [`[Countersign/${'0'.repeat(8)}`]: true,
  [`countersign/${ID} ${OTHER}`]: true,
  [`x countersign/${ID}`]: true,
}

for (const [name, another] of Object.entries(REPORTED)) {
  test(`${JSON.stringify(name)} ${another ? 'names another' : 'names no other'} session`, () => {
    assert.equal(namesAnother(ID, name), another)
  })
}
