import { readFile } from 'node:fs/promises'
import { systemClock } from '@countersign/kernel'
import { connectKafkaLog } from '@countersign/log'
import {
  createLogger,
  kafkaSettings,
  readConfig,
  serveHealth,
  startService,
  startTelemetry,
  terminated,
} from '@countersign/runtime'
import { SETTINGS } from './config.ts'
import { serveBroker } from './shell/serve-broker.ts'
import { fileSecrets, targetAdmins } from './shell/target-admin.ts'
import { topology } from './topology.ts'

await startService(topology.service, async () => {
  const config = readConfig(SETTINGS, process.env)
  const logger = createLogger(topology.service, config.CS_LOG_LEVEL)
  await using telemetry = await startTelemetry(topology.service)
  await using log = await connectKafkaLog(kafkaSettings(topology.service, config, logger))
  const { CS_TARGET_CA_FILE } = config
  await using admins = targetAdmins({
    secret: fileSecrets(config.CS_SECRETS_DIR),
    certificateAuthorities:
      CS_TARGET_CA_FILE === undefined ? undefined : await readFile(CS_TARGET_CA_FILE, 'utf8'),
  })
  await using broker = await serveBroker({
    log,
    logger,
    clock: systemClock,
    admins,
    lookMs: config.CS_DESCRIBE_EVERY_MS,
  })
  await using _health = await serveHealth({
    host: config.CS_HEALTH_HOST,
    port: config.CS_HEALTH_PORT,
    telemetry,
    logger,
    reports: { '/revocations': () => ({ stuck: broker.stuckRevocations() }) },
    checks: [
      { name: 'log', healthy: () => log.healthy() },
      { name: 'broker', healthy: () => broker.healthy() },
    ],
  })
  logger.info({}, 'serving')
  await Promise.race([terminated(), broker.failed])
})
