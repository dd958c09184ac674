import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { AnyMessage } from '@countersign/contracts'
import { type Clock, EventId, Instant, Problem, uuidv7 } from '@countersign/kernel'
import { consequenceId, draftOf } from '@countersign/log'
import { type InMemoryLog, inMemoryLog } from '@countersign/log/in-memory'
import { causeOf } from '../core/cause.ts'
import { admitted, ended, intended, issued, profile, session } from '../core/examples.ts'
import { serveBroker } from './serve-broker.ts'
import type { TargetAdmins } from './target-admin.ts'

let log: InMemoryLog
let nowMs: number
/** The time that passes between two looks at the clock. */
let tickMs: number
const clock: Clock = { now: () => Instant(0), monotonicMs: () => (nowMs += tickMs) }
const silent = { debug() {}, info() {}, warn() {}, error() {} }

beforeEach(() => {
  log = inMemoryLog()
  nowMs = 0
  tickMs = 0
})
afterEach(() => log[Symbol.asyncDispose]())

test('an admission that was there before the broker is answered, with ids that its steps give', async () => {
  await append(admitted())
  const target = unreachable()
  await using _broker = await serveBroker({ log, logger: silent, clock, admins: target.admins })
  await written('CredentialRevoked')
  const ids = log
    .records('credentials')
    .map((record) => record.status === 'understood' && record.id)
  assert.deepEqual(ids, [
    consequenceId(causeOf(session, 'intend'), 'CredentialIntended', 0),
    consequenceId(causeOf(session, 'issue'), 'CredentialFailed', 0),
    consequenceId(causeOf(session, 'revoke'), 'CredentialRevoked', 0),
  ])
  // Nothing was made at the target, so it is not asked again: a wrong profile leaves no revocation behind.
  assert.equal(target.times(), 1)
})

/** Seen to fail when only the steps of this process say whether something was made. */
test('a role that a process before this one may have made is looked for, also when nothing can be made now', async () => {
  await append(admitted(), intended('cs_shop_prod_0'))
  const target = unreachable()
  await using _broker = await serveBroker({ log, logger: silent, clock, admins: target.admins })
  await written('CredentialFailed')
  const [failed] = log
    .records('credentials')
    .flatMap((record) => (record.status === 'understood' ? [record.message] : []))
    .filter(({ type }) => type !== 'CredentialIntended')
  assert.equal(failed?.type === 'CredentialFailed' ? failed.leftNothing : null, false)
  // It is asked twice: to make the role, and to take it back.
  await target.asked(2)
})

test('a profile that is defined anew is used at once for a revocation that failed with the old one', async () => {
  await append(admitted(), intended('cs_shop_prod_0'), issued('cs_shop_prod_0'), ended())
  const seen: string[] = []
  const failedOnce = Promise.withResolvers<void>()
  const usedNew = Promise.withResolvers<void>()
  const admins: TargetAdmins = {
    on(of) {
      seen.push(of.version)
      if (of.version === 'v2') usedNew.resolve()
      failedOnce.resolve()
      return Promise.reject(new Problem('CS_CREDENTIAL_FAILED', 'the secret is not there'))
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  await using _broker = await serveBroker({ log, logger: silent, clock, admins })
  await failedOnce.promise
  const definition = {
    type: 'ConnectionProfileDefined',
    name: profile.name,
    version: 'v2',
    profile: { ...profile, version: 'v2' },
    author: 'olga',
    at: Instant(0),
    signature: null,
  } as const
  await log.append([draftOf(definition, { id: EventId(uuidv7(Date.now())), key: profile.name })])
  // The clock stands still: without the definition the pause of the revocation would never be over.
  await usedNew.promise
  assert.ok(seen.includes('v1'))
})

test('a lease that nobody renews is acted on, and again while that fails', async () => {
  await append(admitted(), intended('cs_shop_prod_0'), issued('cs_shop_prod_0'))
  const target = unreachable()
  await using _broker = await serveBroker({ log, logger: silent, clock, admins: target.admins })
  tickMs = 1_000
  await target.asked(2)
})

async function append(...messages: readonly AnyMessage[]): Promise<void> {
  const id = () => EventId(uuidv7(Date.now()))
  await log.append(messages.map((message) => draftOf(message, { id: id(), key: session })))
}

/** Resolves when the broker has written a message of this type. */
async function written(type: AnyMessage['type']): Promise<void> {
  const seen = Promise.withResolvers<void>()
  await using _reader = await log.read({
    topics: ['credentials'],
    from: 'beginning',
    onRecords: (records) => {
      for (const record of records)
        if (record.status === 'understood' && record.message.type === type) seen.resolve()
    },
  })
  await seen.promise
}

/** A target that does not answer, and the number of times that it was asked. */
function unreachable(): {
  admins: TargetAdmins
  asked(times: number): Promise<void>
  times(): number
} {
  let count = 0
  let heard = Promise.withResolvers<void>()
  return {
    admins: {
      on: () => {
        count++
        heard.resolve()
        return Promise.reject(new Problem('CS_TARGET_UNREACHABLE', 'nobody answers'))
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    times: () => count,
    async asked(times) {
      while (count < times) {
        await heard.promise
        heard = Promise.withResolvers()
      }
    },
  }
}
