import { meantPath, pathIn } from '@countersign/statements'
import { forgetPortals } from '../core/statement-names.ts'
import { ownQueryAmidst } from './own-query.ts'
import { over, type Session } from './session-state.ts'

/** A path as a setting: a session begins with the one that its statements are decided along, and RESET leads back to it. */
export const settingOf = (path: readonly string[]): string =>
  path.length === 0 ? '""' : path.map((schema) => `"${schema.replaceAll('"', '""')}"`).join(', ')

/**
 * The path may have changed: by a SET, by its end, or by code that policy could not look into. Asks the backend before anything
 * else of the session runs. `moved`: names mean others now, which is allowed, so everything is decided anew. Ends the
 * session where they mean what nobody decides on. `failed`: the backend failed, so the agent did.
 */
export async function pathConfirmed(session: Session): Promise<'same' | 'moved' | 'failed'> {
  if (!session.isPathInDoubt) return 'same'
  const rows = await ownQueryAmidst(session, PATH)
  if (rows === null) return 'failed'
  const [value, hasUser] = (rows[0] ?? []).map((cell) => cell?.toString())
  const skipsUser = session.pathRules.skipsUser && hasUser === 'f'
  const path = meantPath(pathIn(value ?? '-,'), { ...session.pathRules, skipsUser })
  if (path === null)
    return over(session, {
      reason: 'Failed',
      code: 'CS_TARGET_FAILED',
      words: 'code that ran changed the search_path, so names do not mean what is decided on',
    })
  // A cursor runs such code whenever it is fetched from, so the doubt lasts as long as the transaction.
  if (session.status === 'I' && !session.isPipelineOpen) session.isPathInDoubt = false
  if (settingOf(path) === settingOf(session.searchPath)) return 'same'
  session.searchPath = path
  session.stateVersion++
  // They read what they were bound to, which is decided on under another path.
  forgetPortals(session.names)
  return 'moved'
}

/** With whether there is a schema for `"$user"`. */
const PATH = `select pg_catalog.current_setting('search_path'), exists (
  select from pg_catalog.pg_namespace n where n.nspname operator(pg_catalog.=) current_user)`
