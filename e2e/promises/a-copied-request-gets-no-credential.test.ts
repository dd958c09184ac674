// Seen to fail when `admit` in services/policy/src/shell/policy-service.ts answers a second request for a session, with and without
// the session key in `sessionAbout` in libs/identity/src/about.ts.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { uuidv7, EventId, InstanceId, SessionId } from '@countersign/kernel'
import { ephemeralKeyPair, thumbprintOf } from '@countersign/identity'
import type { AnyMessage, MessageOf } from '@countersign/contracts'
import { draftOf } from '@countersign/log'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { connectAs, eventsOf, eventually, observe } from '../support/ledger.ts'

const system = await arena('copied-request')
await using log = await observe(system)
/** The connection of a thief who has the Kafka login of a proxy and nothing else. */
const stolen = await connectAs(system, 'proxy')
after(() => stolen[Symbol.asyncDispose]())

const thief = {
  key: JSON.stringify((await ephemeralKeyPair()).publicJwk),
  instanceId: InstanceId(uuidv7(Date.now())),
}
type Requested = MessageOf<'SessionRequested'>

/** The requests that a thief can make out of another proxy's request without being able to read the token in it. */
const COPIES: readonly ((seen: Requested) => Requested)[] = [
  (seen) => seen,
  (seen) => ({ ...seen, sessionKey: thief.key }),
  (seen) => ({ ...seen, instanceId: thief.instanceId }),
  (seen) => ({ ...seen, sessionKey: thief.key, instanceId: thief.instanceId }),
  (seen) => ({ ...seen, sessionId: SessionId(uuidv7(Date.now())), sessionKey: thief.key }),
  (seen) => ({ ...seen, sessionId: SessionId(uuidv7(Date.now())) }),
  (seen) => ({ ...seen, profile: 'shop-dev', sessionKey: thief.key }),
]

const write = (message: AnyMessage, key: string): Promise<unknown> =>
  stolen.append([draftOf(message, { id: EventId(uuidv7(Date.now())), key })])

/** Writes every copy, under the key of its session and under another one, and waits until policy answered a later request. */
async function copied(seen: Requested): Promise<SessionId[]> {
  await write(
    {
      type: 'ProxyEnrolled',
      instanceId: thief.instanceId,
      at: seen.at,
      address: '127.0.0.1:1',
      leaseMs: 60_000,
      publicKey: null,
    },
    thief.instanceId,
  )
  const copies = COPIES.map((copy) => copy(seen))
  for (const copy of copies) {
    await write(copy, copy.sessionId)
    await write(copy, uuidv7(Date.now()))
  }
  const others = copies.map(({ sessionId }) => sessionId).filter((id) => id !== seen.sessionId)
  await eventually('a verdict on each new session', async () => {
    const rejected = await eventsOf(log, 'decisions', 'SessionRejected')
    return others.every((id) => rejected.some(({ sessionId }) => sessionId === id))
  })
  // Any effect of the copies would be there before the admission of a session that is asked for later.
  const after = await psql(system, { profile: 'shop-prod', commands: ['select 42'] })
  assert.match(after.stdout, /42/, after.stderr)
  return others
}

test('what somebody copies with the Kafka login of a proxy gets no credential, while the session lives and after it', async (t) => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  t.after(() => running.signal('SIGKILL'))
  running.type("select 'open';")
  await running.says(/open\s+\(1 row\)/)
  const [seen] = await eventsOf(log, 'sessions', 'SessionRequested')
  assert.ok(seen !== undefined)

  const others = await copied(seen)
  const second = { reader: 'policy', jwe: 'x' }
  await write(
    { type: 'SessionKeySealed', sessionId: seen.sessionId, at: seen.at, recipients: [second] },
    seen.sessionId,
  )
  // The session whose request was copied goes on undisturbed.
  running.type("select 'goes ' || 'on';")
  await running.says(/goes on\s+\(1 row\)/)
  running.type('\\q')
  await running.finish()
  await eventually('the end', async () =>
    (await eventsOf(log, 'credentials', 'CredentialRevoked')).some(
      ({ sessionId }) => sessionId === seen.sessionId,
    ),
  )
  others.push(...(await copied(seen)))

  const ours = await eventsOf(log, 'sessions', 'SessionOpened')
  for (const type of ['CredentialIntended', 'CredentialIssued'] as const) {
    const made = await eventsOf(log, 'credentials', type)
    assert.deepEqual(
      made.map(({ sessionId }) => sessionId).toSorted(),
      ours.map(({ sessionId }) => sessionId).toSorted(),
      `one ${type} for each session that opened`,
    )
    assert.ok(made.every(({ sessionId }) => !others.includes(sessionId)))
  }
  const verdicts = await eventsOf(log, 'decisions', 'SessionAdmitted')
  assert.equal(verdicts.length, ours.length, 'one verdict for each session')
  const admitted = verdicts.find(({ sessionId }) => sessionId === seen.sessionId)
  assert.equal(admitted?.sessionKeyThumbprint, await thumbprintOf(seen.sessionKey))
  assert.equal(admitted?.sessionKey, seen.sessionKey)
})
