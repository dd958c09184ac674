import { sha256 } from '@countersign/kernel'
import type { Bind, Parse, Query } from '@countersign/postgres-wire'
import {
  executedName,
  preparedName,
  type RedefinedNames,
  redefinitions,
} from '@countersign/statements'
import type { Told } from './told-text.ts'

/** A portal, and the statement that it runs. */
export type Portal = { readonly bind: Bind; readonly parse: Parse }

/**
 * The meanings of the names of the extended protocol at the target. Only what the target confirmed stands here: a name
 * that means one text to us and another to the target would let an undecided statement run.
 *
 * Code that policy cannot look into may give each name that SQL can write another meaning. Then these names are in doubt:
 * a statement is prepared again from its own text before it is used, and of a portal the target is asked whether it is still
 * the same. The unnamed statement and the unnamed portal have no name in SQL, so they stay.
 */
export type StatementNames = {
  readonly statements: Map<string, Parse>
  readonly portals: Map<string, Portal>
  readonly doubtfulStatements: Set<string>
  readonly doubtfulPortals: Set<string>
  /** The creation times of the portals that the target was asked about, in the bytes of the target. */
  readonly portalAges: Map<string, string>
  /** The reading of each statement and portal when the target made it. */
  readonly readings: WeakMap<Parse | Bind, Reading>
  /** The number of times that texts came to be read otherwise, by other settings or other meanings of names. */
  changes: number
  /** The portals that were executed: what is left of them goes on as it began. */
  readonly begun: WeakSet<Bind>
  /** The types of the parameters of a statement, once the target described them. */
  readonly valueTypes: WeakMap<Parse, readonly number[]>
  /** The statements that PREPARE named, for EXECUTE; at most PREPARED_MAX of them. */
  readonly prepared: Map<string, Prepared>
  /** The facts that policy told of long texts with its decision: here their words would have to do. */
  readonly told: WeakMap<Buffer, Told>
}

/** A text, in the bytes of the message that it came with. */
export type Text = Pick<Query | Parse, 'text' | 'sql'>

/**
 * The conditions under which the target reads a text: settings, the search path, and the meanings of names. It keeps what it
 * made of a text: the constant that '01/02/2026'::date was under the DateStyle of then, or the table that a name stood for.
 */
export type Reading = string

/** The reading of texts now, or after so many changes, where the settings are known. */
export const readingNow = ({ changes }: Pick<StatementNames, 'changes'>): Reading => String(changes)

/** The reading of texts behind a possible change of settings, in this state of the session, until these are asked for. */
export const readingBehind = (
  { changes }: Pick<StatementNames, 'changes'>,
  stateVersion: number,
): Reading => `${changes}, state ${stateVersion}`

/** A PREPARE by the hashes of its text and of the settings that its literals were read under: others change them. */
export type Prepared = {
  readonly textHash: string
  readonly readUnder: string
  readonly sizeBytes: number
}

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
  told: new WeakMap(),
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

/** Notes that the target confirmed a Parse, and under which reading. */
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

/** Notes a text that the target ran: where it was a PREPARE, it is known what an EXECUTE of this name runs. */
export function learnPrepared(names: StatementNames, text: Text | null, settings: string): void {
  const sql = text?.sql ?? null
  const name = longTextOf(names, text)?.prepares ?? preparedName(sql)
  if (name === null || sql === null || names.prepared.size >= PREPARED_MAX) return
  names.prepared.set(name, {
    textHash: sha256('', sql),
    readUnder: sha256('', settings),
    sizeBytes: Buffer.byteLength(sql),
  })
}

/** True if this is the text of a PREPARE that the session made, read as it would be under these settings. */
export const isAsPrepared = (prepared: Prepared, text: string, settings: string): boolean =>
  prepared.textHash === sha256('', text) && prepared.readUnder === sha256('', settings)

/** Notes how the target described the parameters of a statement; not of a name in doubt, which may be another's. */
export function learnValueTypes(
  names: StatementNames,
  name: string,
  types: readonly number[],
): void {
  const parse = names.statements.get(name)
  if (parse === undefined || names.doubtfulStatements.has(name)) return
  names.valueTypes.set(parse, types)
}

