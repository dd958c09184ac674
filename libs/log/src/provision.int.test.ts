import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import kafkajs, { type Kafka } from 'kafkajs'
import {
  kafkaForTests,
  type KafkaForTests,
  provision,
  takeInstance,
  topicsOf,
  topologies,
  type Instance,
} from '@countersign/local'
import type { Topology } from './topology.ts'
import { SCHEMAS_TOPIC } from './schemas.ts'

let instance: Instance
let kafka: KafkaForTests
let services: readonly Topology[]

before(async () => {
  services = await topologies()
  instance = await takeInstance('provision-test')
  kafka = await kafkaForTests({
    dir: instance.dir,
    port: instance.ports.kafka,
    controllerPort: instance.ports.kafkaController,
    users: new Map(
      ['admin', ...services.map(({ service }) => service)].map((user) => [user, passwordOf(user)]),
    ),
  })
  await provisioned()
})

after(async () => {
  await kafka.stop()
  await instance.release()
})

test('the credentials of a service write exactly the topics that its topology writes, and no other', async () => {
  for (const { service, writes } of services) {
    const written: string[] = []
    for (const { name } of topicsOf(services)) if (await canWrite(service, name)) written.push(name)
    assert.deepEqual(written.sort(), [...writes, `${service}.rejected`].sort())
  }
})

test('the credentials of a service read exactly the topics that its topology reads or writes, the schemas, and no other', async () => {
  await Promise.all(
    services.map(async ({ service, reads, writes }) => {
      const readable: string[] = []
      for (const { name } of topicsOf(services))
        if (await canRead(service, name)) readable.push(name)
      assert.deepEqual(readable.sort(), [...new Set([...reads, ...writes, SCHEMAS_TOPIC])].sort())
    }),
  )
})

test('a service joins no group of another service', async () => {
  const [first, second] = services
  assert.ok(first?.reads[0] !== undefined && second !== undefined)
  assert.equal(await canRead(first.service, first.reads[0], `${second.service}-group`), false)
})

test('a wrong password is refused', async () => {
  const admin = clientOf('proxy', 'wrong').admin()
  await assert.rejects(admin.connect(), /Authentication failed/)
})

test('provisioning again changes nothing, and takes away what is no longer declared', async () => {
  const [first] = services
  const topic = first?.writes[0]
  assert.ok(first !== undefined && topic !== undefined)
  const { service } = first
  await provisioned()
  assert.equal(await canWrite(service, topic), true)
  await provisioned([{ service, reads: [], writes: [] }])
  assert.equal(await canWrite(service, topic), false)
  await provisioned()
  assert.equal(await canWrite(service, topic), true)
})

const provisioned = (declared = services): Promise<void> =>
  provision({
    brokers: kafka.brokers,
    admin: { username: 'admin', password: passwordOf('admin') },
    topologies: declared,
  })

/** True if a fetch comes back; an authorization error is the only other answer that counts. */
async function canRead(
  user: string,
  topic: string,
  groupId = `${user}-reads-${topic}`,
): Promise<boolean> {
  const consumer = clientOf(user).consumer({
    groupId,
    maxWaitTimeInMs: 10,
    sessionTimeout: 1_500,
    heartbeatInterval: 200,
  })
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  consumer.on(consumer.events.FETCH, () => resolve(true))
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  promise.catch(() => undefined)
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({ eachMessage: () => Promise.resolve() })
    return await promise
  } catch (thrown) {
    // For a group that is not ours, kafkajs only says that it found no coordinator.
    assert.match(String(thrown), /authorized|find group coordinator/i, `${user} reads ${topic}`)
    return false
  } finally {
    await consumer.disconnect()
  }
}

/** A producer for each topic: kafkajs asks for all topics of a producer at once, and one refusal fails all. */
async function canWrite(user: string, topic: string): Promise<boolean> {
  const producer = clientOf(user).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    await producer.send({ topic, messages: [{ key: 'k', value: 'tried by a test' }] })
    return true
  } catch (thrown) {
    assert.match(String(thrown), /authorized/i, `${user} writes ${topic}`)
    return false
  } finally {
    await producer.disconnect()
  }
}

const clientOf = (username: string, password = passwordOf(username)): Kafka =>
  new kafkajs.Kafka({
    clientId: username,
    brokers: [kafka.brokers],
    sasl: { mechanism: 'plain', username, password },
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 12, initialRetryTime: 50 },
  })

const passwordOf = (user: string): string => `${user}-password`
