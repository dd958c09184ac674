import type { ConnectionOptions } from 'node:tls'
import type { Secret } from '@countersign/kernel'
import kafkajs, { type Kafka } from 'kafkajs'
import { leanEncoder } from './lean-encoder.ts'
import { leanFetch } from './lean-fetch.ts'
import { leanProduce } from './lean-produce.ts'
import { patientFetch } from './patient-fetch.ts'
import { quietWhenIdle } from './quiet-when-idle.ts'

quietWhenIdle()
leanEncoder()
leanFetch()
leanProduce()
patientFetch()

/** The settings of a connection to Kafka. The client id is the name of the service, and also its Kafka user. */
export type KafkaSettings = {
  brokers: string[]
  clientId: string
  username?: string
  password?: Secret<string>
  ssl?: boolean | ConnectionOptions
  /** The longest silence of a member of a group, in milliseconds, before its partitions are given to others. */
  sessionTimeoutMs?: number
  appendLimitMs?: number
  logger?: KafkaLogger
}

export type KafkaLogger = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Record<string, unknown>,
) => void

/** The kafkajs client of these settings. It retries nothing itself: its callers know better how long to wait. */
export function clientOf(settings: KafkaSettings): Kafka {
  const { username, password, ssl, logger } = settings
  return new kafkajs.Kafka({
    clientId: settings.clientId,
    brokers: settings.brokers,
    connectionTimeout: CONNECTION_LIMIT_MS,
    authenticationTimeout: CONNECTION_LIMIT_MS,
    requestTimeout: REQUEST_LIMIT_MS,
    retry: { retries: 0 },
    ...(ssl === undefined ? {} : { ssl }),
    ...(username === undefined || password === undefined
      ? {}
      : { sasl: { mechanism: 'plain', username, password: password.expose() } }),
    logLevel: kafkajs.logLevel.ERROR,
    // Most of what kafkajs logs as an error is a connection that it opens again; we log what matters ourselves.
    logCreator: () => (entry) => {
      const { message, timestamp: _, stack: __, logger: ___, ...fields } = entry.log
      logger?.('debug', message, fields)
    },
  })
}

export const CONNECTION_LIMIT_MS = 2_000
export const REQUEST_LIMIT_MS = 2_000
