import { PURPOSES, openerWith, readPrivateKey, configuredVerifier } from '@countersign/identity'
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
import { serveApproval } from './shell/serve-approval.ts'
import { voterReader } from './shell/voter.ts'

await startService('approval', async () => {
  const config = readConfig(SETTINGS, process.env)
  const logger = createLogger('approval', config.CS_LOG_LEVEL)
  const open = await openerWith(
    await readPrivateKey(config.CS_SEALING_KEY_FILE),
    PURPOSES.reviewToken,
  )
  const verify = configuredVerifier(config)

  await using telemetry = await startTelemetry('approval')
  await using log = await connectKafkaLog(kafkaSettings('approval', config, logger))
  const readVoter = voterReader({ open, verify, clock: systemClock })
  await using host = await serveApproval({ log, logger, clock: systemClock, readVoter })
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
