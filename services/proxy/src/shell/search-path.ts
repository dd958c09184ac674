import { literal, isLookedThrough, isSamePath, meantPath, pathIn } from '@countersign/statements'
import { notePath, SCHEMAS } from '../core/path-guard.ts'
import { forgetPortals, meansOthers } from '../core/statement-names.ts'
import { forgetOwnChanges } from './own-changes.ts'
import { ownQueryAmidst } from './own-query.ts'
import { over, type Session } from './session-state.ts'

/** A path as a setting: a session begins with the one that its statements are decided along, and RESET leads back to it. */
export const settingOf = (path: readonly string[]): string =>
  path.length === 0 ? '""' : path.map((schema) => `"${schema.replaceAll('"', '""')}"`).join(', ')

/** True if the backend has to be asked before anything else of the session is decided on, or runs. */
export const isPathDoubtful = ({ isPathInDoubt, isPathUnheard }: Session): boolean =>
  isPathInDoubt || isPathUnheard

/** PostgreSQL 18 and later report the path, where it is another one, before each ReadyForQuery; others say nothing. */
export const reportsPath = ({ target }: Session): boolean => target.parameters.has('search_path')

/** Notes a path that the target reports; `refused` where the session may not have it. The backend is asked for a new one. */
export function noteReported(session: Session, value: string): 'allowed' | 'refused' {
  const path = meantPath(pathIn(value), session.pathRules)
  if (path === null) return 'refused'
  if (!isSamePath(path, session.searchPath)) session.isPathInDoubt = true
  if (value !== session.pathGuard.known?.setting) session.pathGuard.known = null
  return 'allowed'
}

/**
 * Asks the backend for the path before anything else of the session runs: a SET, its end, or code of the target may
 * have changed it. `moved`: names mean others now, which is allowed, so everything is decided anew. Ends the session
 * where they mean what nothing is decided on. `failed`: the backend failed, and the agent has its error.
 */
export async function pathConfirmed(session: Session): Promise<'same' | 'moved' | 'failed'> {
  if (!isPathDoubtful(session)) return 'same'
  // Before the question, which may open a pipeline: nothing of the agent's can change the path back.
  const isSettled = session.status === 'I' && !session.isPipelineOpen
  const rows = await ownQueryAmidst(session, PATH)
  if (rows === null) return 'failed'
  const [value, hasUser, looked] = (rows[0] ?? []).map((cell) => cell?.toString())
  const skipsUser = session.pathRules.skipsUser && hasUser === 'f'
  const path = meantPath(pathIn(value ?? '-,'), { ...session.pathRules, skipsUser })
  if (path === null)
    return over(session, {
      reason: 'Failed',
      code: 'CS_TARGET_FAILED',
      words: 'code that ran changed the search_path, so names do not mean what is decided on',
    })
  const isLooked = await isPathOf(session, path, schemasIn(looked))
  if (isLooked === null) return 'failed'
  if (!isLooked)
    return over(session, {
      reason: 'Failed',
      code: 'CS_TARGET_FAILED',
      words:
        'the role of the session may not use a schema of its search_path, and PostgreSQL looks names up in those behind it: ' +
        `grant USAGE on each schema of ${settingOf(path)}, or take it out of the path`,
    })
  session.isPathUnheard = false
  const isMoved = !isSamePath(path, session.searchPath)
  notePath(session.pathGuard, { setting: value ?? '', schemas: looked ?? '' }, isMoved)
  // The end of the transaction, or of a savepoint, may change it back; a cursor runs such code whenever it is fetched from.
  if (isSettled) session.isPathInDoubt = false
  else if (isMoved) session.isPathInDoubt = true
  if (!isMoved) return 'same'
  session.searchPath = path
  forgetOwnChanges(session)
  session.stateVersion++
  meansOthers(session.names)
  // Portals read what they were bound to, which was decided on under another path.
  forgetPortals(session.names)
  return 'moved'
}

/** True if names mean what they mean along this path; null where the backend failed. A schema that does not exist has no names, so it may be passed over. */
async function isPathOf(
  session: Session,
  path: readonly string[],
  looked: readonly string[],
): Promise<boolean | null> {
  if (isLookedThrough(path, looked)) return true
  const rows = await ownQueryAmidst(session, existing(path))
  if (rows === null) return null
  const found = schemasIn(rows[0]?.[0]?.toString())
  return isLookedThrough(
    path.filter((schema) => found.includes(schema)),
    looked,
  )
}

const schemasIn = (json: string | undefined): readonly string[] => {
  const schemas: unknown = JSON.parse(json ?? '[]')
  return Array.isArray(schemas) ? schemas.map(String) : []
}

const existing = (path: readonly string[]): string =>
  `select pg_catalog.json_agg(n.nspname) from pg_catalog.pg_namespace n
    where n.nspname operator(pg_catalog.=) any(array[${path.map(literal).join(', ')}]::pg_catalog.name[])`

/** Asks for the path, whether there is a schema for `"$user"`, and the schemas that PostgreSQL looks through. */
const PATH = `select pg_catalog.current_setting('search_path'), exists (
  select from pg_catalog.pg_namespace n where n.nspname operator(pg_catalog.=) current_user),
  ${SCHEMAS}`
