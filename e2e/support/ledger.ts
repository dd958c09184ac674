import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { archiveIn } from '@countersign/archive'
import { connectKafkaLog, type Log, type LogRecord } from '@countersign/log'
import { Secret } from '@countersign/kernel'
import type { AnyMessage } from '@countersign/contracts'
import type { System } from '@countersign/local'

export { targetStatements, timesRun, type TargetStatement } from './target-log.ts'

/** The sessions that the recorder has archived. */
export async function archivedSessions(system: System): Promise<string[]> {
  const found: string[] = []
  for await (const id of archiveIn(join(system.instance.dir, 'archive')).sessions()) found.push(id)
  return found
}

/** A connection to the log that may read everything and write nothing. */
export const observe = (system: System): Promise<Log> => connectAs(system, 'observer')

/** A connection to the log with the rights of a service, or of another user of Kafka. */
export function connectAs(system: System, user: string): Promise<Log> {
  const { username, password } = system.kafkaLogin(user)
  return connectKafkaLog({
    brokers: [system.brokers],
    clientId: user,
    username,
    password: new Secret(password),
    sessionTimeoutMs: 1_500,
  })
}

/** Every record of a topic, also those that cannot be understood. */
export async function recordsOf(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  await log.readToEnd({ topic, onRecord: (record) => void records.push(record) })
  return records
}

/** The messages of a topic that can be understood. */
export async function messagesOf(log: Log, topic: string): Promise<AnyMessage[]> {
  return (await recordsOf(log, topic)).flatMap((record) =>
    record.status === 'understood' ? [record.message] : [],
  )
}

/** The messages of one type in a topic. */
export async function eventsOf<T extends AnyMessage['type']>(
  log: Log,
  topic: string,
  type: T,
): Promise<Extract<AnyMessage, { type: T }>[]> {
  return (await messagesOf(log, topic)).filter(
    (message): message is Extract<AnyMessage, { type: T }> => message.type === type,
  )
}

/** The session that opened last. A topic is read partition after partition, so its last record is not the newest. */
export async function newestSession(log: Log): Promise<string> {
  const opened = (await eventsOf(log, 'sessions', 'SessionOpened')).toSorted((a, b) => a.at - b.at)
  const newest = opened.at(-1)
  if (newest === undefined) throw new Error('no session opened')
  return newest.sessionId
}

/** Waits until a condition holds. It polls, because the log of the target and other processes do not notify anybody. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | false | null | undefined>,
  limitMs = 15_000,
): Promise<T> {
  const until = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== false && found !== null && found !== undefined) return found
    if (performance.now() > until) throw new Error(`${what} did not happen within ${limitMs} ms`)
    await pause(50)
  }
}
