import { messageOf } from '@countersign/kernel'
import { complexityOf } from './complexity.ts'
import { EMPTY_CATALOG, namesOf, type TargetCatalog } from './catalog.ts'
import {
  affect,
  type Collector,
  type Given,
  isTooComplex,
  newCollector,
  type OwnRoles,
  reach,
  renames,
  shown,
  takeAwaited,
  WORK_MAX,
} from './collector.ts'
import type { NamedStatement } from './executed.ts'
import type { Effect, StatementSpan, Understanding } from './facts.ts'
import { decoded, parsed, STATEMENT_BYTES_MAX } from './parser.ts'
import { sharedParameters } from './shared-parameters.ts'
import { dangerOf, newTelling, tell, told, worstOf } from './telling.ts'
import { type Node, nodeAt, nodesAt, textOf, type Tree, wordsAt } from './tree.ts'
import { statement } from './utility.ts'

export type UnderstandOptions = BesideText & {
  readonly statementBytesMax?: number
  /** The most comparisons of names with relations. */
  readonly workMax?: number
}

/** The facts about a message that count beside its text. */
export type BesideText = {
  /** The type OIDs of `$1`, `$2`, … that the client declared; 0 leaves it to the server. */
  readonly parameterTypes?: readonly number[]
  /** Their values, where they came with the message. */
  readonly parameters?: readonly (Uint8Array | null)[]
  /** The message prepares a statement, and runs nothing. */
  readonly isPreparation?: boolean
  /** The bytes of data that the message has for its COPY FROM STDIN; null where it has none, and they come later. */
  readonly copyDataBytes?: number | null
  /** True if the session may have temporary relations; true where it is not known. */
  readonly mayHaveTemporary?: boolean
  /** The roles that the session has by itself; null where they are not known. */
  readonly ownRoles?: OwnRoles | null
  /** The statement that the message executes by its name, where it is one EXECUTE and it is known what that runs. */
  readonly executes?: NamedStatement | null
}

/** Everything that a message would do at the target. It never throws: an effect that it cannot tell is `unknown`. */
export function understand(
  sql: Uint8Array | string,
  catalog: TargetCatalog,
  options: UnderstandOptions = {},
): Understanding {
  const text = decoded(sql, options.statementBytesMax)
  if (!text.ok) return unknown(catalog, text.error, isLong(sql, options) ? text.error : null)
  const complexity = complexityOf(text.value)
  if (complexity !== null) return unknown(catalog, complexity, complexity)
  const trees = parsed(text.value)
  if (!trees.ok) return unknown(catalog, trees.error)
  const to = newCollector(namesOf(catalog), givenIn(options, text.value))
  // A statement before the EXECUTE may give the name another meaning.
  if (trees.value.length !== 1) to.executes = null
  try {
    for (const oid of options.parameterTypes ?? [])
      reach(to, to.names.typeOf(oid), `with the OID ${oid}, of a parameter`)
    const spans = trees.value.map((tree) => spanOf(to, tree, text.value))
    takeAwaited(to)
    if (to.populates && to.readsUnplain)
      affect(to, 'opaque', null, 'fills rows whose types may run code of the target')
    if (to.buildsOfOthers && to.readsUnplain) {
      to.runsWhenPrepared = true
      affect(to, 'opaque', null, 'reads literals as of types that may run code of the target')
    }
    return understood(to, spans)
  } catch (thrown) {
    if (isTooComplex(thrown)) return unknown(catalog, thrown.message, thrown.message)
    // A node outside the closed tables, or a tree too deep to walk.
    return unknown(catalog, `is not understood: ${messageOf(thrown)}`)
  }
}

/** The understanding of a text that was not looked at, because that would cost more than it may. */
export const tooComplex = (why: string): Understanding => unknown(EMPTY_CATALOG, why, why)

const isLong = (sql: Uint8Array | string, { statementBytesMax }: UnderstandOptions): boolean =>
  sql.length > (statementBytesMax ?? STATEMENT_BYTES_MAX)

