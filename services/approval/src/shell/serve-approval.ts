import { type Clock, messageOf } from '@countersign/kernel'
import type { Log } from '@countersign/log'
import { type Logger, netOn, serveDecider } from '@countersign/runtime'
import { approvalService } from './approval-service.ts'
import { newRules } from './rules.ts'
import { sweep } from './sweep.ts'
import type { VoterReader } from './voter.ts'

export type ApprovalOptions = { log: Log; logger: Logger; clock: Clock; readVoter: VoterReader }

/** A running approval service. */
export type ApprovalHost = AsyncDisposable & {
  healthy(): boolean
  readonly failed: Promise<never>
}

/** Runs approval on the log until it is disposed. */
export async function serveApproval(options: ApprovalOptions): Promise<ApprovalHost> {
  const { log, logger, clock, readVoter } = options
  const rules = newRules()
  const host = await serveDecider({
    log,
    logger,
    service: approvalService({ clock, rules, readVoter }),
  })
  let sweeping: Promise<void> | null = null
  const timer = netOn(logger).every('sweep', SWEEP_MS, () => {
    // A sweep waits for the log; while it does, another would only queue up behind it.
    sweeping ??= sweep(host, rules, clock)
      .catch((cause: unknown) =>
        logger.warn({ reason: messageOf(cause) }, 'a sweep failed; trying again'),
      )
      .finally(() => {
        sweeping = null
      })
    return sweeping
  })
  return {
    healthy: () => host.healthy(),
    failed: host.failed,
    [Symbol.asyncDispose]: async () => {
      timer[Symbol.dispose]()
      await host[Symbol.asyncDispose]()
    },
  }
}

/** The time between two sweeps; a deadline may be noticed this late. */
const SWEEP_MS = 200