/** Notes that the target confirmed a Bind, and under which reading. */
export function learnPortal(names: StatementNames, bind: Bind, reading = readingNow(names)): void {
  const parse = names.statements.get(bind.statement)
  forgetPortal(names, bind.portal)
  names.readings.set(bind, reading)
  if (parse !== undefined) names.portals.set(bind.portal, { bind, parse })
}

/**
 * Notes that texts are read otherwise from now on, so that statements are prepared again before they are used. Those that
 * PREPARE made cannot be: the target may read them anew at any use, also where that is a mere question for their columns.
 */
export function readOtherwise(names: StatementNames): void {
  names.changes++
  names.prepared.clear()
}

/** The same where names mean something else from now on, so that a text may take values of other types too. */
export function meansOthers(names: StatementNames): void {
  readOtherwise(names)
  for (const [name, parse] of names.statements) forgetTypes(names, name, parse)
}

/** Puts a copy of the Parse in its place, which has no types yet; a portal keeps those that it was bound with. */
function forgetTypes(names: StatementNames, name: string, parse: Parse): void {
  const copy = { ...parse }
  names.statements.set(name, copy)
  const reading = names.readings.get(parse)
  if (reading !== undefined) names.readings.set(copy, reading)
}

/** Notes that the target described a statement, and may have read its text anew for that. */
export function learnDescribed(names: StatementNames, name: string, reading: Reading): void {
  if (reading === readingNow(names)) return
  const parse = names.statements.get(name)
  if (parse !== undefined) names.readings.delete(parse)
  names.prepared.delete(name)
}

/** True if a portal that nothing has executed yet was made under a reading that does not hold any more. */
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

/** Forgets all portals, as at the end of their transaction. */
export function forgetPortals(names: StatementNames): void {
  names.portals.clear()
  names.doubtfulPortals.clear()
  names.portalAges.clear()
}

/**
 * The target ran a statement that gives names another meaning (PREPARE, DEALLOCATE, DISCARD, DECLARE, CLOSE): they are not
 * known any more. Null for a statement that is not known.
 */
export function forgetRedefined(names: StatementNames, text: Text | null): void {
  // Most sessions have no names, so they pay nothing for looking at what each statement redefines.
  const { statements: known, prepared, portals: open } = names
  if (known.size + prepared.size + open.size === 0) return
  // PREPARE names no statement that gives others another meaning.
  const name = longTextOf(names, text)?.executes ?? executedName(text?.sql ?? null)
  if (prepared.has(name ?? '')) return
  const { statements, portals } = redefinedBy(names, text)
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

/** The named portals whose creation times are not known. */
export const agelessPortals = (names: StatementNames): string[] =>
  written(names.portals, 'all').filter((name) => !names.portalAges.has(name))

/** True if names have to be looked at anew after this text. */
export function mayRedefine(names: StatementNames, text: Text): boolean {
  const { statements, portals } = redefinedBy(names, text)
  return statements.length + portals.length > 0
}

function redefinedBy(
  names: StatementNames,
  text: Text | null,
): { readonly statements: RedefinedNames; readonly portals: RedefinedNames } {
  const told = toldOf(names, text)?.redefines ?? null
  if (told === null) return redefinitions(text?.sql ?? null)
  return { statements: told.statements ?? 'all', portals: told.portals ?? 'all' }
}

/** Policy's facts about a text; undefined where it told none. */
export const toldOf = ({ told }: StatementNames, text: Pick<Text, 'text'> | null) =>
  text === null ? undefined : told.get(text.text)

const longTextOf = (names: StatementNames, text: Text | null) => toldOf(names, text)?.longText

/** The most PREPAREs that are remembered; what an EXECUTE of any other runs is not known. */
const PREPARED_MAX = 1_000

type Known = { keys(): Iterable<string> }
const written = (known: Known, names: RedefinedNames): string[] =>
  [...(names === 'all' ? known.keys() : names)].filter((name) => name !== '')
