import { IDLE, type OpenTransaction, type Timeout } from '../core/hold-limit.ts'
import { ownQuery } from './own-query.ts'
import type { Session } from './session-state.ts'

/**
 * Asks the backend what its open transaction keeps: which statements have run says less (`SELECT … FOR UPDATE` in a
 * function, `LOCK`, a default isolation level). Every name has its schema, whatever the search_path is.
 */
export async function openTransaction(session: Session): Promise<OpenTransaction> {
  const rows = await ownQuery(session, SQL)
  const [isolation, locks, elapsed, ...timeouts] = (rows?.[0] ?? []).map((cell) => cell?.toString())
  return {
    keepsLocks: locks !== 'f',
    keepsSnapshot: isolation !== 'read committed' && isolation !== 'read uncommitted',
    timeouts: TIMEOUTS.flatMap(({ name, sinceBegin }, at) => {
      const ms = Number(timeouts[at] ?? 0)
      if (!(ms > 0)) return []
      const leftMs = sinceBegin ? ms - Number(elapsed ?? 0) : ms
      return [{ name, ms: Math.max(0, leftMs - SPARE_MS) }]
    }),
  }
}

/** Asks the backend after how long it ends the session where no transaction is open; from now on, as this wakes it. */
export async function idleTimeouts(session: Session): Promise<readonly Timeout[]> {
  const rows = await ownQuery(session, `select ${settingOf(IDLE)}`)
  const ms = Number(rows?.[0]?.[0]?.toString() ?? 0)
  return ms > 0 ? [{ name: IDLE, ms: Math.max(0, ms - SPARE_MS) }] : []
}

/** So long before the target would end the session the agent gets its answer, and the session goes on. */
const SPARE_MS = 1_000

/** Settings of the target that end a session with an open transaction; of those that it does not know yet there is no row. */
const TIMEOUTS = [
  { name: 'idle_in_transaction_session_timeout', sinceBegin: false },
  { name: 'transaction_timeout', sinceBegin: true },
] as const

const settingOf = (name: string): string =>
  `(select s.setting from pg_catalog.pg_settings s where s.name operator(pg_catalog.=) '${name}')`

/**
 * An advisory lock is between applications; what only reads locks a table against changes of its definition alone, and a
 * predicate lock of SERIALIZABLE keeps nobody waiting.
 */
const SQL = `select pg_catalog.current_setting('transaction_isolation'),
  exists (select from pg_catalog.pg_locks l
    where l.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid() and l.granted
      and l.locktype operator(pg_catalog.<>) 'virtualxid' and l.locktype operator(pg_catalog.<>) 'advisory'
      and l.mode operator(pg_catalog.<>) 'AccessShareLock' and l.mode operator(pg_catalog.<>) 'SIReadLock'),
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() operator(pg_catalog.-) pg_catalog.now()) operator(pg_catalog.*) 1000,
  ${TIMEOUTS.map(({ name }) => settingOf(name)).join(', ')}`
