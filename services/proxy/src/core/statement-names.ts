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
 * SQL can give a name another meaning (PREPARE, DEALLOCATE, DISCARD, DECLARE, CLOSE, or code that we cannot see into). Once
 * the target answered such a statement, no name that SQL can write is trusted; the agent prepares again. The unnamed
 * statement and the unnamed portal have no name in SQL, so they stay.
 */
export function forgetRedefined(
  names: StatementNames,
  sql: string | null,
  isOpaque: boolean,
): void {
  forget(names.statements, sql, isOpaque, REDEFINES_STATEMENTS)
  forget(names.portals, sql, isOpaque, REDEFINES_PORTALS)
}

/** Whether names have to be looked at anew after this text. */
export const mayRedefine = (sql: string | null): boolean =>
  finds(sql, REDEFINES_STATEMENTS) || finds(sql, REDEFINES_PORTALS)

function forget(
  names: Map<string, unknown>,
  sql: string | null,
  isOpaque: boolean,
  words: RegExp,
): void {
  // Most sessions have no names: they pay nothing for what each of their statements may do to some.
  if (names.size === 0 || !(isOpaque || finds(sql, words))) return
  for (const name of names.keys()) if (name !== '') names.delete(name)
}

/**
 * Finds words that redefine. Method: no other statement holds one of these, so of a single statement that begins with a word
 * the first word tells. Of several statements, and of what begins with a comment, any word counts: it forgets too much
 * rather than too little.
 */
function finds(sql: string | null, words: RegExp): boolean {
  if (sql === null) return true
  if (!words.test(sql)) return false
  const first = SEVERAL.test(sql) ? null : FIRST_WORD.exec(sql)
  return first?.[1] === undefined || words.test(first[1])
}

const REDEFINES_STATEMENTS = /prepare|deallocate|discard/i
const REDEFINES_PORTALS = /declare|close|discard|move/i
const SEVERAL = /;\s*\S/
const FIRST_WORD = /^\s*([a-z]+)/i
