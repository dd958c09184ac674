import { type Collector, shown } from './collector.ts'
import { targetOf } from './query.ts'
import { safeName, safeText } from './safe-name.ts'
import type { Danger } from './telling.ts'
import { constantOf, type Node, nodeAt, nodesAt, part, textOf, type Tree, wordsAt } from './tree.ts'
import { dotted, listed, roleOf } from './wording.ts'

/** The words about one command of ALTER TABLE, before "of" and the table. A command that no table names throws. */
export function alterCommand(to: Collector, command: Tree): string {
  const says = COMMANDS.get(textOf(command, 'subtype'))
  if (says === undefined) throw new TypeError(`unknown command ${textOf(command, 'subtype')}`)
  return says(command, to)
}

/** The danger of a command. */
export function dangerOfCommand(command: Tree): Danger {
  const subtype = textOf(command, 'subtype')
  if (PRIVILEGE_COMMANDS.has(subtype)) return 'rights'
  return LOSING.test(subtype) ? 'loss' : 'definition'
}

/** Commands that change who may do what. */
export const PRIVILEGE_COMMANDS: ReadonlySet<string> = new Set([
  ...['AT_ChangeOwner', 'AT_EnableRowSecurity', 'AT_DisableRowSecurity'],
  ...['AT_ForceRowSecurity', 'AT_NoForceRowSecurity'],
])

const LOSING = /^AT_(Drop(Column|Constraint)|DetachPartition)/

/** A constraint, in words, with the table that it refers to. */
function constraint(body: Tree, to: Collector): string {
  const word = CONSTRAINTS.get(textOf(body, 'contype')) ?? 'constraint'
  const name = textOf(body, 'conname')
  const columns = [...wordsAt(body, 'keys'), ...wordsAt(body, 'fk_attrs')].map(safeName)
  const which =
    name !== '' ? ` ${safeName(name)}` : columns.length > 0 ? ` of (${listed(columns)})` : ''
  const unseen = body['skip_validation'] === true ? ' without a look at the rows (NOT VALID)' : ''
  return `the ${word}${which}${references(body, to)}${unseen}`
}

/** The table that a foreign key refers to, and the rows that change with its rows; empty for other constraints. */
export function references(body: Tree, to: Collector): string {
  if (textOf(body, 'contype') !== 'CONSTR_FOREIGN') return ''
  const said = [['fk_del_action', 'DELETE'] as const, ['fk_upd_action', 'UPDATE'] as const].map(
    ([field, event]) => {
      const action = ACTIONS.get(textOf(body, field))
      return action === undefined ? '' : `, ON ${event} ${action}`
    },
  )
  return ` to ${shown(targetOf(to, part(body, 'pktable')))}${said.join('')}`
}

/** The foreign keys among the constraints of a column. */
export const referencesOf = (column: Tree, to: Collector): string =>
  nodesAt(column, 'constraints')
    .filter(({ body }) => textOf(body, 'contype') === 'CONSTR_FOREIGN')
    .map(({ body }) => ` with a foreign key${references(body, to)}`)
    .join('')

const CONSTRAINTS: ReadonlyMap<string, string> = new Map([
  ['CONSTR_CHECK', 'check'],
  ['CONSTR_FOREIGN', 'foreign key'],
  ['CONSTR_PRIMARY', 'primary key'],
  ['CONSTR_UNIQUE', 'unique constraint'],
  ['CONSTR_EXCLUSION', 'exclusion constraint'],
  ['CONSTR_NOTNULL', 'constraint NOT NULL'],
])
const ACTIONS: ReadonlyMap<string, string> = new Map([
  ['c', 'CASCADE'],
  ['n', 'SET NULL'],
  ['d', 'SET DEFAULT'],
])

function options(body: Tree): string {
  const items = nodesAt(nodeAt(body, 'def')?.body ?? {}, 'items')
  return listed(
    items.map(({ body: option }) => {
      const space = textOf(option, 'defnamespace')
      const name = `${space === '' ? '' : `${safeName(space)}.`}${safeName(textOf(option, 'defname'))}`
      const value = wordOf(nodeAt(option, 'arg'))
      return value === null ? name : `${name} = ${safeText(value)}`
    }),
  )
}

/** The grammar takes a word like `off` for the name of a type. */
const wordOf = (node: Node | null): string | null =>
  node?.kind === 'TypeName' ? wordsAt(node.body, 'names').join('.') : constantOf(node)

/** The partition or parent that a command names. */
function other(body: Tree, to: Collector): string {
  const def = nodeAt(body, 'def')
  if (def === null) return '?'
  return shown(targetOf(to, def.kind === 'PartitionCmd' ? part(def.body, 'name') : def.body))
}

function identity(body: Tree): string {
  const def = nodeAt(body, 'def')?.body ?? {}
  const name = textOf(def, 'name')
  return name === ''
    ? (IDENTITIES.get(textOf(def, 'identity_type')) ?? '?')
    : `index ${safeName(name)}`
}

const IDENTITIES: ReadonlyMap<string, string> = new Map([
  ['f', 'every column'],
  ['n', 'nothing'],
  ['d', 'the primary key'],
])

type Says = (command: Tree, to: Collector) => string

const plain =
  (words: string): Says =>
  () =>
    words

