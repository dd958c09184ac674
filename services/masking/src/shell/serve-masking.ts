import { EventId, messageOf, uuidv5 } from '@countersign/kernel'
import type { Log } from '@countersign/log'
import { type DeciderHost, type Logger, netOn, serveDecider } from '@countersign/runtime'
import type { Sessions } from '../core/sessions.ts'
import { type MaskingOptions, maskingService } from './masking-service.ts'

/** Runs masking on the log until it is disposed. */
export async function serveMasking(
  options: MaskingOptions & { log: Log; logger: Logger },
): Promise<DeciderHost<Sessions>> {
  const { log, logger } = options
  const service = maskingService(options)
  const host = await serveDecider({ log, logger, service })

  /** Plans each session anew whose rules are not in force any more, by comparing versions: no single record decides it. */
  async function planAnew(): Promise<void> {
    for (const sessions of host.partitions().values()) {
      for (const sessionId of service.outdated(sessions)) {
        const cause = EventId(uuidv5(sessionId, `rules/${service.rulesOffset()}`))
        // The host tells of what fails. That session waits for its plan and is refused; the others get theirs.
        await host
          .submit(sessionId, cause, (state) => service.plannedAnew(state, sessionId))
          .catch(() => undefined)
      }
    }
  }
  let isPlanning = false
  const timer = netOn(logger).every('look for plans', LOOK_MS, () => {
    if (isPlanning) return
    isPlanning = true
    return planAnew()
      .catch((cause: unknown) => logger.warn({ reason: messageOf(cause) }, 'cannot plan anew'))
      .finally(() => (isPlanning = false))
  })

  return {
    ...host,
    async [Symbol.asyncDispose]() {
      timer[Symbol.dispose]()
      await host[Symbol.asyncDispose]()
    },
  }
}

/** The time between two looks; a request after a change of its session's rules waits for the next one. */
const LOOK_MS = 100
