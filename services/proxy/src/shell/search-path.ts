import type { TargetDescribed } from '@countersign/contracts'
import { keepsNames, pathIn } from '@countersign/statements'
import { ownQueryAmidst } from './own-query.ts'
import { endSession, type Session, SESSION_ENDED } from './session-state.ts'

/** The path as a setting: a session begins with the one that its statements are decided along, and RESET leads back to it. */
export const settingOf = ({ searchPath }: Pick<TargetDescribed, 'searchPath'>): string =>
  searchPath.length === 0
    ? '""'
    : searchPath.map((schema) => `"${schema.replaceAll('"', '""')}"`).join(', ')

/**
 * Code that policy could not look into may have changed the path. Asks the backend before anything else of the session
 * runs, and ends the session where names have come to mean something else. False where the backend failed: so did the agent.
 */
export async function namesConfirmed(session: Session): Promise<boolean> {
  if (!session.areNamesInDoubt) return true
  const rows = await ownQueryAmidst(session, "select pg_catalog.current_setting('search_path')")
  if (rows === null) return false
  const path = pathIn(rows[0]?.[0]?.toString() ?? '-,')
  if (!keepsNames(path, session.searchPath)) {
    endSession(session, {
      reason: 'Failed',
      code: 'CS_TARGET_FAILED',
      words: 'code that ran changed the search_path, so names do not mean what is decided on',
    })
    throw SESSION_ENDED
  }
  // A cursor runs such code whenever it is fetched from, so the doubt lasts as long as the transaction.
  if (session.status === 'I' && !session.isPipelineOpen) session.areNamesInDoubt = false
  return true
}