/** Texts are the same bytes in both formats; only the server knows which text a parameter of another type becomes. */
const givenIn = (options: UnderstandOptions, sql: string): Given => ({
  mayHaveTemporary: options.mayHaveTemporary ?? true,
  isPreparation: options.isPreparation ?? false,
  ownRoles: options.ownRoles ?? null,
  copyDataBytes: options.copyDataBytes ?? null,
  executes: options.executes ?? null,
  workMax: options.workMax ?? WORK_MAX,
  parameters: knownParameters(options, sql),
})

function knownParameters(
  { parameters = [], parameterTypes = [] }: UnderstandOptions,
  sql: string,
): readonly (string | null)[] {
  const shared = parameters.length === 0 ? NONE : sharedParameters(sql)
  return parameters.map((value, index) => {
    const type = parameterTypes[index] ?? 0
    const isKept = UNDECLARED.has(type) ? !shared.has(index + 1) : TEXT_TYPES.has(type)
    const text = value === null || !isKept ? null : decoded(value)
    return text?.ok === true ? text.value : null
  })
}

const NONE: ReadonlySet<number> = new Set()
/** Not declared, and unknown: PostgreSQL takes the type from where the parameter stands. */
const UNDECLARED: ReadonlySet<number> = new Set([0, 705])
/** Text, name and varchar. */
const TEXT_TYPES: ReadonlySet<number> = new Set([25, 19, 1043])

function spanOf(to: Collector, tree: Tree, text: string): StatementSpan {
  const node = nodeAt(tree, 'stmt')
  if (!node) throw new TypeError('a statement without a tree')
  to.clauses = newTelling()
  to.here = new Map()
  to.ranges = 0
  to.rangesInAll = 0
  if (to.movesPath && !WITHOUT_NAMES.has(node.kind))
    renames(to, 'has more behind a change of the search_path, which is read along another one')
  const { movesData } = to
  to.movesData = false
  const tag = statement(to, node)
  if (to.movesData && to.changesRows) to.columnsUnknown = true
  to.movesData ||= movesData
  to.changesRows ||= givesOtherRows(to, node)
  if (to.names.hasOtherPaths) {
    // Triggers, defaults and views may set the path.
    if (node.kind === 'DiscardStmt' || [...to.here.values()].some(isOfTarget)) to.movesPath = true
    if (!to.mayHaveTemporary && [...to.here.values()].some(isNowhere))
      renames(to, 'names a relation that is in no schema of the search_path')
  }
  const dangers = [...to.clauses.said.values()].map(({ danger }) => danger)
  dangers.push(dangerOf([...to.here.values()].map(({ effect }) => effect)))
  tell(to.sentences, sentence(to, tag), worstOf(dangers))
  const start = Number(tree['stmt_location'] ?? 0)
  // A length of 0 means: to the end of the text.
  const length = Number(tree['stmt_len'] ?? 0) || Buffer.byteLength(text) - start
  return { tag, start, length }
}

const isOfTarget = ({ relation }: Effect): boolean =>
  relation !== null && relation.schema !== 'pg_catalog' && relation.schema !== 'information_schema'

/** True if the relation is in no known schema: rules name schemas, so none can be about it. */
const isNowhere = ({ effect, relation }: Effect): boolean =>
  relation?.schema === null && MOVING.has(effect)

const MOVING: ReadonlySet<string> = new Set(['read', 'write', 'delete'])

/** True if names, or relations, may show other rows behind a statement than they are described with. */
const givesOtherRows = (to: Collector, { kind, body }: Node): boolean =>
  GIVING_OTHER_ROWS.has(kind) ||
  (kind === 'RenameStmt' && OF_ROWS.has(textOf(body, 'renameType'))) ||
  (kind === 'DropStmt' && uncovers(to, body)) ||
  (kind === 'AlterTableStmt' &&
    nodesAt(body, 'cmds').some(
      ({ body: command }) =>
        ROWS_OF_OTHERS.has(textOf(command, 'subtype')) ||
        nodesAt(nodeAt(command, 'def')?.body ?? {}, 'constraints').some(
          (constraint) => textOf(constraint.body, 'contype') === 'CONSTR_GENERATED',
        ),
    ))

