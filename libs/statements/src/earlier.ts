import { type Need } from './needs.ts'
import { HARMLESS_SETTINGS } from './settings.ts'
import { nodeAt, type Node, nodesAt, part, type Tree, textOf } from './tree.ts'

/**
 * The changes that the statements before one in a text may make to the names that it needs. Mutable: each statement is noted
 * in turn.
 *
 * Method: a kind of statement changes what it names, and what PostgreSQL makes beside that, whose names begin with one
 * of those (`orders_pkey`). A kind that is not in these tables may change any name.
 *
 * Known limit, exercised by a test: a SELECT changes nothing, since policy knows the functions that it names, but not those
 * that a view has.
 */
export type Earlier = {
  changes: 'nothing' | 'words' | 'any'
  /** The words of statements that change the schema, of which there are fewer than characters in the text. */
  readonly words: Set<string>
  /** Indexes may have been made on partitions, which have names of those. */
  makesIndexes: boolean
  /** A trigger or a rule may have run, which may change names too. */
  runsCode: boolean
}

/** Nothing stands before the first statement. */
export const nothingEarlier = (): Earlier => ({
  changes: 'nothing',
  // bound: LOOP_BYTES_MAX
  words: new Set(),
  makesIndexes: false,
  runsCode: false,
})

/** Notes that a statement stands before what follows. */
export function noteEarlier(earlier: Earlier, node: Node): void {
  const { kind, body } = node
  if (isQuiet(node)) return
  earlier.runsCode = true
  if (RUNS_CODE.has(kind) || (kind === 'SelectStmt' && !hasInto(body))) return
  if (isMakingIndexes(node)) earlier.makesIndexes = true
  const isOfOne =
    CHANGES_ITS_OWN.has(kind) &&
    textOf(body, 'renameType') !== 'OBJECT_SCHEMA' &&
    !letsCodeRun(node)
  if (earlier.changes === 'any' || !isOfOne) earlier.changes = 'any'
  else {
    earlier.changes = 'words'
    for (const word of wordsIn(body)) earlier.words.add(word).add(cut(word))
  }
}

/** True if the target knows a name now exactly if it will know it then. */
export function isSettled({ changes, words, makesIndexes }: Earlier, { of, names }: Need): boolean {
  if (changes !== 'words') return changes === 'nothing'
  if (makesIndexes && (of === 'index' || of === 'relation')) return false
  return LASTING.has(of) && !names.some((name) => isOf(words, name))
}

/** True if a name is one of the words, or begins with one. */
function isOf(words: ReadonlySet<string>, name: string): boolean {
  if (words.has(name) || (cut(name) !== '' && words.has(cut(name)))) return true
  for (let at = name.indexOf('_'); at >= 0; at = name.indexOf('_', at + 1))
    // An array is named by its type, with a `_` before it.
    if (words.has(at === 0 ? name.slice(1) : name.slice(0, at))) return true
  return false
}

/** The least that PostgreSQL leaves of a long name to which it adds; of a shorter one nothing. */
const cut = (name: string): string => {
  const bytes = Buffer.from(name)
  return bytes.length <= CUT_BYTES ? '' : `\0${bytes.subarray(0, CUT_BYTES).toString('latin1')}`
}

/** True if it may make indexes, on the partitions of a table too. */
const isMakingIndexes = (node: Node): boolean =>
  node.kind === 'IndexStmt' ||
  commandsOf(node).some(
    (command) =>
      MAKING_INDEXES.has(textOf(command, 'subtype')) ||
      'constraints' in (nodeAt(command, 'def')?.body ?? {}),
  )

/** True if code of the target may run from now on at statements that ran none before. */
const letsCodeRun = (node: Node): boolean =>
  node.kind === 'CreateTrigStmt' ||
  commandsOf(node).some((command) => textOf(command, 'subtype').startsWith('AT_Enable'))

const commandsOf = ({ kind, body }: Node): readonly Tree[] =>
  kind === 'AlterTableStmt' ? nodesAt(body, 'cmds').map((command) => command.body) : []

/** True if it runs no code of the target, and changes no name. */
function isQuiet({ kind, body }: Node): boolean {
  switch (kind) {
    case 'SelectStmt':
      // It may change data behind WITH.
      return !('withClause' in body) && !hasInto(body)
    case 'DeclareCursorStmt':
    case 'ExplainStmt': {
      const query = nodeAt(body, 'query')
      return query !== null && isQuiet(query)
    }
    case 'TransactionStmt':
      return QUIET_CONTROLS.has(textOf(body, 'kind'))
    case 'VariableSetStmt':
      return isQuietSetting(textOf(body, 'name').toLowerCase())
    default:
      return QUIET.has(kind)
  }
}

/** True for settings that change neither names nor how a literal is read. */
const isQuietSetting = (name: string): boolean =>
  HARMLESS_SETTINGS.has(name) && !READING_LITERALS.has(name) && !name.startsWith('lc_')

const hasInto = (select: Tree): boolean =>
  'intoClause' in select || ('larg' in select && hasInto(part(select, 'larg')))

/** All words of a tree, the name that it makes or gives among them. */
function wordsIn(body: Tree): readonly string[] {
  const words: string[] = []
  const below: unknown[] = [body]
  for (let next = below.pop(); next !== undefined; next = below.pop()) {
    if (typeof next === 'string') words.push(next)
    else if (typeof next === 'object' && next !== null) below.push(...Object.values(next))
  }
  return words
}

const QUIET: ReadonlySet<string> = new Set([
  ...['VariableShowStmt', 'ClosePortalStmt', 'LockStmt', 'PrepareStmt', 'DeallocateStmt'],
  ...['NotifyStmt', 'ListenStmt', 'UnlistenStmt'],
])
const QUIET_CONTROLS: ReadonlySet<string> = new Set([
  ...['TRANS_STMT_BEGIN', 'TRANS_STMT_START', 'TRANS_STMT_SAVEPOINT', 'TRANS_STMT_RELEASE'],
])
const READING_LITERALS: ReadonlySet<string> = new Set(['datestyle', 'intervalstyle', 'timezone'])
const MAKING_INDEXES: ReadonlySet<string> = new Set(['AT_AddConstraint', 'AT_AttachPartition'])
const RUNS_CODE: ReadonlySet<string> = new Set([
  ...['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TruncateStmt', 'CommentStmt'],
  ...['RefreshMatViewStmt', 'FetchStmt'],
])
const CHANGES_ITS_OWN: ReadonlySet<string> = new Set([
  ...['CreateStmt', 'CreateTableAsStmt', 'ViewStmt', 'IndexStmt', 'CreateSeqStmt', 'RuleStmt'],
  ...['CompositeTypeStmt', 'CreateEnumStmt', 'CreateDomainStmt', 'CreateFunctionStmt'],
  ...[
    'CreateSchemaStmt',
    'CreateTrigStmt',
    'CreatePolicyStmt',
    'CreateRoleStmt',
    'CreateStatsStmt',
  ],
  ...['AlterTableStmt', 'AlterSeqStmt', 'AlterEnumStmt', 'AlterDomainStmt', 'AlterFunctionStmt'],
  ...['AlterPolicyStmt', 'RenameStmt', 'DropStmt', 'DropRoleStmt', 'GrantStmt', 'GrantRoleStmt'],
])
/** Columns and what else belongs to an object may come from another that is changed, as those of a partition do. */
const LASTING: ReadonlySet<Need['of']> = new Set([
  ...(['relation', 'index', 'function', 'call', 'type', 'role', 'schema'] as const),
])
const CUT_BYTES = 24
