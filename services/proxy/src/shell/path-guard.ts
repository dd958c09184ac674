import type { RequestReleased } from '@countersign/contracts'
import { type Request, toClient } from '@countersign/postgres-wire'
import type { Unlinked } from '../core/chain.ts'
import { ownPassage } from '../core/own-passage.ts'
import type { Passage } from '../core/passage.ts'
import { GUARD_STATE, guardText } from '../core/path-guard.ts'
import { errorOf } from '../core/refusal.ts'
import { ownRequest } from './own-request.ts'
import { isPathDoubtful } from './search-path.ts'
import type { Session } from './session-state.ts'

/** A guard that goes out right before a request: its text, and its release. */
export type Guard = { readonly sql: string; readonly release: Unlinked<RequestReleased> }

/**
 * The text of the guard that may stand before this message; null where none is needed, or where the path has to be asked for.
 * A simple query is not skipped when something before it fails.
 */
export const guardBefore = (session: Session, message: Request | undefined): string | null =>
  isPathDoubtful(session) && session.status !== 'E' && message?.tag !== 'Query'
    ? guardText(session.pathGuard)
    : null

/** A guard with this text, ready to be recorded. */
export const guardOf = (session: Session, sql: string): Guard => ({
  sql,
  release: ownRequest(session, sql, { decisionId: null }),
})

/** The messages of a guard, by its number in the exchange. Where it fails, the agent gets an error, and may retry. */
export function guardPassage(session: Session, sql: string, request: number): Passage {
  const instead = (fields: ReadonlyMap<string, string>): Buffer | null => {
    if (fields.get('C') !== GUARD_STATE) return null
    session.pathGuard.hasFailed = true
    const refusal = { code: 'CS_PATH_MOVED', reason: MOVED, hint: null, requestId: null } as const
    return toClient.errorResponse(errorOf({ ...refusal, sessionId: session.id }, 'ERROR'))
  }
  return ownPassage({
    ...{ name: session.ownName, sql, resultFormats: [], request },
    step: { isForAgent: true, instead },
  })
}

const MOVED =
  'the search_path, or a schema of it, changed in the middle of a pipeline, most likely in a trigger or a default; nothing ran behind it'
