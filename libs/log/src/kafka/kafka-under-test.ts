import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFree, kafkaForTests } from '@countersign/local'
import { Secret } from '@countersign/kernel'
import kafkajs, { type Admin } from 'kafkajs'
import type { LogUnderTest } from '../log.contract.ts'
import { createTopics } from '../provision.ts'
import { SCHEMAS_TOPIC } from '../schemas.ts'
import { connectKafkaLog, type KafkaSettings } from './kafka-log.ts'

/** A real Kafka with the user `test`, who may do everything with topics `t-…` and groups `test…`. */
export type KafkaUnderTest = LogUnderTest & {
  settings(): KafkaSettings
  admin(): Admin
  kill(): Promise<void>
  restart(): Promise<void>
}

/** Starts Kafka in a folder of its own. */
export async function kafkaUnderTest(): Promise<KafkaUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'countersign-log-'))
  const users = new Map([
    ['admin', 'admin-password'],
    ['test', 'test-password'],
  ])
  const kafka = await kafkaForTests({
    dir,
    port: await freePort(),
    controllerPort: await freePort(),
    users,
  })
  const client = new kafkajs.Kafka({
    brokers: [kafka.brokers],
    sasl: { mechanism: 'plain', username: 'admin', password: 'admin-password' },
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const admin = client.admin()
  const producer = client.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  })
  await Promise.all([admin.connect(), producer.connect()])
  const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs
  await admin.createAcls({
    acl: [
      { resourceType: AclResourceTypes.TOPIC, resourceName: 't-' },
      { resourceType: AclResourceTypes.TOPIC, resourceName: SCHEMAS_TOPIC },
      { resourceType: AclResourceTypes.GROUP, resourceName: 'test' },
    ].map((resource) => ({
      ...resource,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      principal: 'User:test',
      host: '*',
      operation: AclOperationTypes.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    })),
  })
  await createTopics(admin, [{ name: SCHEMAS_TOPIC, partitions: 1, settings: {} }])
  const settings = (): KafkaSettings => ({
    brokers: [kafka.brokers],
    clientId: 'test',
    username: 'test',
    password: new Secret('test-password'),
    sessionTimeoutMs: 1_500,
  })
  let topics = 0

  return {
    settings,
    admin: () => admin,
    connect: () => connectKafkaLog(settings()),
    async topic(recordBytesMax) {
      const name = `t-${topics++}.sessions`
      const settings: Record<string, string> =
        recordBytesMax === undefined ? {} : { 'max.message.bytes': String(recordBytesMax) }
      await createTopics(admin, [{ name, partitions: 4, settings }])
      return name
    },
    async put({ topic, partition, key, headers, value }) {
      const given = Object.entries(headers).flatMap(([name, one]) =>
        one === undefined ? [] : [[name, one] as const],
      )
      await producer.send({
        topic,
        messages: [{ partition, key, value, headers: Object.fromEntries(given) }],
      })
    },
    async publish(schemas) {
      await using log = await connectKafkaLog(settings())
      await log.append(schemas)
    },
    freeze: kafka.freeze,
    thaw: kafka.thaw,
    kill: kafka.kill9,
    restart: kafka.restart,
    async [Symbol.asyncDispose]() {
      await Promise.all([admin.disconnect(), producer.disconnect()])
      await kafka.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** A free port that the system gives to nobody while Kafka is away: it is below those of outgoing connections. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    if (await isFree(port)) return port
  }
}
