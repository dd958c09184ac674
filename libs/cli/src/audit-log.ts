import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Problem, Secret } from '@countersign/kernel'
import { connectKafkaLog, type KafkaSettings, type Log } from '@countersign/log'
import { type Context, needed } from './context.ts'
import { json } from './json.ts'
import { settingsOfService } from './target-checks.ts'

/**
 * Opens the log as the user `audit`, whose rights Kafka itself enforces: no service of ours stands between the reader and
 * the records, and nothing can be written.
 */
export async function auditLog(context: Context): Promise<Log> {
  return connectKafkaLog(auditSettings(context))
}

/** The address of Kafka and the login to it: from `KAFKA_…` variables, else from the local instance. */
export function auditSettings(context: Context): KafkaSettings {
  const { env } = context.io
  const said = given(env['KAFKA_BROKERS'])
  const brokers = needed(
    context.settings,
    said ?? given(settingsOfService(context, 'credential-broker')?.['KAFKA_BROKERS']),
    ['log (Kafka)', 'KAFKA_BROKERS (host:port, separated by commas)'],
  )
  const username = given(env['KAFKA_USERNAME']) ?? AUDIT_USER
  // The password of an instance goes to the Kafka of that instance, and to no other.
  const password =
    given(env['KAFKA_PASSWORD']) ?? (said === null ? passwordInInstance(context, username) : null)
  if (password === null) {
    throw new Problem(
      'CS_AUTH_REQUIRED',
      `the password of the Kafka user ${username} is not known`,
      {
        hint: 'Give it in KAFKA_PASSWORD. In a local instance it is in secrets/kafka-users.json.',
      },
    )
  }
  const ssl = env['KAFKA_TLS'] === 'true'
  const list = brokers.split(',').map((broker) => broker.trim())
  const remote = list.find((broker) => !isLocal(broker))
  if (!ssl && remote !== undefined) {
    throw new Problem('CS_BAD_REQUEST', `a password would be sent in clear to ${remote}`, {
      hint: 'Set KAFKA_TLS=true.',
    })
  }
  return { brokers: list, clientId: username, username, password: new Secret(password), ssl }
}

function passwordInInstance(context: Context, username: string): string | null {
  const { file } = context.settings
  const path = file === null ? null : join(dirname(file), 'secrets', 'kafka-users.json')
  if (path === null || !existsSync(path)) return null
  return json.textOrNull(JSON.parse(readFileSync(path, 'utf8')), username)
}

const isLocal = (broker: string): boolean => /^(127\.0\.0\.1|localhost|\[::1\]):\d+$/.test(broker)
const given = (text: string | undefined): string | null =>
  text === undefined || text === '' ? null : text

/** The Kafka user of readers of the log; provisioning makes it (docs/log.md). */
const AUDIT_USER = 'audit'
