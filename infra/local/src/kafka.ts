import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '@countersign/kernel'
import { type Child, startChild } from './child.ts'
import { execute } from './execute.ts'
import { classArchive, formattedStorage, kafkaClassPath } from './kafka-jars.ts'
import { inUse, isFree, listensOn } from './ports.ts'

/** A running Apache Kafka: one node, KRaft, SASL/PLAIN and the standard authorizer. */
export type Kafka = Child & { readonly brokers: string }

export type KafkaOptions = {
  /** The folder of the instance; the data in it survive a restart. */
  dir: string
  port: number
  controllerPort: number
  /** The password of each user. `admin` is the only super user. */
  users: ReadonlyMap<string, string>
  /** Set where its speed is measured: code that runs often is then compiled as well as Java can. */
  isMeasured?: boolean
}

/** Starts Kafka; resolves when it takes connections. */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const { dir, port } = options
  const home = join(dir, 'kafka')
  const data = join(home, 'data')
  const properties = join(home, 'server.properties')
  const [classPath] = await Promise.all([
    kafkaClassPath(),
    mkdir(home, { recursive: true, mode: 0o700 }),
  ])
  await writeFile(properties, serverProperties(options, { data }), { mode: 0o600 })
  if (!existsSync(join(data, 'meta.properties'))) {
    await rm(data, { recursive: true, force: true })
    await formattedStorage(data, (target) => format(classPath, options, target))
  }
  for (const wanted of [port, options.controllerPort])
    if (!(await isFree(wanted))) throw inUse(wanted)
  const classes = await classArchive(home)
  const child = startChild({
    dir,
    name: 'kafka',
    file: 'java',
    args: [
      ...JVM,
      ...(options.isMeasured === true ? [] : QUICK),
      ...classes.args,
      ...['-cp', classPath, 'kafka.Kafka', properties],
    ],
    cwd: home,
  })
  void child.exited.then(classes.keep)
  if (!(await listensOn(port, START_LIMIT_MS, child.running))) {
    const said = child.lastLines()
    await child.stop()
    throw new Problem('CS_CONFIG_INVALID', `Kafka did not start:\n${said}`)
  }
  return { ...child, brokers: `127.0.0.1:${port}` }
}

async function format(classPath: string, options: KafkaOptions, target: string): Promise<void> {
  const properties = `${target}.properties`
  await writeFile(properties, serverProperties(options, { data: target }), { mode: 0o600 })
  try {
    await execute('java', [
      '-cp',
      classPath,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      CLUSTER_ID,
      '-c',
      properties,
    ])
  } finally {
    await rm(properties, { force: true })
  }
}

/**
 * The settings of the one node. Both listeners ask for a password: a client that reached the controller without one
 * could grant itself everything.
 */
export function serverProperties(
  { port, controllerPort, users }: KafkaOptions,
  { data, listenOn = '127.0.0.1' }: { data: string; listenOn?: string },
): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `SERVICES://${listenOn}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `SERVICES://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'SERVICES:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT',
    'inter.broker.listener.name': 'SERVICES',
    'controller.listener.names': 'CONTROLLER',
    'sasl.enabled.mechanisms': 'PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.services.plain.sasl.jaas.config': jaas(users, [...users.keys()]),
    'listener.name.controller.plain.sasl.jaas.config': jaas(users, [SUPER_USER]),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${SUPER_USER}`,
    'allow.everyone.if.no.acl.found': false,
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'message.max.bytes': 2 * 1024 * 1024,
    'replica.fetch.max.bytes': 2 * 1024 * 1024,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    // Saves two records a second in the metadata log that nobody needs: idle Kafka took 2.2 % of a core, now 1.3 %.
    'metadata.max.idle.interval.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function jaas(users: ReadonlyMap<string, string>, names: readonly string[]): string {
  const known = names.map((name) => `user_${name}="${users.get(name) ?? ''}"`).join(' ')
  const own = `username="${SUPER_USER}" password="${users.get(SUPER_USER) ?? ''}"`
  return `org.apache.kafka.common.security.plain.PlainLoginModule required ${own} ${known};`
}

const SUPER_USER = 'admin'
/** The id of the cluster, the same in every instance, since nothing ever joins two of them. */
export const CLUSTER_ID = 'Q291bnRlcnNpZ25Mb2c'.padEnd(22, 'A')
const JVM = ['-Xmx256m', '-Xms64m', '-XX:+UseSerialGC', '-Djava.awt.headless=true']
/** Only the first compiler: a Kafka that starts takes 1.7 s of a processor instead of 2.9 s, and serves a few agents as well. */
const QUICK = ['-XX:TieredStopAtLevel=1']
const START_LIMIT_MS = 90_000
