import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { applied, emptyCatalog, policyVersionOf } from '@countersign/catalog'
import type { AnyMessage, MessageOf, ReviewsMessage } from '@countersign/contracts'
import {
  PURPOSES,
  ephemeralKeyPair,
  openerWith,
  type Sealer,
  sealerTo,
  tokenVerifier,
  voteAbout,
} from '@countersign/identity'
import {
  type Clock,
  EventId,
  type Instant,
  SessionId,
  systemClock,
  uuidv7,
} from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { type InMemoryLog, inMemoryLog } from '@countersign/log/in-memory'
import { type TestIssuer, testIssuer } from '@countersign/testing'
import { chain, requestId, reviewOf, sessionId, stage } from '../core/examples.ts'
import { type ApprovalHost, serveApproval } from './serve-approval.ts'
import { voterReader, type VoterReader } from './voter.ts'

describe('approval on a log', { timeout: 180_000 }, () => {
  let issuer: TestIssuer
  let seal: Sealer
  let read: (clock: Clock) => VoterReader

  before(async () => {
    issuer = await testIssuer()
    const keys = await ephemeralKeyPair()
    seal = await sealerTo(keys.publicJwk, PURPOSES.reviewToken)
    const open = await openerWith(keys.privateJwk, PURPOSES.reviewToken)
    const verify = tokenVerifier(issuer)
    read = (clock) => voterReader({ open, verify, clock })
  })
  after(() => issuer[Symbol.asyncDispose]())

  it('grants after the votes of two people, also when it is restarted between them', async () => {
    await using log = inMemoryLog({ partitions: 1 })
    await applyReviewers(log)
    const first = await start(log)
    await append(log, { ...reviewOf(quorum), at: systemClock.now() })
    await append(log, await countersign('ana', 'prod-reviewers'))
    await events(log, 2)
    await first[Symbol.asyncDispose]()

    await using _second = await start(log)
    await append(log, await countersign('ana', 'prod-reviewers'))
    await append(log, await countersign('kim', 'staging-reviewers'))
    await append(log, await countersign('bo', 'prod-reviewers'))
    assert.deepEqual((await events(log, 6)).map(named), [
      'ApprovalRequested',
      'Countersigned ana',
      'CountersignatureRefused ana AlreadySigned',
      'CountersignatureRefused kim WrongEnvironment',
      'Countersigned bo',
      'ApprovalGranted ana,bo',
    ])
  })

  it('decides nothing twice when it is started again', async () => {
    await using log = inMemoryLog({ partitions: 1 })
    await append(log, reviewOf(quorum))
    await append(log, await countersign('ana', 'prod-reviewers'))
    const first = await start(log)
    await events(log, 2)
    await first[Symbol.asyncDispose]()
    const second = await start(log)
    await append(log, await deny('bo', 'prod-reviewers'))
    assert.deepEqual((await events(log, 3)).map(named), [
      'ApprovalRequested',
      'Countersigned ana',
      'ApprovalDenied bo',
    ])
    await second[Symbol.asyncDispose]()
  })

  it('keeps a deadline that passes while it is stopped', async () => {
    await using log = inMemoryLog({ partitions: 1 })
    const first = await start(log)
    await append(log, reviewOf(quorum))
    const [requested] = await events(log, 1)
    await first[Symbol.asyncDispose]()
    assert.ok(requested?.type === 'ApprovalRequested')
    const { deadline } = requested

    await using _second = await start(log, at(deadline))
    assert.deepEqual((await events(log, 2)).map(named), ['ApprovalRequested', 'ApprovalExpired'])
  })

  it('withdraws what waits when the session ends, and asks nobody about it afterwards', async () => {
    await using log = inMemoryLog({ partitions: 1 })
    await using _host = await start(log)
    await append(log, reviewOf(quorum))
    await events(log, 1)
    await append(log, ended)
    await events(log, 2)
    await append(log, reviewOf(quorum))
    await append(log, await countersign('ana', 'prod-reviewers'))
    assert.deepEqual((await events(log, 3)).map(named), [
      'ApprovalRequested',
      'ApprovalWithdrawn',
      'CountersignatureRefused ana NotPending',
    ])
    // The request was known here, so a late voter is not told that it is unknown.
    const refusal = (await events(log, 3)).at(-1)
    assert.ok(refusal?.type === 'CountersignatureRefused')
    assert.equal(refusal.detail, 'The request is over, and so is its session.')
  })

  it('supersedes what waits when the policy changes', async () => {
    await using log = inMemoryLog({ partitions: 1 })
    await append(log, policySet('one'))
    await using _host = await start(log)
    const policyVersion = policyVersionOf(applied(emptyCatalog, policySet('one')))
    await append(log, { ...reviewOf(quorum), policyVersion })
    await events(log, 1)
    await append(log, policySet('two'))
    assert.deepEqual((await events(log, 2)).map(named), ['ApprovalRequested', 'ApprovalSuperseded'])
  })

  it('refuses a sealed token that was given for another vote, an expired one, and nonsense', async () => {
    await using log = inMemoryLog({ partitions: 1 })
    await using _host = await start(log)
    await append(log, reviewOf(quorum))
    const stolen = await countersign('ana', 'prod-reviewers')
    await append(log, { ...stolen, reviewId: uuidv7(Date.now()) })
    const late = issuer.token('ana', { groups: ['prod-reviewers'], lifetime: -60 })
    await append(log, await countersign('ana', 'prod-reviewers', late))
    await append(log, { ...stolen, proof: 'nonsense' })
    // Somebody who can write to the topic but cannot open the seal cannot turn the vote into another one.
    await append(log, { ...stolen, digest: 'd2' })
    const { digest: _digest, ...order } = stolen
    await append(log, { ...order, type: 'Deny', words: 'no' })
    await append(log, { ...order, type: 'Withdraw' })
    assert.deepEqual((await events(log, 7)).map(named), [
      'ApprovalRequested',
      ...Array<string>(6).fill('CountersignatureRefused ana TokenInvalid'),
    ])
  })

  it('puts a vote aside that stands under another session', async () => {
    await using log = inMemoryLog({ partitions: 1 })
    await using _host = await start(log)
    await append(log, reviewOf(quorum))
    await events(log, 1)
    const other = SessionId(uuidv7(Date.now()))
    await append(log, await countersign('ana', 'prod-reviewers'), other)
    const [rejected] = await events(log, 1, 'approval.rejected')
    assert.partialDeepStrictEqual(rejected, { type: 'MessageRejected', topic: 'reviews' })
    assert.equal(log.records('approvals').length, 1)
  })

  const start = (log: InMemoryLog, clock: Clock = systemClock): Promise<ApprovalHost> =>
    serveApproval({ log, logger: silent, clock, readVoter: read(clock) })

  const order = (by: string) => ({
    sessionId,
    at: systemClock.now(),
    requestId,
    reviewId: uuidv7(Date.now()),
    by,
    signature: null,
  })
  async function countersign(
    name: string,
    group: string,
    token = issuer.token(name, { groups: [group] }),
  ): Promise<MessageOf<'Countersign'>> {
    const vote = { type: 'Countersign', ...order(name), digest: 'd1' } as const
    return { ...vote, proof: await seal(JSON.stringify({ token }), voteAbout(vote)) }
  }
  async function deny(name: string, group: string): Promise<ReviewsMessage> {
    const vote = { type: 'Deny', ...order(name), words: 'no' } as const
    const token = issuer.token(name, { groups: [group] })
    return { ...vote, proof: await seal(JSON.stringify({ token }), voteAbout(vote)) }
  }
})

