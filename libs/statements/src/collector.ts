import { Problem } from '@countersign/kernel'
import { safeName, safeText } from './safe-name.ts'
import type { Names } from './catalog.ts'
import type { NamedStatement } from './executed.ts'
import type { Call } from './functions.ts'
import { type Danger, dangerOf, newTelling, tell, type Telling } from './telling.ts'
import type { TypeFacts } from './types.ts'
import type {
  CalledFunction,
  Effect,
  EffectName,
  RelationRef,
  TouchedColumn,
  TransactionControl,
} from './facts.ts'

/** The lock modes of PostgreSQL, weakest first. */
export const LOCKS = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const

export type Lock = (typeof LOCKS)[number]

/** The findings about one message so far. It is filled while the tree is walked, and read once. */
export type Collector = {
  readonly names: Names
  readonly effects: Map<string, Effect>
  readonly tables: Map<string, RelationRef>
  readonly columns: Map<string, TouchedColumn>
  /** The same columns by their relation: the same few are found again and again. */
  readonly noted: Map<RelationRef, Set<string>>
  readonly functions: Map<string, CalledFunction>
  readonly controls: TransactionControl[]
  readonly unbounded: { tag: string; relation: RelationRef }[]
  /** The sentence about each statement. */
  readonly sentences: Telling
  /** The clauses about the statement that is being walked, each a verb and its object, and (`here`) its effects. */
  clauses: Telling
  here: Map<string, Effect>
  lock: { readonly mode: Lock; readonly relation: RelationRef } | null
  /** Counts the names that were compared with a relation, or noted; more than `workMax` are refused. */
  work: number
  readonly workMax: number
  /** Counts the reads; lets a caller see whether a part reads at all. */
  reads: number
  /** The members of FROM that are planned together, and those of the whole statement. */
  ranges: number
  rangesInAll: number
  /** Inside EXPLAIN without ANALYZE: nothing but planning happens. */
  planOnly: boolean
  movesData: boolean
  columnsUnknown: boolean
  copy: 'in' | 'out' | null
  stateChanging: boolean
  changesNames: boolean
  /** Later statements of the same text may be read along another path that the session may have. */
  movesPath: boolean
  /** A statement before this one in the text gave a name, or a relation, other rows. */
  changesRows: boolean
  readonly settings: Set<string>
  harmlessSetting: boolean | null
  createsCode: boolean
  /** PostgreSQL may run code of the target already when it prepares the statement: it reads literals of such types then. */
  runsWhenPrepared: boolean
  /** A function makes values of the types of a row, and (`readsUnplain`) a column is read whose type may run code. */
  populates: boolean
  readsUnplain: boolean
  /** An array is made, or a function called that reads literals as of the type of another argument. */
  buildsOfOthers: boolean
  /** Counts values that may be of types of the target, and those whose type stands elsewhere in the text. */
  values: { ofTarget: number; elsewhere: number }
  /** Code of the target that runs if such a value reaches it from elsewhere in the text. */
  awaited: string | null
  /** The session may have temporary relations, so a relation that is not described may be one. */
  readonly mayHaveTemporary: boolean
  /** The values of `$1`, `$2`, … as far as they are texts; null for a value that is not known. */
  parameters: readonly (string | null)[]
  /** The statement is only prepared: an effect that depends on its parameters is judged when it runs. */
  readonly isPreparation: boolean
  /** Null where they are not known. */
  readonly ownRoles: OwnRoles | null
  /** The bytes of data that came with a COPY FROM STDIN; null where none came. */
  readonly copyDataBytes: number | null
  /** The statement that an EXECUTE runs; null where it is not known. */
  executes: NamedStatement | null
  createsTemporary: boolean
}

/** The roles that a session of Countersign has by itself: setting the role in force again changes no privilege. */
export type OwnRoles = {
  /** The role that logged in. */
  readonly own: string
  /** The role that RESET goes back to. */
  readonly atLogin: string
  /** The role in force, as long as no other one was approved. */
  readonly acting: string
}

/** The facts about a message that are known beside its text. */
export type Given = Pick<
  Collector,
  | 'mayHaveTemporary'
  | 'parameters'
  | 'isPreparation'
  | 'ownRoles'
  | 'copyDataBytes'
  | 'executes'
  | 'workMax'
>

/** So many comparisons of names take some 10 ms, and as many columns may be told. */
export const WORK_MAX = 25_000

export const NOTHING_GIVEN: Given = {
  mayHaveTemporary: true,
  parameters: [],
  isPreparation: false,
  ownRoles: null,
  copyDataBytes: null,
  executes: null,
  workMax: WORK_MAX,
}

