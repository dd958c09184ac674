// Seen to fail when the proxy's topology in services/proxy/src/topology.ts also names `decisions` among its writes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, Problem, uuidv5 } from '@countersign/kernel'
import { draftOf, type Log } from '@countersign/log'
import { startInfrastructure, topologies } from '@countersign/local'
import { after } from 'node:test'
import { connectAs } from '../support/ledger.ts'

const system = await startInfrastructure('test-writers')
after(() => system.stop())

/** The only writer of each topic, copied from the architecture and not from the topologies that are tested. */
const WRITERS: Readonly<Record<string, string>> = {
  sessions: 'proxy',
  keys: 'proxy',
  transcript: 'proxy',
  leases: 'proxy',
  decisions: 'policy',
  approvals: 'approval',
  credentials: 'credential-broker',
  masking: 'masking',
  reviews: 'console',
  catalog: 'console',
}

const all = await topologies()
/** Topics that no service writes: `schemas` is of provisioning, and `identities` of the directory, which does not exist yet. */
const OF_NO_SERVICE = ['schemas', 'identities']
const TOPICS = [
  ...Object.keys(WRITERS),
  ...OF_NO_SERVICE,
  ...all.map((one) => `${one.service}.rejected`),
]

test("every service's credentials can write its own topics, and no other service can", async () => {
  assert.ok(all.length >= 8, 'every service has a topology')
  for (const { service, writes } of all) {
    await using log = await connectAs(system, service)
    const written: string[] = []
    for (const topic of TOPICS) if (await canWrite(log, topic)) written.push(topic)
    const owned = Object.keys(WRITERS).filter((topic) => WRITERS[topic] === service)
    assert.deepEqual(
      written.toSorted(),
      [...owned, `${service}.rejected`].toSorted(),
      `what ${service} can write`,
    )
    assert.deepEqual(writes.toSorted(), owned.toSorted(), `what ${service} says that it writes`)
  }
})

test("every service's credentials can read what its topology names, what it writes and the schemas, and nothing else", async () => {
  for (const { service, reads, writes } of all) {
    await using log = await connectAs(system, service)
    const readable: string[] = []
    for (const topic of TOPICS) if (await canRead(log, topic)) readable.push(topic)
    assert.deepEqual(
      readable.toSorted(),
      [...new Set([...reads, ...writes, 'schemas'])].toSorted(),
      `what ${service} can read`,
    )
  }
})

test('the audit user reads every topic but the data keys, and writes none', async () => {
  await using admin = await connectAs(system, 'admin')
  // No service writes this topic yet, so no test has put a record into it.
  assert.ok(await canWrite(admin, 'identities'))
  await using log = await connectAs(system, 'audit')
  const [readable, written]: [string[], string[]] = [[], []]
  for (const topic of TOPICS) {
    if (await canRead(log, topic)) readable.push(topic)
    if (await canWrite(log, topic)) written.push(topic)
  }
  assert.deepEqual(
    readable.toSorted(),
    TOPICS.filter((topic) => topic !== 'keys').toSorted(),
    'what audit can read',
  )
  assert.deepEqual(written, [], 'what audit can write')
})

/** True if this log gives the records of a topic; the first test has put one into each. */
async function canRead(log: Log, topic: string): Promise<boolean> {
  let records = 0
  try {
    await log.readToEnd({ topic, onRecord: () => void records++ })
    assert.ok(records > 0, `${topic} is empty`)
    return true
  } catch (cause) {
    assert.ok(cause instanceof Problem, String(cause))
    assert.match(`${cause.message} ${cause.hint}`, /not authorized|authoriz|may not|ACL/i)
    return false
  }
}

/** True if this log lets a message into a topic. The topic of a message does not matter to Kafka's authorizer. */
async function canWrite(log: Log, topic: string): Promise<boolean> {
  const message = {
    type: 'MessageRejected',
    service: 'test',
    at: Instant(1),
    topic,
    partition: 0,
    offset: 0,
    code: 'CS_INTERNAL',
    reason: 'a test of who may write',
  } as const
  try {
    await log.append([
      draftOf(message, {
        id: EventId(uuidv5('5d0f3a52-9f7c-5b8e-8a40-0c1c7a3d9e22', topic)),
        key: 'test',
        topic,
      }),
    ])
    return true
  } catch (cause) {
    assert.ok(cause instanceof Problem, String(cause))
    assert.match(`${cause.message} ${cause.hint}`, /not authorized|authoriz|may not|ACL/i)
    return false
  }
}
