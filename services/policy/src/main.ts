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
import { loadStatements } from '@countersign/statements'
import { SETTINGS } from './config.ts'
import { contentReader } from './shell/content.ts'
import { proofReader } from './shell/proof.ts'
import { servePolicy } from './shell/serve-policy.ts'
import { understander } from './shell/understander.ts'

await startService('policy', async () => {
  const config = readConfig(SETTINGS, process.env)
  const logger = createLogger('policy', config.CS_LOG_LEVEL)
  const key = await readPrivateKey(config.CS_SEALING_KEY_FILE)
  const verify = configuredVerifier(config)
  const readProof = proofReader({
    open: await openerWith(key, PURPOSES.agentToken),
    verify,
    clock: systemClock,
  })
  const readContent = contentReader(await openerWith(key, PURPOSES.dataKey))
  await loadStatements()

  await using telemetry = await startTelemetry('policy')
  await using log = await connectKafkaLog(kafkaSettings('policy', config, logger))
  await using texts = understander({
    logger,
    statementBytesMax: config.CS_STATEMENT_BYTES_MAX,
    understandingMsMax: config.CS_UNDERSTANDING_MS_MAX,
  })
  await using host = await servePolicy({
    log,
    logger,
    clock: systemClock,
    readProof,
    readContent,
    understander: texts,
  })
  await using _health = await serveHealth({
    host: config.CS_HEALTH_HOST,
    port: config.CS_HEALTH_PORT,
    checks: [
      { name: 'log', healthy: () => log.healthy() },
      { name: 'decider', healthy: () => host.healthy() },
      { name: 'texts', healthy: () => texts.healthy() },
    ],
    telemetry,
    logger,
  })
  logger.info({}, 'serving')
  await Promise.race([terminated(), host.failed])
})