export const newCollector = (names: Names, given: Given = NOTHING_GIVEN): Collector => ({
  names,
  ...given,
  // bound: as long as one statement
  effects: new Map(),
  // bound: as long as one statement
  tables: new Map(),
  // bound: as long as one statement
  columns: new Map(),
  // bound: as long as one statement
  noted: new Map(),
  // bound: as long as one statement
  functions: new Map(),
  controls: [],
  unbounded: [],
  sentences: newTelling(),
  clauses: newTelling(),
  // bound: as long as one statement
  here: new Map(),
  lock: null,
  work: 0,
  ranges: 0,
  rangesInAll: 0,
  reads: 0,
  planOnly: false,
  movesData: false,
  columnsUnknown: false,
  copy: null,
  stateChanging: false,
  changesNames: false,
  movesPath: false,
  changesRows: false,
  // bound: as long as one statement
  settings: new Set(),
  harmlessSetting: null,
  createsCode: false,
  runsWhenPrepared: false,
  populates: false,
  readsUnplain: false,
  buildsOfOthers: false,
  values: { ofTarget: 0, elsewhere: 0 },
  awaited: null,
  createsTemporary: false,
})

/** Counts comparisons of names, and throws at too many: columns × relations would take seconds for a text of 60 KB. */
export function spend(to: Collector, comparisons: number): void {
  to.work += comparisons
  if (to.work <= to.workMax) return
  const why = `has too many names for its relations: more than ${to.workMax} comparisons`
  throw new Problem('CS_REQUEST_TOO_COMPLEX', why)
}

/**
 * Counts a member of a FROM, and throws at too many: the planner of PostgreSQL takes memory and time for those that it joins
 * which grow with their square, 20 GB for 50,000 in a text of 1 MB, and keeps some 10 KB for each of the others.
 */
export function countRange(to: Collector): void {
  to.ranges += 1
  to.rangesInAll += 1
  const max = to.ranges > RANGES_MAX ? RANGES_MAX : RANGES_IN_ALL_MAX
  if (to.ranges <= RANGES_MAX && to.rangesInAll <= RANGES_IN_ALL_MAX) return
  const why = `reads more than ${max} relations, functions and sub-selects in one ${max === RANGES_MAX ? 'FROM' : 'statement'}`
  throw new Problem('CS_REQUEST_TOO_COMPLEX', why)
}

/** Walks a query that PostgreSQL plans by itself, and joins with nothing outside. */
export function plannedApart(to: Collector, walk: () => void): void {
  const { ranges } = to
  to.ranges = 0
  walk()
  to.ranges = ranges
}

/** Members below a FROM count with it: PostgreSQL joins the relations of its sub-selects with the others. */
const RANGES_MAX = 1_000
const RANGES_IN_ALL_MAX = 10_000

export const isTooComplex = (thrown: unknown): thrown is Problem =>
  thrown instanceof Problem && thrown.code === 'CS_REQUEST_TOO_COMPLEX'

/** Notes an effect, and the facts that always follow from it. */
export function affect(
  to: Collector,
  asked: EffectName,
  relation: RelationRef | null,
  why: string,
): void {
  const effect = to.planOnly && PLANNED_AS_READ.has(asked) ? 'read' : asked
  if (relation) to.tables.set(keyOf(relation), relation)
  const key = `${effect} ${relation ? keyOf(relation) : ''}`
  if (!to.effects.has(key)) to.effects.set(key, { effect, relation, why })
  if (!to.here.has(key)) to.here.set(key, { effect, relation, why })
  if (relation !== null && ON_ROWS.has(asked)) notePrograms(to, relation)
  if (effect === 'session-change' || effect === 'opaque' || effect === 'unknown')
    to.stateChanging = true
  if (effect === 'opaque' || effect === 'unknown') to.columnsUnknown = true
}

/** Notes that the server runs a program where the rows of a relation come from one: it counts as COPY FROM PROGRAM does. */
export function notePrograms(to: Collector, relation: RelationRef): void {
  if (to.planOnly || !to.names.runsProgram(relation)) return
  const why = `reads ${shown(relation)} from a program on the server`
  affect(to, 'program', null, why)
  say(to, why, 'anything')
}

/** Notes that a relation is read, and for a view the columns that it is made from. */
export function read(to: Collector, relation: RelationRef): void {
  to.reads++
  affect(to, 'read', relation, `reads ${shown(relation)}`)
  const below = to.names.below(relation)
  spend(to, below.length)
  for (const each of below) note(to, each.relation, each.column)
}

/** Notes that unqualified names may mean something else afterwards: no decision about them would hold. */
export function renames(to: Collector, why: string): void {
  to.changesNames = true
  affect(to, 'unknown', null, why)
  say(to, safeText(why), 'anything')
}

/** Notes that a column is read, and the code that its type may run then. */
export function touch(to: Collector, relation: RelationRef, column: string): void {
  note(to, relation, column)
  const type = to.names.typeOfColumn(relation, column)
  if (type?.isOfTarget === true || (type === null && !isSystem(relation))) to.values.ofTarget++
  if (type === null) return
  if (!type.plain) to.readsUnplain = true
  if (type.runsWhenRead)
    affect(to, 'opaque', null, `reads ${shown(relation)}, where types run code of the target`)
  if (type.plain || !type.composed) return
  to.runsWhenPrepared = true
  affect(to, 'opaque', null, `reads ${shown(relation)}, where literals may run code of the target`)
}

/**
 * Notes that a column gets a value: literals are read as of its type when the statement is prepared, and the planner computes
 * casts to it. One that is only prepared or explained needs no right to write for that.
 */
