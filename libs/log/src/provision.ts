import kafkajs, { type AclEntry, type Admin } from 'kafkajs'
import { Problem, rested } from '@countersign/kernel'
import { again } from './kafka/again.ts'
import { isNotYet } from './kafka/problems.ts'

export { published, publishedSchemas, SCHEMAS_TOPIC } from './schemas.ts'

/** A topic as it should exist. */
export type TopicSpec = {
  readonly name: string
  readonly partitions: number
  readonly settings: Readonly<Record<string, string>>
}

/** The rights of one Kafka user, which has no others. */
export type Grant = {
  readonly user: string
  readonly writes: readonly string[]
  /** `*` is every topic; for observers of tests only. */
  readonly reads: readonly string[]
}

export type ProvisionOptions = {
  brokers: readonly string[]
  username: string
  password: string
  topics: readonly TopicSpec[]
  grants: readonly Grant[]
}

/** Creates the topics that are missing and sets the rights of the users to exactly these grants. */
export async function provisionKafka(options: ProvisionOptions): Promise<void> {
  const { username, password } = options
  const admin = new Kafka({
    clientId: username,
    brokers: [...options.brokers],
    sasl: { mechanism: 'plain', username, password },
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 12 },
  }).admin()
  await admin.connect()
  try {
    await createTopics(admin, options.topics)
    await grant(admin, options.grants)
    await groupsAreReady(admin, username)
  } finally {
    await admin.disconnect()
  }
}

/** Creates the topics that are missing, and waits until each is ready. */
export async function createTopics(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  const existing = new Set(await admin.listTopics())
  const missing = topics.filter(({ name }) => !existing.has(name))
  if (missing.length > 0) {
    await admin.createTopics({
      // kafkajs waits only for one of the errors that a topic without leaders gives.
      waitForLeaders: false,
      topics: missing.map(({ name, partitions, settings }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: -1,
        configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
      })),
    })
  }
  await Promise.all(topics.map(({ name }) => topicIsReady(admin, name)))
}

/**
 * Waits until every partition of a topic answers. The controller says that a topic is there before its metadata are
 * (`UNKNOWN_TOPIC_OR_PARTITION`), its leaders (`LEADER_NOT_AVAILABLE`), and its replicas at the broker that leads
 * (`NOT_LEADER_OR_FOLLOWER`); on a slow machine each may take seconds. Known limit: an error that Kafka calls final ends it.
 */
export async function topicIsReady(
  admin: Pick<Admin, 'fetchTopicOffsets'>,
  topic: string,
): Promise<void> {
  const answers = again(() => admin.fetchTopicOffsets(topic), {
    while: isNotYet,
    limitMs: TOPICS_LIMIT_MS,
  })
  await answers.catch(unavailable(`the topic ${topic} is not ready`))
}

/**
 * Rights that nobody declares any more are taken away, and the missing ones given. The controller answers
 * before the broker knows (up to 300 ms later, measured), so this waits until the broker shows them.
 */
async function grant(admin: Admin, grants: readonly Grant[]): Promise<void> {
  const users = [...new Set(grants.map(({ user }) => user))]
  const wanted = new Map(grants.flatMap(entriesOf).map((entry) => [nameOf(entry), entry]))
  const until = performance.now() + GRANT_LIMIT_MS
  for (let asked = false; ; asked = true) {
    const present = new Map(
      (await Promise.all(users.map((user) => entriesFor(admin, user)))).flat(),
    )
    const missing = [...wanted].flatMap(([name, entry]) => (present.has(name) ? [] : [entry]))
    const surplus = [...present].flatMap(([name, entry]) => (wanted.has(name) ? [] : [entry]))
    if (missing.length === 0 && surplus.length === 0) return
    if (performance.now() > until)
      throw new Problem('CS_CONFIG_INVALID', 'Kafka did not take the access rules')
    if (asked) await rested(20)
    else {
      if (surplus.length > 0) await admin.deleteAcls({ filters: surplus })
      if (missing.length > 0) await admin.createAcls({ acl: missing })
    }
  }
}

/** The first question about a group makes Kafka create the topic of all offsets: better here than in a service. */
async function groupsAreReady(admin: Admin, groupId: string): Promise<void> {
  const answers = again(() => admin.fetchOffsets({ groupId }), {
    while: () => true,
    limitMs: GROUPS_LIMIT_MS,
  })
  await answers.catch(unavailable('Kafka has no coordinator of groups'))
}

const unavailable =
  (what: string) =>
  (cause: unknown): never => {
    throw new Problem('CS_LOG_UNAVAILABLE', what, { cause, retriable: true })
  }

async function entriesFor(admin: Admin, user: string): Promise<[string, AclEntry][]> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
    principal: `User:${user}`,
  })
  return resources.flatMap(({ acls, ...resource }) =>
    acls.map((acl): [string, AclEntry] => {
      const entry = { ...acl, ...resource }
      return [nameOf(entry), entry]
    }),
  )
}

const nameOf = (entry: AclEntry): string =>
  [
    entry.principal,
    entry.resourceType,
    entry.resourcePatternType,
    entry.resourceName,
    entry.operation,
  ].join(' ')

function entriesOf({ user, writes, reads }: Grant): AclEntry[] {
  const { TOPIC, GROUP } = AclResourceTypes
  const { READ, WRITE, DESCRIBE } = AclOperationTypes
  const { LITERAL, PREFIXED } = ResourcePatternTypes
  const entry = (
    resourceType: number,
    resourceName: string,
    pattern: number,
    operation: number,
  ): AclEntry => ({
    principal: `User:${user}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    resourceType,
    resourceName,
    resourcePatternType: pattern,
    operation,
  })
  const topics = [...new Set([...writes, ...reads])]
  return [
    ...topics.map((topic) => entry(TOPIC, topic, LITERAL, DESCRIBE)),
    ...[...new Set(writes)].map((topic) => entry(TOPIC, topic, LITERAL, WRITE)),
    ...[...new Set(reads)].map((topic) => entry(TOPIC, topic, LITERAL, READ)),
    entry(GROUP, user, PREFIXED, READ),
  ]
}

const {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} = kafkajs

const GRANT_LIMIT_MS = 60_000
const TOPICS_LIMIT_MS = 60_000
const GROUPS_LIMIT_MS = 60_000