const named =
  (words: string): Says =>
  (body) =>
    `${words} ${columnOf(body)}${textOf(body, 'behavior') === 'DROP_CASCADE' ? ' and what depends on it (CASCADE)' : ''}`

/** Columns of an index have no name but a number. */
const columnOf = (body: Tree): string =>
  textOf(body, 'name') === '' ? String(body['num'] ?? '?') : safeName(textOf(body, 'name'))

const withOther =
  (words: string): Says =>
  (body, to) =>
    `${words} ${other(body, to)}`

/** Commands that the grammar makes. Those that PostgreSQL makes of them later are not among them. */
const COMMANDS: ReadonlyMap<string, Says> = new Map<string, Says>([
  [
    'AT_AddColumn',
    (body, to) => {
      const column = nodeAt(body, 'def')?.body ?? {}
      return `adds the column ${safeName(textOf(column, 'colname'))}${referencesOf(column, to)}`
    },
  ],
  ['AT_DropColumn', named('drops a column')],
  [
    'AT_ColumnDefault',
    (body, to) =>
      named('def' in body ? 'changes the default of a column' : 'drops the default of a column')(
        body,
        to,
      ),
  ],
  ['AT_SetNotNull', named('forbids NULL in a column')],
  ['AT_DropNotNull', named('allows NULL in a column')],
  ['AT_SetExpression', named('changes the expression of a column')],
  ['AT_DropExpression', named('drops the expression of a column')],
  ['AT_SetStatistics', named('changes the amount of statistics of a column')],
  ['AT_SetOptions', named('changes the options of a column')],
  ['AT_ResetOptions', named('resets the options of a column')],
  ['AT_SetStorage', named('changes the storage of a column')],
  ['AT_SetCompression', named('changes the compression of a column')],
  ['AT_AlterColumnType', named('changes the type of a column')],
  ['AT_AlterColumnGenericOptions', named('changes the options of a column')],
  ['AT_AddIdentity', named('makes an identity of a column')],
  ['AT_SetIdentity', named('changes the identity of a column')],
  ['AT_DropIdentity', named('drops the identity of a column')],
  ['AT_AddConstraint', (body, to) => `adds ${constraint(nodeAt(body, 'def')?.body ?? {}, to)}`],
  [
    'AT_AlterConstraint',
    (body) =>
      `changes the constraint ${safeName(textOf(nodeAt(body, 'def')?.body ?? {}, 'conname'))}`,
  ],
  ['AT_ValidateConstraint', named('checks all rows against the constraint')],
  ['AT_DropConstraint', named('drops a constraint')],
  ['AT_ChangeOwner', (body) => `makes ${roleOf(part(body, 'newowner'))} the owner`],
  ['AT_ClusterOn', named('chooses for CLUSTER the index')],
  ['AT_DropCluster', plain('chooses for CLUSTER no index')],
  ['AT_SetLogged', plain('keeps every row through a crash (LOGGED)')],
  ['AT_SetUnLogged', plain('lets a crash delete every row (UNLOGGED)')],
  ['AT_SetAccessMethod', named('changes the access method to')],
  ['AT_SetTableSpace', named('moves to the tablespace')],
  ['AT_SetRelOptions', (body) => `sets the options ${options(body)}`],
  ['AT_ResetRelOptions', (body) => `resets the options ${options(body)}`],
  ['AT_GenericOptions', plain('changes the options')],
  ['AT_EnableTrig', named('enables the trigger')],
  ['AT_EnableAlwaysTrig', named('enables, also for replicated rows, the trigger')],
  ['AT_EnableReplicaTrig', named('enables, for replicated rows only, the trigger')],
  ['AT_DisableTrig', named('disables the trigger')],
  ['AT_EnableTrigAll', plain('enables every trigger and foreign key')],
  ['AT_DisableTrigAll', plain('disables every trigger and foreign key')],
  ['AT_EnableTrigUser', plain('enables every trigger')],
  ['AT_DisableTrigUser', plain('disables every trigger')],
  ['AT_EnableRule', named('enables the rule')],
  ['AT_EnableAlwaysRule', named('enables, also for replicated rows, the rule')],
  ['AT_EnableReplicaRule', named('enables, for replicated rows only, the rule')],
  ['AT_DisableRule', named('disables the rule')],
  ['AT_AddInherit', withOther('adds the parent')],
  ['AT_DropInherit', withOther('removes the parent')],
  [
    'AT_AddOf',
    (body) =>
      `binds the columns to the type ${dotted(wordsAt(nodeAt(body, 'def')?.body ?? {}, 'names'))}`,
  ],
  ['AT_DropOf', plain('binds the columns to no type')],
  ['AT_ReplicaIdentity', (body) => `changes the replica identity to ${identity(body)}`],
  ['AT_EnableRowSecurity', plain('turns on the row security')],
  ['AT_DisableRowSecurity', plain('turns off the row security')],
  ['AT_ForceRowSecurity', plain('turns on, for the owner too, the row security')],
  ['AT_NoForceRowSecurity', plain('turns off, for the owner, the row security')],
  ['AT_AttachPartition', withOther('attaches the partition')],
  ['AT_DetachPartition', withOther('detaches the partition')],
  ['AT_DetachPartitionFinalize', withOther('finishes detaching the partition')],
])

/** Every command that is understood. */
export const COMMAND_KINDS: readonly string[] = [...COMMANDS.keys()]