export function assign(to: Collector, relation: RelationRef, column: string): void {
  const type = to.names.typeOfColumn(relation, column)
  if (type === null || type.plain) return
  if (type.composed) to.runsWhenPrepared = true
  if (to.planOnly)
    affect(to, 'opaque', null, `makes values for ${shown(relation)}, whose types run code`)
}

/**
 * Notes that a row is read as one value: it has a type with operators and casts of its own, and a literal beside it is read
 * as such a row.
 */
export function touchRow(to: Collector, relation: RelationRef): void {
  touch(to, relation, '*')
  const type = to.names.typeOfRow(relation)
  if (type !== null) to.values.ofTarget++
  if (type === null || (type.plain && !type.runsWhenRead)) return
  if (!type.plain) to.runsWhenPrepared = true
  affect(to, 'opaque', null, `reads rows of ${shown(relation)}, whose type runs code of the target`)
}

/** Notes a type that the message names or that a parameter has. */
export function reach(to: Collector, type: TypeFacts, name: string): void {
  if (type.isOfTarget === true) to.values.ofTarget++
  if (type.plain && !type.runsWhenRead) return
  if (!type.plain && type.composed) to.runsWhenPrepared = true
  const why = `converts to the type ${name}`
  call(to, { name: `type ${name}`, harmless: false, effects: ['opaque'], why })
}

/** The values of a part of a statement: one may be of a type of the target, or that can be told only of the whole text. */
export type Values = 'of-target' | 'elsewhere' | 'of-postgres'

export function valuesOf(to: Collector, walk: () => void): Values {
  const { ofTarget, elsewhere } = to.values
  walk()
  if (to.values.ofTarget > ofTarget) return 'of-target'
  return to.values.elsewhere > elsewhere ? 'elsewhere' : 'of-postgres'
}

/** Notes code of the target that runs where a value of its own types comes to it. */
export function take(to: Collector, values: Values, why: string): void {
  if (values === 'of-target') affect(to, 'opaque', null, why)
  if (values === 'elsewhere') to.awaited ??= why
}

/** Notes the code that takes values from elsewhere in the text, once the whole text is walked. */
export function takeAwaited(to: Collector): void {
  if (to.awaited !== null && to.values.ofTarget > 0) affect(to, 'opaque', null, to.awaited)
}

const isSystem = ({ schema }: RelationRef): boolean =>
  schema === 'pg_catalog' || schema === 'information_schema'

function note(to: Collector, relation: RelationRef, column: string): void {
  const noted = to.noted.get(relation)
  if (noted?.has(column) === true) return
  if (noted === undefined) to.noted.set(relation, new Set([column]))
  else noted.add(column)
  to.columns.set(`${keyOf(relation)} ${column}`, { relation, column })
}

/** Forgets the columns that were noted so far, and the code that awaits values. */
export function forgetColumns(to: Collector): void {
  to.columns.clear()
  to.noted.clear()
  to.columnsUnknown = false
  to.awaited = null
}

export function lock(to: Collector, mode: Lock, relation: RelationRef): void {
  if (to.planOnly) return
  if (to.lock && LOCKS.indexOf(to.lock.mode) >= LOCKS.indexOf(mode)) return
  to.lock = { mode, relation }
}

export function call(to: Collector, called: Call): void {
  to.functions.set(called.name, { name: called.name, harmless: called.harmless })
  const { stateChanging, columnsUnknown } = to
  for (const effect of called.effects) affect(to, effect, null, called.why)
  if (called.keepsMeaning === true) to.stateChanging = stateChanging
  if (called.showsNothing === true) to.columnsUnknown = columnsUnknown
  if (called.converts === true) to.runsWhenPrepared = true
  // The values that it shows are read from somewhere, as from a relation.
  if (called.showsValues === true) {
    to.columnsUnknown = true
    to.reads++
  }
  if (called.populates === true) to.populates = true
  if (called.effects.length > 0) say(to, safeText(called.why), dangerOf(called.effects))
  if (called.sets !== undefined) to.settings.add(called.sets)
  if (called.path === 'unknown') renames(to, `${called.why} to change the search_path`)
  if (called.path === 'others') to.movesPath = true
}

/** Adds a clause, a verb and its object, about the statement. Where EXPLAIN only plans, nothing is done and none is added. */
export function say(to: Collector, clause: string, danger: Danger = 'none'): void {
  if (!to.planOnly) tell(to.clauses, clause, danger)
}

/** The name of a relation as people write it. */
export const shown = (relation: RelationRef): string =>
  relation.schema === null
    ? safeName(relation.name)
    : `${safeName(relation.schema)}.${safeName(relation.name)}`

const keyOf = (relation: RelationRef): string => JSON.stringify([relation.schema, relation.name])

/** Effects on rows, which are read for it. */
const ON_ROWS: ReadonlySet<EffectName> = new Set(['read', 'write', 'delete'])

/** Effects that a statement does not have inside EXPLAIN without ANALYZE, where they count as reads. */
const PLANNED_AS_READ: ReadonlySet<EffectName> = new Set(['write', 'delete', 'schema-change'])
