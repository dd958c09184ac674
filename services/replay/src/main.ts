import { archiveIn } from '@countersign/archive'
import { PURPOSES, openerWith, readPrivateKey, configuredVerifier } from '@countersign/identity'
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
import { serveReplay } from './shell/serve-replay.ts'

await startService('replay', async () => {
  const config = readConfig(SETTINGS, process.env)
  const logger = createLogger('replay', config.CS_LOG_LEVEL)
  const open = await openerWith(await readPrivateKey(config.CS_SEALING_KEY_FILE), PURPOSES.dataKey)
  const verify = configuredVerifier(config)

  await using telemetry = await startTelemetry('replay')
  await using log = await connectKafkaLog(kafkaSettings('replay', config, logger))
  await using host = await serveReplay({
    log,
    logger,
    verify,
    open,
    archive: archiveIn(config.CS_ARCHIVE_DIR),
    host: config.CS_HTTP_HOST,
    port: config.CS_HTTP_PORT,
  })
  await using _health = await serveHealth({
    host: config.CS_HEALTH_HOST,
    port: config.CS_HEALTH_PORT,
    checks: [
      { name: 'log', healthy: () => log.healthy() },
      { name: 'projection', healthy: () => host.healthy() },
    ],
    telemetry,
    logger,
  })
  logger.info({ port: host.port }, 'serving')
  await Promise.race([terminated(), host.failed])
})
