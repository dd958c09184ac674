import { PURPOSES, readSealingKeys, sealerTo, configuredVerifier } from '@countersign/identity'
import { Problem, systemClock } from '@countersign/kernel'
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
import { serveConsole } from './shell/serve-console.ts'

await startService('console', async () => {
  const config = readConfig(SETTINGS, process.env)
  const logger = createLogger('console', config.CS_LOG_LEVEL)
  const approvalKey = (await readSealingKeys(config.CS_SEALING_KEYS_FILE)).get('approval')
  if (approvalKey === undefined) {
    throw new Problem('CS_CONFIG_INVALID', 'CS_SEALING_KEYS_FILE has no key with the id approval')
  }
  const verify = configuredVerifier(config)

  await using telemetry = await startTelemetry('console')
  await using log = await connectKafkaLog(kafkaSettings('console', config, logger))
  await using host = await serveConsole({
    log,
    logger,
    clock: systemClock,
    verify,
    seal: await sealerTo(approvalKey, PURPOSES.reviewToken),
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
