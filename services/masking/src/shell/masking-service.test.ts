import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  AnyMessage,
  CredentialIssued,
  MaskingPlanned,
  MaskingRulesDefined,
  SessionAdmitted,
  SessionEnded,
  TargetDescribed,
} from '@countersign/contracts'
import { EventId, InstanceId, Instant, SessionId, systemClock, uuidv7 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { type InMemoryLog, inMemoryLog } from '@countersign/log/in-memory'
import { createLogger } from '@countersign/runtime'
import { serveMasking } from './serve-masking.ts'

test('a session gets its plan when it is admitted, described and has its credential, in any order', async () => {
  const needed = [admitted(), described(), issued()]
  const orders = [
    [0, 1, 2],
    [2, 1, 0],
    [2, 0, 1],
    [1, 2, 0],
  ]
  for (const order of orders) {
    await using log = inMemoryLog({ partitions: 1 })
    await append(log, 'catalog', rules())
    await using _host = await started(log)
    for (const index of order) {
      const message = needed[index]
      if (message !== undefined) await append(log, SESSION, message)
    }
    const [plan] = await plans(log, 1)
    assert.deepEqual(
      [plan?.sessionId, plan?.targetVersion, plan?.rulesVersion],
      [SESSION, 'target-1', 'rules-1'],
    )
    assert.deepEqual(
      plan?.columns.map(({ tableOid, attnum, tag }) => [tableOid, attnum, tag]),
      [[1, 2, 'email']],
    )
  }
})

test('a new description of the target gives a new plan, the same description does not', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  await append(log, 'catalog', rules())
  await using _host = await started(log)
  await append(log, SESSION, admitted(), described(), issued())
  await plans(log, 1)
  await append(log, SESSION, described(), described('target-2'))
  const [first, second] = await plans(log, 2)
  assert.deepEqual([first?.targetVersion, second?.targetVersion], ['target-1', 'target-2'])
  assert.notEqual(first?.planVersion, second?.planVersion)
})

test('sessions of one target under the same rules have the same plan', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  await append(log, 'catalog', rules())
  await using _host = await started(log)
  for (const id of [SESSION, OTHER]) {
    await append(
      log,
      id,
      ...[admitted(), described(), issued()].map((m) => ({ ...m, sessionId: id })),
    )
  }
  const [first, second] = await plans(log, 2)
  assert.notEqual(first?.sessionId, second?.sessionId)
  assert.equal(first?.planVersion, second?.planVersion)
})

test('without rules there is a plan too, and it says so', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  await using _host = await started(log)
  await append(log, SESSION, admitted(), described(), issued())
  const [plan] = await plans(log, 1)
  assert.equal(plan?.rulesVersion, 'none')
})

test('a session that is over gets no plan, and after a restart nothing is planned twice', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  await append(log, 'catalog', rules())
  await append(log, SESSION, ended(), admitted(), described(), issued())
  const live = [admitted(), described(), issued()].map((m) => ({ ...m, sessionId: OTHER }))
  await append(log, OTHER, ...live)
  {
    await using _host = await started(log)
    assert.deepEqual(
      (await plans(log, 1)).map((plan) => plan.sessionId),
      [OTHER],
    )
  }
  await using _restarted = await started(log)
  await append(log, OTHER, { ...described('target-2'), sessionId: OTHER })
  assert.deepEqual(
    (await plans(log, 2)).map((plan) => plan.targetVersion),
    ['target-1', 'target-2'],
  )
})

test('new rules give every open session of their environment a new plan, once, also after a restart', async () => {
  await using log = inMemoryLog({ partitions: 1 })
  await append(log, 'catalog', rules())
  const staging = { ...admitted(), sessionId: OTHER }
  {
    await using _host = await started(log)
    await append(log, SESSION, admitted(), described(), issued())
    const others = [staging, described(), issued()].map((m) => ({ ...m, sessionId: OTHER }))
    others[0] = { ...staging, profile: { ...staging.profile, environment: 'staging' } }
    await append(log, OTHER, ...others)
    await plans(log, 2)
    await append(log, 'catalog', { ...rules(), version: 'rules-2', columns: [] })
    const [, , anew] = await plans(log, 3)
    assert.deepEqual([anew?.sessionId, anew?.rulesVersion], [SESSION, 'rules-2'])
    assert.deepEqual(anew?.columns, [])
  }
  await append(log, 'catalog', { ...rules(), version: 'rules-3' })
  await using _restarted = await started(log)
  const all = await plans(log, 4)
  assert.deepEqual(
    all.map(({ sessionId, rulesVersion }) => [sessionId === SESSION, rulesVersion]),
    [
      [true, 'rules-1'],
      [false, 'none'],
      [true, 'rules-2'],
      [true, 'rules-3'],
    ],
  )
})

