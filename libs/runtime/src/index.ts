export { COMMON_SETTINGS, count, flag, path, port, readConfig } from './config.ts'
export { closed, type HealthCheck, listening, serveHealth } from './health.ts'
export { kafkaSettings } from './kafka-settings.ts'
export { createLogger, type Logger } from './logger.ts'
export {
  type Consequence,
  type DeciderHost,
  type DeciderOptions,
  type DeciderService,
  type Decision,
  serveDecider,
} from './serve-decider.ts'
export { startService } from './start-service.ts'
export { startTelemetry, type Telemetry } from './telemetry.ts'
export { traced } from './traced.ts'
export { terminated } from './terminated.ts'
export { type Answer, problemDetails, type ProblemMembers, problemOf } from './problem-details.ts'
