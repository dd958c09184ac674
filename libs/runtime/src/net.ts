import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, messageOf } from '@countersign/kernel'
import { metrics } from '@opentelemetry/api'
import type { Logger } from './logger.ts'

/**
 * The net under every callback that the event loop calls: handlers of sockets, timers, and promises that nobody awaits.
 * A fault there is logged with its stack and counted, and ends what it belongs to; the process and everybody else go on.
 */
export type Net = {
  /** The handler with a net under it. `onFault` ends what the handler belongs to, a connection for example. */
  guarded<A extends readonly unknown[]>(
    where: string,
    run: (...given: A) => void,
    onFault?: () => void,
  ): (...given: A) => void
  /** Lets a promise run without being awaited; its rejection is a fault. */
  detached(where: string, work: Promise<unknown>, onFault?: () => void): void
  /** Runs something again and again, until it is disposed. */
  every(where: string, ms: number, run: () => void | Promise<unknown>): Disposable
  /** Runs something once after this time, however long that is, unless it is disposed before. */
  after(where: string, ms: number, run: () => void, onFault?: () => void): Disposable
}

/** A net that tells its faults to this logger. */
export function netOn(logger: Logger): Net {
  const caught = (where: string, cause: unknown, onFault?: () => void): void => {
    countFault(logger, where, cause)
    try {
      onFault?.()
    } catch (second) {
      countFault(logger, where, second)
    }
  }
  const guarded: Net['guarded'] =
    (where, run, onFault) =>
    (...given) => {
      try {
        run(...given)
      } catch (cause) {
        caught(where, cause, onFault)
      }
    }
  const detached: Net['detached'] = (where, work, onFault) => {
    work.catch((cause: unknown) => caught(where, cause, onFault))
  }
  return {
    guarded,
    detached,
    every(where, ms, run) {
      const turn = (): void => {
        const work = run()
        if (work instanceof Promise) detached(where, work)
      }
      const timer = setInterval(guarded(where, turn), ms)
      return { [Symbol.dispose]: () => clearInterval(timer) }
    },
    after: (where, ms, run, onFault) => after(ms, guarded(where, run, onFault)),
  }
}

/** A handler of an HTTP server with a net under it: a fault ends the one answer. */
export const answering =
  (
    where: string,
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    logger: Logger,
  ) =>
  (request: IncomingMessage, response: ServerResponse): void =>
    netOn(logger).guarded(where, answer, () => response.destroy())(request, response)

/** Reports a fault that was caught: a log line with its stack, and the counter `countersign_faults` by its place. */
export function countFault(logger: Logger, where: string, cause: unknown): void {
  metrics
    .getMeter('countersign')
    .createCounter('countersign_faults', {
      description: 'Faults of ours that were caught, by place.',
    })
    .add(1, { where })
  const stack = cause instanceof Error ? { stack: cause.stack } : {}
  logger.error({ where, reason: messageOf(cause), ...stack }, 'a fault was caught')
}
