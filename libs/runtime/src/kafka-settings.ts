import type { KafkaSettings } from '@countersign/log'
import type { z } from 'zod'
import type { COMMON_SETTINGS } from './config.ts'
import type { Logger } from './logger.ts'

type Common = z.infer<z.ZodObject<typeof COMMON_SETTINGS>>

/** The settings of the log, from those of a service. */
export function kafkaSettings(service: string, config: Common, logger: Logger): KafkaSettings {
  return {
    brokers: config.KAFKA_BROKERS,
    clientId: service,
    ...(config.KAFKA_USERNAME === undefined ? {} : { username: config.KAFKA_USERNAME }),
    ...(config.KAFKA_PASSWORD === undefined ? {} : { password: config.KAFKA_PASSWORD }),
    ssl: config.KAFKA_TLS,
    sessionTimeoutMs: config.CS_SESSION_TIMEOUT_MS,
    appendLimitMs: config.CS_APPEND_LIMIT_MS,
    logger: (level, message, fields) => logger[level](fields, message),
  }
}