test(
  'rules that are removed give a new plan too, which is no repeat of the one before',
  { timeout: 180_000 },
  async () => {
    await using log = inMemoryLog({ partitions: 1 })
    await append(log, 'catalog', rules())
    await using _host = await started(log)
    await append(log, SESSION, admitted(), described(), issued())
    await plans(log, 1)
    await append(log, 'catalog', { ...rules(), version: 'rules-2' })
    await plans(log, 2)
    const { name, version, at, author, signature } = rules()
    const removed = { name, version, at, author, signature, kind: 'MaskingRules' } as const
    await append(log, 'catalog', { type: 'DefinitionRemoved', ...removed })
    const [, , last] = await plans(log, 3)
    assert.equal(last?.rulesVersion, 'none')
    const ids = log.records('masking').map((record) => record.status === 'understood' && record.id)
    assert.equal(new Set(ids).size, 3)
  },
)

const started = (log: InMemoryLog) =>
  serveMasking({
    log: log.connect(),
    logger: createLogger('masking', 'fatal'),
    clock: systemClock,
  })

const append = (log: InMemoryLog, key: string, ...messages: readonly AnyMessage[]) =>
  log.append(messages.map((message) => draftOf(message, { id: EventId(uuidv7(Date.now())), key })))

/** The plans in the log, as soon as there are `count` of them. */
async function plans(log: InMemoryLog, count: number): Promise<MaskingPlanned[]> {
  const enough = Promise.withResolvers<MaskingPlanned[]>()
  const found: MaskingPlanned[] = []
  await using _reader = await log.read({
    topics: ['masking'],
    from: 'beginning',
    onRecords: (records) => {
      for (const record of records) {
        if (record.status === 'understood' && record.message.type === 'MaskingPlanned')
          found.push(record.message)
      }
      if (found.length >= count) enough.resolve(found)
    },
  })
  return await enough.promise
}

const SESSION = SessionId('01920000-0000-7000-8000-000000000001')
const OTHER = SessionId('01920000-0000-7000-8000-000000000002')
const NOW = Instant(1_772_000_000_000_000)

const rules = (): MaskingRulesDefined => ({
  type: 'MaskingRulesDefined',
  name: 'prod',
  version: 'rules-1',
  at: NOW,
  author: 'ana',
  signature: null,
  environments: ['prod'],
  columns: [
    {
      schema: null,
      table: null,
      column: 'email',
      tag: 'email',
      method: 'Partial',
      masksInference: false,
    },
  ],
  untagged: 'Pass',
  tainted: 'Redact',
  detectors: [],
  passwordLike: null,
  tags: [],
})

const admitted = (): SessionAdmitted => ({
  type: 'SessionAdmitted',
  settings: [],
  sessionId: SESSION,
  at: NOW,
  identity: {
    subject: 'maria',
    agent: 'ci-deploy',
    behalfOf: 'maria',
    actors: ['maria', 'ci-deploy'],
    groups: ['agents'],
    expiresAt: NOW,
  },
  profile: {
    name: 'shop-prod',
    version: 'profile-1',
    environment: 'prod',
    host: 'localhost',
    port: 5432,
    database: 'shop',
    tls: 'VerifyFull',
    adminSecret: 'file:admin',
    baseRoles: ['reader'],
    ownerRole: null,
    raised: [],
    sessionMaxMs: 1_000,
    rowsMax: 10,
    holdInTransactionMaxMs: 0,
    holdAfterWriteMaxMs: 30_000,
    raisedIdleMaxMs: 10_000,
    recording: 'Full',
    outlivesToken: false,
    mayCreate: false,
    searchPaths: [],
  },
  policyVersion: 'policy-1',
  instanceId: InstanceId('01920000-0000-7000-8000-000000000003'),
  sessionKey: '{}',
  sessionKeyThumbprint: null,
  catalogOffset: 1,
  expiresAt: null,
})

const described = (targetVersion = 'target-1'): TargetDescribed => ({
  type: 'TargetDescribed',
  requestId: null,
  sessionId: SESSION,
  at: NOW,
  target: 'shop-prod',
  targetVersion,
  serverVersion: '18.4',
  eventTriggers: '',
  searchPath: ['shop'],
  relations: [
    {
      oid: 1,
      schema: 'shop',
      name: 'customers',
      kind: 'table',
      columns: [
        { attnum: 1, name: 'id', typeOid: 23, label: null, origin: null, fields: [] },
        { attnum: 2, name: 'email', typeOid: 25, label: null, origin: null, fields: [] },
      ],
      dependsOn: [],
      inherits: [],
      computed: [],
      ...{ digest: '', reaches: [], runsCode: false },
    },
  ],
  routines: [],
  types: [],
  systemColumns: [],
})

const issued = (): CredentialIssued => ({
  type: 'CredentialIssued',
  sessionId: SESSION,
  at: NOW,
  credentialId: 'c1',
  target: 'shop-prod',
  role: 'cs_1',
  baseRoles: ['reader'],
  sealed: '',
  targetVersion: 'target-1',
  validUntil: NOW,
  actsAs: null,
})

const ended = (): SessionEnded => ({
  type: 'SessionEnded',
  sessionId: SESSION,
  sequence: 1,
  previousHash: '',
  at: NOW,
  reason: 'ClientTerminated',
  code: null,
  requestCount: 0,
  transcriptHead: '',
  transcriptCount: 0,
  inDoubt: [],
})
