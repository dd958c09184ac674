import { literal } from '@countersign/statements'
import type { RequestAllowed } from '@countersign/contracts'
import { sha256 } from '@countersign/kernel'
import type { Ask } from './pipeline-plan.ts'

/**
 * The state of guards of the search path. Code of the target (a trigger, a default) may move the path between two
 * requests of a pipeline. A guard is a statement of our own between the two that fails where the path has moved: then the
 * target skips everything up to Sync, so nothing runs along a path that it was not decided along, and the two go out
 * together. Where it fails, so does the transaction of the agent; asking the target would not. So a guard only follows a
 * text behind which the target was asked before, and had the same path.
 *
 * Known limit: code that moves the path only sometimes fails one transaction of each session, which then asks again.
 */
export type PathGuard = {
  /** The path as the target said it last; null where it may be written otherwise by now. */
  known: KnownPath | null
  /** Digests of the texts behind which the path was the same. */
  readonly keeping: Set<string>
  /** The digest of the text that was released last; null where no guard may follow it. */
  last: string | null
  /** A guard failed in this session. */
  hasFailed: boolean
}

/** The value of the setting, and the schemas that PostgreSQL looks through, as JSON. */
export type KnownPath = { readonly setting: string; readonly schemas: string }

export const newPathGuard = (): PathGuard => ({
  known: null,
  // bound: TEXTS_MAX
  keeping: new Set(),
  last: null,
  hasFailed: false,
})

/**
 * Notes a request that is released. A guard follows nothing but statements on rows: the data of a COPY come right behind it,
 * and behind the end of a transaction a guard would begin another one.
 */
export function noteReleased(
  guard: PathGuard,
  { kind, text }: Pick<Ask, 'kind' | 'text'>,
  decision: Pick<RequestAllowed, 'effects' | 'changesState' | 'takesCopyData' | 'cursorUse'>,
): void {
  const { effects, changesState, takesCopyData, cursorUse } = decision
  const isOnRows =
    kind === 'Execute' &&
    !(changesState || takesCopyData) &&
    cursorUse === null &&
    effects.every(({ effect }) => ON_ROWS.has(effect))
  guard.last = isOnRows ? sha256('', text) : null
}

/** Notes that the target was asked for the path, behind the request that was released last. */
export function notePath(guard: PathGuard, known: KnownPath, isMoved: boolean): void {
  guard.known = known
  if (guard.last === null) return
  if (isMoved) guard.keeping.delete(guard.last)
  else if (guard.keeping.size < TEXTS_MAX) guard.keeping.add(guard.last)
}

/** The text of the guard that may follow what was released last; null where the target has to be asked. */
export function guardText({ known, keeping, last, hasFailed }: PathGuard): string | null {
  if (known === null || last === null || hasFailed || !keeping.has(last)) return null
  return `select where 1 operator(pg_catalog./) case when
  pg_catalog.current_setting('search_path') operator(pg_catalog.=) ${literal(known.setting)}
  and ${SCHEMAS}::pg_catalog.text operator(pg_catalog.=) ${literal(known.schemas)}
  then 1 else 0 end operator(pg_catalog.=) 0`
}

/** The schemas that PostgreSQL looks through, whatever the path is. */
export const SCHEMAS = 'pg_catalog.array_to_json(pg_catalog.current_schemas(false))'
/** The error of a guard that fails. */
export const GUARD_STATE = '22012'

const ON_ROWS: ReadonlySet<string> = new Set(['read', 'write', 'delete'])
const TEXTS_MAX = 1_000
