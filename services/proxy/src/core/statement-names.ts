import { sha256 } from '@countersign/kernel'
import type { Bind, Parse } from '@countersign/postgres-wire'
import {
  executedName,
  preparedName,
  type RedefinedNames,
  redefinitions,
} from '@countersign/statements'

/** A portal, and the statement that it runs. */
export type Portal = { readonly bind: Bind; readonly parse: Parse }

/**
 * What the names of the extended protocol stand for at the target. Only what the target confirmed stands here: a name
 * that means one text to us and another to the target would let an undecided statement run.
 *
 * Code that nobody can look into may give each name that SQL can write another meaning. Afterwards these names are in doubt:
 * a statement is prepared again from its own text before it is used, and of a portal the target is asked whether it is still
 * the same. The unnamed statement and the unnamed portal have no name in SQL, so they stay.
 */
export type StatementNames = {
  readonly statements: Map<string, Parse>
  readonly portals: Map<string, Portal>
  readonly doubtfulStatements: Set<string>
  readonly doubtfulPortals: Set<string>
  /** When a portal was made, in the bytes of the target; of those that it was asked about. */
  readonly portalAges: Map<string, string>
  /** What a statement, or a portal, was read under when the target made it. */
  readonly readings: WeakMap<Parse | Bind, Reading>
  /** How often texts came to be read otherwise. */
  changes: number
  /** The portals that were executed: what is left of them goes on as it began. */
  readonly begun: WeakSet<Bind>
  /** The types of the parameters of a statement, once the target described them. */
  readonly valueTypes: WeakMap<Parse, readonly number[]>
  /** The statements that PREPARE named, for EXECUTE; PREPARED_MAX of them. */
  readonly prepared: Map<string, Prepared>
}

/**
 * What the target reads a text under: settings, the search path, and what names stand for. The target keeps what it made of a
 * text: the constant that '01/02/2026'::date was under the DateStyle of then, or the table that a name stood for.
 */
export type Reading = string

/** As texts are read now, or were after so many changes, where the settings are known. */
export const readingNow = ({ changes }: Pick<StatementNames, 'changes'>): Reading => String(changes)

/** As texts are read behind what may have changed the settings, in this state of the session, until they are asked for. */
export const readingBehind = (
  { changes }: Pick<StatementNames, 'changes'>,
  stateVersion: number,
): Reading => `${changes}, state ${stateVersion}`

/** A PREPARE by the hashes of its text and of what its literals were read under: under other settings they mean others. */
export type Prepared = { readonly textHash: string; readonly readUnder: string }

export const noNames = (): StatementNames => ({
  // bound: NAMES_MAX
  statements: new Map(),
  // bound: NAMES_MAX
  portals: new Map(),
  // bound: NAMES_MAX
  doubtfulStatements: new Set(),
  // bound: NAMES_MAX
  doubtfulPortals: new Set(),
  // bound: NAMES_MAX
  portalAges: new Map(),
  readings: new WeakMap(),
  changes: 0,
  begun: new WeakSet(),
  valueTypes: new WeakMap(),
  // bound: PREPARED_MAX
  prepared: new Map(),
})

/** A copy for what a pipeline will define if all of it succeeds. */
export const tentative = (
  names: StatementNames,
): Pick<StatementNames, 'statements' | 'portals'> => ({
  statements: new Map(names.statements),
  portals: new Map(names.portals),
})

/** A simple Query destroys the unnamed statement and the unnamed portal. */
export function simpleQueried(names: StatementNames): void {
  forgetStatement(names, '')
  forgetPortal(names, '')
}

/** The target confirmed a Parse, which it read under this. */
export function learnStatement(
  names: StatementNames,
  parse: Parse,
  reading = readingNow(names),
): void {
  names.statements.set(parse.name, parse)
  names.readings.set(parse, reading)
  if (reading !== readingNow(names)) names.valueTypes.delete(parse)
  names.doubtfulStatements.delete(parse.name)
  names.prepared.delete(parse.name)
}

/** The target ran a text: where it was a PREPARE, an EXECUTE of this name is known. */
export function learnPrepared(names: StatementNames, sql: string | null, settings: string): void {
  const name = preparedName(sql)
  if (name === null || sql === null || names.prepared.size >= PREPARED_MAX) return
  names.prepared.set(name, { textHash: sha256('', sql), readUnder: sha256('', settings) })
}

/** Whether this is the text of a PREPARE that the session made, read as it would be under these settings. */
export const isAsPrepared = (prepared: Prepared, text: string, settings: string): boolean =>
  prepared.textHash === sha256('', text) && prepared.readUnder === sha256('', settings)