/** True if another relation, on any path of the session, has the name of one that is dropped; a schema may have many. */
const uncovers = (to: Collector, body: Tree): boolean =>
  OF_ROWS.has(textOf(body, 'removeType')) &&
  (textOf(body, 'removeType') === 'OBJECT_SCHEMA' ||
    to.names.hasOtherPaths ||
    nodesAt(body, 'objects').some((one) =>
      to.names.areSeveral(wordsAt(one.body, 'items').at(-1) ?? ''),
    ))

const OF_ROWS: ReadonlySet<string> = new Set([
  ...['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE'],
  ...['OBJECT_COLUMN', 'OBJECT_SCHEMA'],
])
const GIVING_OTHER_ROWS: ReadonlySet<string> = new Set([
  ...['ViewStmt', 'AlterObjectSchemaStmt', 'RuleStmt'],
])
const ROWS_OF_OTHERS: ReadonlySet<string> = new Set([
  ...['AT_AddInherit', 'AT_AttachPartition', 'AT_SetExpression'],
])

/** Statements that look up no name. */
const WITHOUT_NAMES: ReadonlySet<string> = new Set(['VariableSetStmt', 'TransactionStmt'])

/** The sentence about one statement: its clauses, and the relations that it reads. */
function sentence(to: Collector, tag: string): string {
  const { texts, leftOut, dangers } = told(to.clauses, CLAUSES_SHOWN_MAX)
  const clauses = texts.map(({ text }) => text)
  const said = [...clauses.filter(leads), ...clauses.filter((clause) => !leads(clause))]
  if (leftOut > 0) said.push(`and ${leftOut} things more${dangers}`)
  const reads = [...to.here.values()].flatMap(({ effect, relation }) =>
    effect === 'read' && relation !== null ? [shown(relation)] : [],
  )
  const shownReads = reads.slice(0, READS_SHOWN_MAX).join(', ')
  const more = reads.length > READS_SHOWN_MAX ? ` and ${reads.length - READS_SHOWN_MAX} more` : ''
  if (reads.length > 0) said.push(`reads ${shownReads}${more}`)
  if (said.length > 0) return said.join('; ').replaceAll(', which; ', ', which ')
  return tag === 'SELECT' ? 'computes values' : `runs ${tag}`
}

/** True if the other clauses are said of this one. */
const leads = (clause: string): boolean => clause.endsWith(', which')

/** Repeated statements are counted. */
function summaryOf({ sentences }: Collector): string {
  const { texts, isSorted, leftOut, dangers } = told(sentences, SENTENCES_MAX)
  const said = texts.map(({ text, times }) => (times === 1 ? text : `${text} (${times} times)`))
  if (leftOut > 0) said.push(`DOES MORE in ${leftOut} further statements${dangers}`)
  if (isSorted) return `not in this order, the most dangerous first: ${said.join('; also ')}`
  return said.join('; then ') || 'does nothing'
}

const CLAUSES_SHOWN_MAX = 20
const READS_SHOWN_MAX = 8
const SENTENCES_MAX = 50

function understood(to: Collector, statements: readonly StatementSpan[]): Understanding {
  return {
    statements,
    effects: [...to.effects.values()],
    tables: [...to.tables.values()],
    columns: [...to.columns.values()],
    functions: [...to.functions.values()],
    movesData: to.movesData,
    columnsUnknown: to.columnsUnknown,
    copy: to.copy,
    transactionControl: to.controls.at(-1) ?? null,
    transactionControls: to.controls,
    unbounded: to.unbounded,
    stateChanging: to.stateChanging,
    changesNames: to.changesNames,
    settings: [...to.settings].sort(),
    harmlessSetting: to.harmlessSetting === true,
    createsCode: to.createsCode,
    tooComplex: null,
    runsWhenPrepared: to.runsWhenPrepared,
    empty: statements.length === 0 && to.effects.size === 0,
    locks: to.lock ? `${to.lock.mode} on ${shown(to.lock.relation)}` : null,
    summary: summaryOf(to),
  }
}

function unknown(
  catalog: TargetCatalog,
  why: string,
  tooComplex: string | null = null,
): Understanding {
  const to = newCollector(namesOf(catalog))
  affect(to, 'unknown', null, `the statement ${why}`)
  tell(to.sentences, 'cannot be understood', 'anything')
  return { ...understood(to, []), tooComplex }
}
