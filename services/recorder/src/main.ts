import { archiveIn } from '@countersign/archive'
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
import { serveRecorder } from './shell/serve-recorder.ts'

await startService('recorder', async () => {
  const config = readConfig(SETTINGS, process.env)
  const logger = createLogger('recorder', config.CS_LOG_LEVEL)
  await using telemetry = await startTelemetry('recorder')
  await using log = await connectKafkaLog(kafkaSettings('recorder', config, logger))
  await using host = await serveRecorder({
    log,
    logger,
    clock: systemClock,
    archive: archiveIn(config.CS_ARCHIVE_DIR),
    partsDir: config.CS_ARCHIVE_DIR,
    graceMs: config.CS_ARCHIVE_GRACE_MS,
  })
  await using _health = await serveHealth({
    host: config.CS_HEALTH_HOST,
    port: config.CS_HEALTH_PORT,
    checks: [
      { name: 'log', healthy: () => log.healthy() },
      { name: 'archive', healthy: () => host.healthy() },
    ],
    telemetry,
    logger,
  })
  logger.info({}, 'serving')
  await Promise.race([terminated(), host.failed])
})
