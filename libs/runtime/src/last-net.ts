import type { Logger } from './logger.ts'
import { countFault } from './net.ts'

/**
 * The net below all nets: it catches what a library throws from a callback of its own. The process goes on, since nothing
 * passes without a proof that it was recorded (docs/decisions/0016-a-fault-ends-one-connection.md).
 */
export function hangLastNet(logger: Logger): void {
  const caught = (cause: unknown): void => countFault(logger, 'process', cause)
  process.on('uncaughtException', caught)
  process.on('unhandledRejection', caught)
}
