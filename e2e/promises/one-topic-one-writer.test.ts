// Seen to fail when the proxy's topology in services/proxy/src/topology.ts also names `decisions` among its writes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, Problem, Secret, uuidv5 } from '@countersign/kernel'
import { connectKafkaLog, draftOf } from '@countersign/log'
import { startInfrastructure, topologies } from '@countersign/local'
import { after } from 'node:test'

const system = await startInfrastructure('test-writers')
after(() => system.stop())

const TOPICS = [
  'sessions',
  'keys',
  'transcript',
  'leases',
  'decisions',
  'approvals',
  'credentials',
  'masking',
  'reviews',
  'catalog',
]

test("every service's credentials can write exactly the topics of its topology", async () => {
  const all = await topologies()
  assert.ok(all.length >= 8, 'every service has a topology')
  for (const { service, writes } of all) {
    const { username, password } = system.kafkaLogin(service)
    await using log = await connectKafkaLog({
      brokers: [system.brokers],
      clientId: service,
      username,
      password: new Secret(password),
    })
    const targets = [...TOPICS, ...all.map((one) => `${one.service}.rejected`)]
    const written: string[] = []
    for (const topic of targets) if (await canWrite(log, topic)) written.push(topic)
    assert.deepEqual(
      written.toSorted(),
      [...writes, `${service}.rejected`].toSorted(),
      `what ${service} can write`,
    )
  }
})

/** Whether this log lets a message into a topic. The topic of a message does not matter to Kafka's authorizer. */
async function canWrite(
  log: Awaited<ReturnType<typeof connectKafkaLog>>,
  topic: string,
): Promise<boolean> {
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
