import type { Bind, Parse } from '@countersign/postgres-wire'

/** A portal, and the statement that it runs. */
export type Portal = { readonly bind: Bind; readonly parse: Parse }

/**
 * What the names of the extended protocol stand for at the target. Only what the target confirmed stands here: a name
 * that means one text to us and another to the target would let an undecided statement run.
 */
export type StatementNames = {
  readonly statements: Map<string, Parse>
  readonly portals: Map<string, Portal>
}

export const noNames = (): StatementNames => ({ statements: new Map(), portals: new Map() })

/** A copy for what a pipeline will define if all of it succeeds. */
export const tentative = (names: StatementNames): StatementNames => ({
  statements: new Map(names.statements),
  portals: new Map(names.portals),
})

/** A simple Query destroys the unnamed statement and the unnamed portal. */
export function simpleQueried(names: StatementNames): void {
  names.statements.delete('')
  names.portals.delete('')
}

/**
 * SQL can give a name another meaning (PREPARE, DEALLOCATE, DISCARD, DECLARE, CLOSE, or code that we cannot see into).
 * After such a statement no name is trusted; the agent prepares again. Method: words of the text, so it forgets too much
 * rather than too little.
 */
export function forgetRedefined(
  names: StatementNames,
  sql: string | null,
  isOpaque: boolean,
): void {
  if (isOpaque || sql === null || REDEFINES_STATEMENTS.test(sql)) names.statements.clear()
  if (isOpaque || sql === null || REDEFINES_PORTALS.test(sql)) names.portals.clear()
}

const REDEFINES_STATEMENTS = /prepare|deallocate|discard/i
const REDEFINES_PORTALS = /declare|close|discard|move/i