async function append(log: InMemoryLog, message: AnyMessage, key = sessionId): Promise<void> {
  await log.append([draftOf(message, { id: EventId(uuidv7(Date.now())), key })])
}

const applyReviewers = (log: InMemoryLog): Promise<void> =>
  append(log, {
    type: 'ReviewersDefined',
    ...definition('staging-reviewers'),
    environment: 'staging',
    groups: ['staging-reviewers'],
  })

/** Everything in the topic, once it has `count` messages; a reader waits for them, not a clock. */
async function events(log: InMemoryLog, count: number, topic = 'approvals'): Promise<AnyMessage[]> {
  const seen: AnyMessage[] = []
  const enough = Promise.withResolvers<void>()
  await using _reader = await log.read({
    topics: [topic],
    from: 'beginning',
    onRecords: (records) => {
      for (const record of records) if (record.status === 'understood') seen.push(record.message)
      if (seen.length >= count) enough.resolve()
    },
  })
  await enough.promise
  return seen
}

function named(message: AnyMessage): string {
  const parts: string[] = [message.type]
  if ('by' in message) parts.push(message.by)
  if ('reason' in message && message.type === 'CountersignatureRefused') parts.push(message.reason)
  if ('signers' in message) parts.push(message.signers.join(','))
  return parts.join(' ')
}

const definition = (name: string) => ({
  name,
  version: name,
  at: systemClock.now(),
  author: 'test',
  signature: null,
})
const policySet = (version: string) =>
  ({ type: 'PolicySetDefined', ...definition('shop'), version, files: [] }) as const
const at = (instant: Instant): Clock => ({ ...systemClock, now: () => instant })
const quorum = chain('prod-change', stage('dba', { mode: 'Quorum', quorum: 2 }))
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const ended: AnyMessage = {
  type: 'SessionEnded',
  sessionId,
  sequence: 1,
  previousHash: '',
  at: systemClock.now(),
  reason: 'ClientDisconnected',
  code: null,
  requestCount: 1,
  transcriptHead: '',
  transcriptCount: 0,
  inDoubt: [],
}
