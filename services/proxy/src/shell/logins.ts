import { type Clock, Problem, rested, type SessionId } from '@countersign/kernel'
import type { Log } from '@countersign/log'
import type { Logger, Net } from '@countersign/runtime'
import { type FailedStarts, startFailed, triedTooOften } from '../core/failed-starts.ts'
import {
  loginDelayMs,
  loginFailed,
  loginSummaries,
  noFailedLogins,
  sourceOf,
} from '../core/failed-logins.ts'
import { openJournal } from './journal.ts'

/** The logins of this process: those that fail slow down the next ones, and do not fill the log. */
export type Logins = AsyncDisposable & {
  /** Waits as long as earlier refused logins of the address demand. Throws where too many wait already. */
  turn(clientAddress: string): Promise<void>
  /** Throws what a session that asks for the same failed with lately, where that was too often to try it again yet. */
  mayTry(wish: string): void
  /** Notes that a session of this wish opened. */
  opened(wish: string): void
  /** Counts a refused login, with its wish where that is on record, and says whether it gets an event of its own. */
  refused(clientAddress: string, problem: Problem, wish: string | null): boolean
  /** Records the summaries of refused logins; a timer does this once a minute. */
  tell(): Promise<void>
}

export type LoginsOptions = {
  log: Log
  logger: Logger
  net: Net
  clock: Clock
  newSessionId(): SessionId
}

export function loginsOf(options: LoginsOptions): Logins {
  const { log, logger, net, clock } = options
  const failed = noFailedLogins()
  // bound: one per connection that waits, each of which NEWCOMERS_MAX counts
  const waiting = new Map<string, number>()

  async function tell(): Promise<void> {
    const summaries = loginSummaries(failed, clock.monotonicMs())
    await Promise.all(
      summaries.map(({ address, code, logins }) =>
        openJournal({ log, sessionId: options.newSessionId(), logger }).finish(() => ({
          type: 'SessionRefused',
          at: clock.now(),
          code,
          reason: `${logins} more logins were refused since the last summary`,
          clientAddress: address,
          logins,
        })),
      ),
    )
  }
  // bound: STARTS_MAX
  const starts: FailedStarts<Problem> = new Map()
  const timer = net.every('refused logins', SUMMARY_MS, tell)
  return {
    async turn(clientAddress) {
      const address = hostOf(clientAddress)
      const delayMs = loginDelayMs(failed, address, clock.monotonicMs())
      if (delayMs === 0) return
      const source = sourceOf(address)
      const count = waiting.get(source) ?? 0
      if (count >= WAITING_MAX)
        throw new Problem(
          'CS_SESSION_LIMIT',
          `logins from this address have failed, and ${WAITING_MAX} more wait already`,
          {
            retriable: true,
            hint: 'Try again in some seconds.',
          },
        )
      waiting.set(source, count + 1)
      await rested(delayMs)
      const left = (waiting.get(source) ?? 1) - 1
      if (left > 0) waiting.set(source, left)
      else waiting.delete(source)
    },
    mayTry(wish) {
      const last = triedTooOften(starts, wish, clock.monotonicMs())
      if (last === undefined) return
      const { code, message, hint, cause } = last
      throw new Problem(
        code,
        `${message} (a login like this one failed too often lately, so it is tried only each 5 s)`,
        { retriable: true, ...(hint === null ? {} : { hint }), ...(cause ? { cause } : {}) },
      )
    },
    opened: (wish) => void starts.delete(wish),
    refused(clientAddress, problem, wish) {
      const nowMs = clock.monotonicMs()
      if (wish !== null) startFailed(starts, { asked: wish, why: problem }, nowMs)
      const { code } = problem
      const login = { address: hostOf(clientAddress), code, isOnRecord: wish !== null }
      return loginFailed(failed, login, nowMs) === 'single'
    },
    tell,
    async [Symbol.asyncDispose]() {
      timer[Symbol.dispose]()
      await tell()
    },
  }
}

/** The host in an address, without the port behind it. */
const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'))

const SUMMARY_MS = 60_000
/** Logins of one address that wait at the same time. */
const WAITING_MAX = 100
