import { executedName, literal, LOOP_BYTES_MAX, seemsToExecute } from '@countersign/statements'
import type { Ask } from '../core/pipeline-plan.ts'
import { isAsPrepared } from '../core/statement-names.ts'
import type { Share } from './memory.ts'
import { ownQuery, ownQueryAmidst } from './own-query.ts'
import type { Session } from './session-state.ts'

/**
 * The requests of a plan, with what the first one executes by its name (an EXECUTE is always the first). Code may have given
 * the name another meaning, so the backend is asked; what it does not confirm is left out, and is opaque then. Null where
 * the backend failed: then the agent has its error. A long text is asked for where there is room for it as long as people think.
 */
export async function withExecuted(
  session: Session,
  asks: readonly Ask[],
  room: Share,
): Promise<readonly Ask[] | null> {
  const [first, ...others] = asks
  const name = seemsToExecute(first?.sql ?? null)
  if (first === undefined || name === null || session.status === 'E') return asks
  const known = session.names.prepared.get(name)
  if (known === undefined) return asks
  const { sizeBytes } = known
  if (sizeBytes > LOOP_BYTES_MAX && room.grow(sizeBytes) !== 'taken') return asks
  const rows = await ownQueryAmidst(session, textOf(name))
  if (rows === null) return null
  const text = rows[0]?.[0]?.toString()
  if (text === undefined || !isAsPrepared(known, text, JSON.stringify(session.settings)))
    return asks
  return [{ ...first, executes: [{ name, text }] }, ...others]
}

const textOf = (name: string): string =>
  `select statement from pg_catalog.pg_prepared_statements
    where from_sql and name operator(pg_catalog.=) ${literal(name)}`

/**
 * The name that a text executes, where it does nothing else and the backend has no statement of this name; else null. The
 * backend is asked, since code may have prepared it.
 */
export async function unknownName(session: Session, sql: string | null): Promise<string | null> {
  const name = executedName(sql)
  if (name === null) return null
  const rows = await ownQuery(session, isKnown(name))
  return rows?.[0]?.[0]?.toString() === 'f' ? name : null
}

const isKnown = (name: string): string =>
  `select exists (select from pg_catalog.pg_prepared_statements
    where name operator(pg_catalog.=) ${literal(name)})`
