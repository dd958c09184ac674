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
import { serveMasking } from './shell/serve-masking.ts'

await startService('masking', async () => {
  const config = readConfig(SETTINGS, process.env)
  const logger = createLogger('masking', config.CS_LOG_LEVEL)
  await using telemetry = await startTelemetry('masking')
  await using log = await connectKafkaLog(kafkaSettings('masking', config, logger))
  await using host = await serveMasking({ log, logger, clock: systemClock })
  await using _health = await serveHealth({
    host: config.CS_HEALTH_HOST,
    port: config.CS_HEALTH_PORT,
    checks: [
      { name: 'log', healthy: () => log.healthy() },
      { name: 'decider', healthy: () => host.healthy() },
    ],
    telemetry,
    logger,
  })
  logger.info({}, 'serving')
  await Promise.race([terminated(), host.failed])
})