/** The target described the parameters of a statement. Of a name in doubt it is another statement, perhaps. */
export function learnValueTypes(
  names: StatementNames,
  name: string,
  types: readonly number[],
): void {
  const parse = names.statements.get(name)
  if (parse === undefined || names.doubtfulStatements.has(name)) return
  names.valueTypes.set(parse, types)
}

/** The target confirmed a Bind. */
export function learnPortal(names: StatementNames, bind: Bind, reading = readingNow(names)): void {
  const parse = names.statements.get(bind.statement)
  forgetPortal(names, bind.portal)
  names.readings.set(bind, reading)
  if (parse !== undefined) names.portals.set(bind.portal, { bind, parse })
}

/**
 * Texts are read otherwise from now on, so statements are prepared again before they are used. What PREPARE named cannot be:
 * the target may read it anew at any use, also where that is a mere question for its columns.
 */
export function readOtherwise(names: StatementNames): void {
  names.changes++
  names.prepared.clear()
}

/** The same, where names stand for others from now on, so that a text may take values of other types too. */
export function meansOthers(names: StatementNames): void {
  readOtherwise(names)
  for (const [name, parse] of names.statements) forgetTypes(names, name, parse)
}

/** A copy of the Parse has none yet, and a portal that is bound keeps those that it was bound with. */
function forgetTypes(names: StatementNames, name: string, parse: Parse): void {
  const copy = { ...parse }
  names.statements.set(name, copy)
  const reading = names.readings.get(parse)
  if (reading !== undefined) names.readings.set(copy, reading)
}

/** The target described a statement, and may have read its text anew for that. */
export function learnDescribed(names: StatementNames, name: string, reading: Reading): void {
  if (reading === readingNow(names)) return
  const parse = names.statements.get(name)
  if (parse !== undefined) names.readings.delete(parse)
  names.prepared.delete(name)
}

/** Whether a portal that nothing has executed yet was made under what texts are not read under any more. */
export const isOutdated = (names: StatementNames, bind: Bind): boolean =>
  !names.begun.has(bind) && names.readings.get(bind) !== readingNow(names)

export function forgetStatement(names: StatementNames, name: string): void {
  names.statements.delete(name)
  names.doubtfulStatements.delete(name)
  names.prepared.delete(name)
}

export function forgetPortal(names: StatementNames, name: string): void {
  names.portals.delete(name)
  names.doubtfulPortals.delete(name)
  names.portalAges.delete(name)
}

/** Portals end with their transaction. */
export function forgetPortals(names: StatementNames): void {
  names.portals.clear()
  names.doubtfulPortals.clear()
  names.portalAges.clear()
}

/**
 * The target ran a statement that gives names another meaning (PREPARE, DEALLOCATE, DISCARD, DECLARE, CLOSE): they are not
 * known any more.
 */
export function forgetRedefined(names: StatementNames, sql: string | null): void {
  // Most sessions have no names: they pay nothing for what each of their statements may do to some.
  const { statements: known, prepared, portals: open } = names
  if (known.size + prepared.size + open.size === 0) return
  // PREPARE names no statement that gives others another meaning.
  if (prepared.has(executedName(sql) ?? '')) return
  const { statements, portals } = redefinitions(sql)
  for (const name of written(new Set([...known.keys(), ...prepared.keys()]), statements))
    forgetStatement(names, name)
  for (const name of written(names.portals, portals)) forgetPortal(names, name)
}

/** Code ran that may have redefined every name that SQL can write. Prepared again, the same text may take values of other types. */
export function doubtAll(names: StatementNames): void {
  for (const name of written(names.statements, 'all')) {
    const parse = names.statements.get(name)
    if (parse !== undefined) forgetTypes(names, name, parse)
    names.doubtfulStatements.add(name)
  }
  for (const name of written(names.portals, 'all')) names.doubtfulPortals.add(name)
  names.prepared.clear()
}

/** Named portals of which it is not known when they were made. */
export const agelessPortals = (names: StatementNames): string[] =>
  written(names.portals, 'all').filter((name) => !names.portalAges.has(name))

/** Whether names have to be looked at anew after this text. */
export function mayRedefine(sql: string | null): boolean {
  const { statements, portals } = redefinitions(sql)
  return statements.length + portals.length > 0
}

/** Of more than these it is not known what an EXECUTE runs. */
const PREPARED_MAX = 1_000

type Known = { keys(): Iterable<string> }
const written = (known: Known, names: RedefinedNames): string[] =>
  [...(names === 'all' ? known.keys() : names)].filter((name) => name !== '')
