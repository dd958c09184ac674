import { literal } from '@countersign/statements'
import { ownQuery } from './own-query.ts'
import type { Session } from './session-state.ts'

/**
 * A session whose base roles may create acts as another role, which owns what it makes. Approved statements run as the
 * session's own role, which is the one that is raised, so that the two are never taken for each other.
 */
export async function actAsItself(session: Session, isRaised: boolean): Promise<void> {
  if (session.profile.mayCreate) await ownQuery(session, isRaised ? 'set role none' : 'reset role')
}

/**
 * Lets the backend hear inside an open transaction of what was committed meanwhile. It hears of it when a transaction begins
 * and when it locks a relation that it has not locked yet; until then it answers from what it remembers, and once a privilege
 * was raised and taken back it remembers that it has none. `pg_relation_size` gives its lock back at once; which catalog it
 * looks at does not matter, as long as nobody has it locked.
 */
export async function hearsOfMemberships(session: Session): Promise<void> {
  await ownQuery(session, LOCKS_ANOTHER)
}

const LOCKS_ANOTHER = `select pg_catalog.pg_relation_size(c.oid) from pg_catalog.pg_class c
  where c.relkind operator(pg_catalog.=) 'r'
    and c.relnamespace operator(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
    and not exists (select from pg_catalog.pg_locks l where l.relation operator(pg_catalog.=) c.oid) limit 1`

/**
 * Asks the backend of the session itself which of these roles it may use: a catalog says what should be, a backend with
 * warm caches may still think otherwise. `changed`: the session does not act as its own role any more.
 */
export async function privilegesConfirmed(
  session: Session,
  roles: readonly string[],
): Promise<'all' | 'some' | 'none' | 'changed'> {
  // Every name has its schema: code that ran in the session may have left it another search_path.
  const usage = "pg_catalog.pg_has_role(session_user, r, 'usage')"
  const rows = await ownQuery(
    session,
    'select current_user operator(pg_catalog.=) session_user, ' +
      `pg_catalog.bool_and(${usage}), pg_catalog.bool_or(${usage}) ` +
      `from pg_catalog.unnest(array[${roles.map(literal).join(', ')}]::pg_catalog.text[]) r`,
  )
  const [isSelf, all, any] = (rows?.[0] ?? []).map((cell) => cell?.toString() === 't')
  if (isSelf !== true) return 'changed'
  return all === true ? 'all' : any === true ? 'some' : 'none'
}
