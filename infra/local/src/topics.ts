import type { Topology } from '@countersign/log'
import { Secret } from '@countersign/kernel'
import { connectKafkaLog } from '@countersign/log'
import {
  type Grant,
  provisionKafka,
  publishedSchemas,
  SCHEMAS_TOPIC,
  type TopicSpec,
} from '@countersign/log/provision'

export type Provisioning = {
  brokers: string
  admin: { username: string; password: string }
  topologies: readonly Topology[]
  /** Users that may read everything and write nothing; for tests. */
  observers?: readonly string[]
}

/** Creates the topics, gives each service exactly what its topology says, and publishes the schemas of this version. */
export async function provision({
  brokers,
  admin,
  topologies,
  observers = [],
}: Provisioning): Promise<void> {
  await provisionKafka({
    brokers: [brokers],
    ...admin,
    topics: [...topicsOf(topologies)],
    grants: [
      ...topologies.map(grantOf),
      { user: AUDIT_USER, writes: [], reads: auditedTopics(topologies) },
      ...observers.map((user) => ({ user, writes: [], reads: ['*'] })),
    ],
  })
  await publishSchemas(brokers, admin)
}

/** Publishes them before anybody writes with them: services of an older version, which go on meanwhile, look them up. */
async function publishSchemas(brokers: string, admin: Provisioning['admin']): Promise<void> {
  const { username, password } = admin
  await using log = await connectKafkaLog({
    brokers: [brokers],
    clientId: username,
    username,
    password: new Secret(password),
  })
  await log.append(publishedSchemas(), { limitMs: PUBLISH_LIMIT_MS })
}

/** The topics that are written or read, and all those of a whole system, since a part of one must find them too. */
export function topicsOf(topologies: readonly Topology[]): TopicSpec[] {
  const named = topologies.flatMap(({ service, reads, writes }) => [
    ...reads,
    ...writes,
    rejectedOf(service),
  ])
  return [...new Set([...Object.keys(TOPICS), ...named])].map(specOf)
}

const grantOf = ({ service, reads, writes }: Topology): Grant => ({
  user: service,
  // A decider restores its state from its own output. Every service may meet records of another version.
  reads: [...new Set([...reads, ...writes, SCHEMAS_TOPIC])],
  writes: [...writes, rejectedOf(service)],
})

/** The Kafka user for readers of the log who are no service of ours (docs/log.md). */
export const AUDIT_USER = 'audit'

/** Every topic but `keys`: an auditor sees who did what and verifies the chains, and has no sealed data keys. */
export const auditedTopics = (topologies: readonly Topology[]): string[] =>
  topicsOf(topologies)
    .map(({ name }) => name)
    .filter((name) => name !== 'keys')

const rejectedOf = (service: string): string => `${service}.rejected`

const specOf = (name: string): TopicSpec => ({
  name,
  partitions: 1,
  settings: FOREVER,
  ...TOPICS[name],
})

const LIMITS = {
  'max.message.bytes': String(2 * 1024 * 1024),
  'message.timestamp.type': 'CreateTime',
}
const FOREVER = { ...LIMITS, 'cleanup.policy': 'delete', 'retention.ms': '-1' }
const PUBLISH_LIMIT_MS = 30_000
const DAY_MS = 86_400_000
/** The same for every topic that has the session as its key: partition p of each holds the same sessions. */
const BY_SESSION = { partitions: 8, settings: FOREVER }

const TOPICS: Readonly<Record<string, Omit<TopicSpec, 'name'>>> = {
  sessions: BY_SESSION,
  decisions: BY_SESSION,
  approvals: BY_SESSION,
  credentials: BY_SESSION,
  masking: BY_SESSION,
  reviews: BY_SESSION,
  leases: BY_SESSION,
  transcript: { partitions: 8, settings: { ...FOREVER, 'retention.ms': String(30 * DAY_MS) } },
  keys: { partitions: 8, settings: { ...LIMITS, 'cleanup.policy': 'compact' } },
  [SCHEMAS_TOPIC]: { partitions: 1, settings: { ...LIMITS, 'cleanup.policy': 'compact' } },
  catalog: { partitions: 1, settings: FOREVER },
  identities: { partitions: 1, settings: FOREVER },
}
