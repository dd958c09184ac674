import { type Collector, shown } from './collector.ts'
import { references, referencesOf } from './alter-command.ts'
import { targetOf } from './query.ts'
import { safeName, safeText } from './safe-name.ts'
import {
  constantOf,
  type Node,
  nodeAt,
  nodesAt,
  part,
  textOf,
  type Tree,
  treeOf,
  wordsAt,
} from './tree.ts'
import { dotted, listed, roleOf } from './wording.ts'

/** The sentence about a utility statement (verb and object) for people who must judge it; null where its parts say it. */
export function utilitySentence(to: Collector, { kind, body }: Node): string | null {
  const says = SENTENCES.get(kind)
  if (says === undefined) throw new TypeError(`no sentence for ${kind}`)
  return says(body, to)
}

type Says = (body: Tree, to: Collector) => string | null

/** The name of an object, however the grammar holds it. */
function nameOf(node: Node | null, to: Collector): string {
  if (node === null) return '?'
  const { kind, body } = node
  switch (kind) {
    case 'String':
      return safeName(textOf(body, 'sval'))
    case 'Integer':
      return String(body['ival'] ?? 0)
    case 'Float':
      return safeText(textOf(body, 'fval'))
    case 'List':
      return dotted(nodesAt(body, 'items').flatMap(wordsOf))
    case 'TypeName':
      return dotted(wordsAt(body, 'names'))
    case 'ObjectWithArgs':
      return dotted(wordsAt(body, 'objname'))
    case 'RangeVar':
      return shown(targetOf(to, body))
    case 'RoleSpec':
      return roleOf(body)
    case 'VacuumRelation':
      return nameOf({ kind: 'RangeVar', body: part(body, 'relation') }, to)
    case 'AccessPriv':
      return safeName(textOf(body, 'priv_name'))
    default:
      return '?'
  }
}

const wordsOf = (node: Node): string[] =>
  node.kind === 'String'
    ? [textOf(node.body, 'sval')]
    : node.kind === 'TypeName'
      ? wordsAt(node.body, 'names')
      : []

const namesIn = (body: Tree, field: string, to: Collector): string =>
  listed(nodesAt(body, field).map((node) => nameOf(node, to)))

const rangeIn = (body: Tree, field: string, to: Collector): string => {
  const range = treeOf(body[field])
  return range === null ? '?' : shown(targetOf(to, range))
}

const cascades = (body: Tree): string =>
  textOf(body, 'behavior') === 'DROP_CASCADE' ? ' and everything that depends on it (CASCADE)' : ''

const optionsOf = (body: Tree, field = 'options'): Map<string, string> =>
  new Map(
    nodesAt(body, field).map((option) => [
      textOf(option.body, 'defname'),
      constantOf(nodeAt(option.body, 'arg')) ?? 'true',
    ]),
  )

const isOn = (options: ReadonlyMap<string, string>, name: string): boolean =>
  options.has(name) && !['false', 'off', '0'].includes(options.get(name) ?? '')

/** The kind of the object, in words. */
function objectWord(body: Tree, ...fields: string[]): string {
  const found = fields.map((field) => textOf(body, field)).find((each) => each !== '') ?? ''
  const word = found.replace(/^OBJECT_/, '')
  return WORDS.get(word) ?? word.toLowerCase().replaceAll('_', ' ')
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['MATVIEW', 'materialized view'],
  ['TABCONSTRAINT', 'constraint'],
  ['DOMCONSTRAINT', 'constraint'],
  ['FDW', 'foreign data wrapper'],
  ['LARGEOBJECT', 'large object'],
  ['ATTRIBUTE', 'attribute of the type'],
  ['TSCONFIGURATION', 'text search configuration'],
  ['TSDICTIONARY', 'text search dictionary'],
  ['TSPARSER', 'text search parser'],
  ['TSTEMPLATE', 'text search template'],
  ['OPCLASS', 'operator class'],
  ['OPFAMILY', 'operator family'],
  ['STATISTIC_EXT', 'statistics'],
  ['FOREIGN_SERVER', 'server'],
])

function drops(body: Tree, to: Collector): string {
  const word = objectWord(body, 'removeType')
  const isSchema = word === 'schema'
  const inside =
    isSchema && textOf(body, 'behavior') === 'DROP_CASCADE'
      ? ' and everything in it (CASCADE)'
      : cascades(body)
  const found = nodesAt(body, 'objects')
  const names = found.map((node) =>
    RELATIONS.has(textOf(body, 'removeType')) && node.kind === 'List'
      ? shown(relationOf(wordsAt(node.body, 'items'), to))
      : nameOf(node, to),
  )
  return `drops ${word} ${listed(names)}${inside}${body['concurrent'] === true ? ' without locking it (CONCURRENTLY)' : ''}`
}

const relationOf = (words: readonly string[], to: Collector) =>
  to.names.relation(words.at(-2) ?? null, words.at(-1) ?? '')

const RELATIONS: ReadonlySet<string> = new Set(
  ['TABLE', 'VIEW', 'MATVIEW', 'SEQUENCE', 'FOREIGN_TABLE', 'INDEX'].map(
    (each) => `OBJECT_${each}`,
  ),
)

/** The one object that a statement is about, with its kind. */
function aboutObject(body: Tree, to: Collector, typeField: string): string {
  const word = objectWord(body, typeField)
  const range = treeOf(body['relation'])
  const relation = range !== null && 'relname' in range ? shown(targetOf(to, range)) : null
  const sub = textOf(body, 'subname')
  const found = treeOf(body['object'])
  const object =
    found !== null && Object.keys(found).length === 1 ? nameOf(nodeAt(body, 'object'), to) : null
  // Triggers, rules, policies, columns and constraints are parts of another object.
  const inside = sub === '' ? null : safeName(sub)
  const path = [inside, object, relation].filter((name) => name !== null)
  return `${word} ${path.join(' of ') || '?'}`
}

function grants(body: Tree, to: Collector, defaults: Tree | null = null): string {
  const isGrant = body['is_grant'] === true
  const rights =
    nodesAt(body, 'privileges')
      .map((each) => textOf(each.body, 'priv_name').toLowerCase() + columnsOf(each.body))
      .join(', ') || 'all rights'
  const word = objectWord(body, 'objtype')
  const names = namesIn(body, 'objects', to)
  const on =
    defaults !== null
      ? laterObjects(defaults, word, to)
      : textOf(body, 'targtype') === 'ACL_TARGET_ALL_IN_SCHEMA'
        ? `every ${word} in ${names}`
        : `${word} ${names}`
  const who = namesIn(body, 'grantees', to)
  const further = body['grant_option'] === true
  if (isGrant)
    return `grants ${rights} on ${on} to ${who}${further ? ' with the right to pass it on' : ''}`
  const taken = further ? `the right to pass on ${rights}` : rights
  return `revokes ${taken} on ${on} from ${who}${cascades(body)}`
}

/** The objects that somebody creates later. */
function laterObjects(body: Tree, word: string, to: Collector): string {
  const given = (name: string): readonly Node[] =>
    nodesAt(body, 'options')
      .filter(({ body: option }) => textOf(option, 'defname') === name)
      .flatMap(({ body: option }) => itemsOf(option))
  const names = (nodes: readonly Node[]): string => listed(nodes.map((each) => nameOf(each, to)))
  const makers = names(given('roles')) || 'the role of the session'
  const schemas = names(given('schemas'))
  return `every ${word} that ${makers} creates later${schemas === '' ? '' : ` in ${schemas}`}`
}

const itemsOf = (option: Tree): Node[] => nodesAt(nodeAt(option, 'arg')?.body ?? {}, 'items')

const columnsOf = (privilege: Tree): string => {
  const columns = wordsAt(privilege, 'cols')
  return columns.length === 0 ? '' : ` (${listed(columns.map(safeName))})`
}

function grantsRoles(body: Tree, to: Collector): string {
  const roles = namesIn(body, 'granted_roles', to)
  const who = namesIn(body, 'grantee_roles', to)
  const admin = optionsOf(body, 'opt')
  const further = isOn(admin, 'admin') ? ' with the right to pass it on' : ''
  const [option] = admin.keys()
  if (body['is_grant'] !== true && option !== undefined)
    return `revokes ${OPTIONS.get(option) ?? '?'} ${roles} from ${who}${cascades(body)}`
  return body['is_grant'] === true
    ? `makes ${who} a member of ${roles}${further}`
    : `ends the membership of ${who} in ${roles}${cascades(body)}`
}

/** The options of a membership, as REVOKE … OPTION FOR takes them. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['admin', 'the right to pass on'],
  ['inherit', 'the inherited rights of'],
  ['set', 'the right to SET ROLE to'],
])

function vacuums(body: Tree, to: Collector): string {
  const options = optionsOf(body)
  const names = namesIn(body, 'rels', to) || 'every table of the database'
  if (body['is_vacuumcmd'] !== true) return `collects statistics of ${names}`
  return isOn(options, 'full')
    ? `rebuilds ${names} (VACUUM FULL: nobody can read or write it meanwhile)`
    : `cleans up ${names}`
}

function reindexes(body: Tree, to: Collector): string {
  const kind = textOf(body, 'kind').replace('REINDEX_OBJECT_', '').toLowerCase()
  const name = 'relation' in body ? rangeIn(body, 'relation', to) : safeName(textOf(body, 'name'))
  const how = isOn(optionsOf(body, 'params'), 'concurrently')
    ? 'without locking it (CONCURRENTLY)'
    : 'locks writes'
  return kind === 'index'
    ? `rebuilds the index ${name} (${how})`
    : `rebuilds every index of the ${kind} ${name} (${how})`
}

function clusters(body: Tree, to: Collector): string {
  const name = 'relation' in body ? rangeIn(body, 'relation', to) : 'every clustered table'
  return `rebuilds ${name} in the order of an index (CLUSTER: nobody can read or write it meanwhile)`
}

function indexes(body: Tree, to: Collector): string {
  const name = textOf(body, 'idxname')
  const how = body['concurrent'] === true ? 'without locking writes: CONCURRENTLY' : 'locks writes'
  const unique = body['unique'] === true ? 'a unique index' : 'an index'
  return `creates ${unique}${name === '' ? '' : ` ${safeName(name)}`} on ${rangeIn(body, 'relation', to)} (${how})`
}

/** The options that say what a role may, in words; a password is not shown. */
function roleOptions(body: Tree): string {
  const said = nodesAt(body, 'options').map(({ body: option }) => {
    const name = textOf(option, 'defname')
    const value = constantOf(nodeAt(option, 'arg'))
    if (name === 'password') return 'sets a password'
    const roles = itemsOf(option).map(({ body: role }) => roleOf(role))
    const verb = Number(body['action'] ?? 1) < 0 ? 'without' : 'with'
    if (name === 'rolemembers') return `${verb} the members ${listed(roles)}`
    if (name === 'adminmembers') return `with the admins ${listed(roles)}`
    if (name === 'addroleto') return `member of ${listed(roles)}`
    return `${value === 'false' ? 'no ' : ''}${safeText(ROLE_WORDS.get(name) ?? name)}`
  })
  return said.length === 0 ? '' : ` (${listed(said)})`
}

const ROLE_WORDS: ReadonlyMap<string, string> = new Map([
  ['canlogin', 'login'],
  ['isreplication', 'replication'],
  ['bypassrls', 'bypasses row security'],
  ['inherit', 'inherits'],
])

function setting(body: Tree): string {
  const set = part(body, 'setstmt')
  const name = textOf(set, 'name')
  return name === '' ? 'every setting' : `the setting ${safeName(name)}`
}

const plain =
  (sentence: string): Says =>
  () =>
    sentence

const named =
  (verb: string, field: string): Says =>
  (body) =>
    `${verb} ${safeName(textOf(body, field))}`

const path =
  (verb: string, field: string): Says =>
  (body) =>
    `${verb} ${dotted(wordsAt(body, field))}`

const replaces = (body: Tree): string =>
  body['replace'] === true ? 'replaces or creates' : 'creates'

function createsTable(body: Tree, to: Collector): string {
  const parents = namesIn(body, 'inhRelations', to)
  const kinship = 'partbound' in body ? 'as a partition of' : 'inheriting from'
  const keys = nodesAt(body, 'tableElts').map(({ kind, body: element }) => {
    if (kind === 'ColumnDef') return referencesOf(element, to)
    const refers = kind === 'Constraint' ? references(element, to) : ''
    return refers === '' ? '' : ` with a foreign key${refers}`
  })
  // bound: as long as one statement
  const said = [...new Set(keys.map((key) => key.trim()).filter((key) => key !== ''))]
  return `creates the table ${rangeIn(body, 'relation', to)}${parents === '' ? '' : ` ${kinship} ${parents}`}${said.length === 0 ? '' : ` ${listed(said)}`}`
}

const ofOwner = (body: Tree, field: string): string =>
  isOn(optionsOf(body, field), 'security')
    ? ' that runs with the rights of its owner (SECURITY DEFINER)'
    : ''

/** Its options but for the one that is said in words. */
function changedOf(body: Tree): string {
  const options = optionsOf(body, 'actions')
  const rights = isOn(options, 'security')
    ? ofOwner(body, 'actions')
    : options.has('security')
      ? ' that runs with the rights of its caller from now on (SECURITY INVOKER)'
      : ''
  const others = [...options.keys()].filter((name) => name !== 'security')
  return others.length === 0 ? rights : `${rights} (${others.map(safeName).join(', ')})`
}

function changesSequence(body: Tree, to: Collector): string {
  const options = nodesAt(body, 'options').map((option) => option.body)
  const names = options.map((option) => textOf(option, 'defname'))
  const restart = options.find((option) => textOf(option, 'defname') === 'restart')
  const others = names.filter((name) => name !== 'restart').map(safeName)
  const verb = restart === undefined ? 'changes' : 'restarts'
  const at = nodeAt(restart ?? {}, 'arg')
  // A number below 2^31 is an Integer, whose 0 is left out; a larger one is a Float.
  const from = at === null ? '' : ` with ${Number(at.body['ival'] ?? textOf(at.body, 'fval'))}`
  const more = others.length === 0 ? '' : ` (${others.join(', ')})`
  return `${verb} the sequence ${rangeIn(body, 'sequence', to)}${from}${more}`
}

const DOMAIN_CHANGES: ReadonlyMap<string, string> = new Map([
  ['T', 'changes the default of'],
  ['N', 'lets NULL into'],
  ['O', 'refuses NULL in'],
  ['C', 'adds a constraint to'],
  ['X', 'drops a constraint of'],
  ['V', 'validates a constraint of'],
])

const SAID_BY_PARTS: Says = () => null

const SENTENCES: ReadonlyMap<string, Says> = new Map<string, Says>([
  ...['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'ExplainStmt'].map(
    (kind): [string, Says] => [kind, SAID_BY_PARTS],
  ),
  ...['AlterTableStmt', 'CopyStmt', 'CreateTableAsStmt', 'VariableSetStmt', 'VariableShowStmt'].map(
    (kind): [string, Says] => [kind, SAID_BY_PARTS],
  ),
  [
    'TransactionStmt',
    (body) => TRANSACTIONS.get(textOf(body, 'kind')) ?? 'controls the transaction',
  ],
  ['CreateStmt', createsTable],
  [
    'CreateForeignTableStmt',
    (body, to) => `creates the foreign table ${rangeIn(part(body, 'base'), 'relation', to)}`,
  ],
  ['ViewStmt', (body, to) => `${replaces(body)} the view ${rangeIn(body, 'view', to)}`],
  [
    'PrepareStmt',
    (body) => `prepares the statement ${safeName(textOf(body, 'name'))} for later, which`,
  ],
  ['ExecuteStmt', named('runs the prepared statement', 'name')],
  [
    'DeallocateStmt',
    (body) =>
      `forgets ${textOf(body, 'name') === '' ? 'every prepared statement' : `the prepared statement ${safeName(textOf(body, 'name'))}`}`,
  ],
  ['DeclareCursorStmt', named('opens the cursor', 'portalname')],
  [
    'FetchStmt',
    (body) =>
      `${body['ismove'] === true ? 'moves' : 'reads from'} the cursor ${safeName(textOf(body, 'portalname'))}`,
  ],
  [
    'ClosePortalStmt',
    (body) =>
      `closes ${textOf(body, 'portalname') === '' ? 'every cursor' : `the cursor ${safeName(textOf(body, 'portalname'))}`}`,
  ],
  [
    'LockStmt',
    (body, to) =>
      `locks ${namesIn(body, 'relations', to)} (${LOCK_WORDS[Number(body['mode'] ?? 8)] ?? 'ACCESS EXCLUSIVE'})`,
  ],
  [
    'CreateSchemaStmt',
    (body) => `creates the schema ${safeName(textOf(body, 'schemaname') || '?')}`,
  ],
  [
    'RuleStmt',
    (body, to) =>
      `${replaces(body)} the rule ${safeName(textOf(body, 'rulename'))} on ${rangeIn(body, 'relation', to)}`,
  ],
  [
    'CreateTrigStmt',
    (body, to) =>
      `${replaces(body)} the trigger ${safeName(textOf(body, 'trigname'))} on ${rangeIn(body, 'relation', to)}`,
  ],
  [
    'RefreshMatViewStmt',
    (body, to) =>
      body['skipData'] === true
        ? `empties the materialized view ${rangeIn(body, 'relation', to)} (WITH NO DATA)`
        : `fills the materialized view ${rangeIn(body, 'relation', to)} anew (${body['concurrent'] === true ? 'without locking reads: CONCURRENTLY' : 'locks reads'})`,
  ],
  [
    'CallStmt',
    (body) => `calls the procedure ${dotted(wordsAt(part(body, 'funccall'), 'funcname'))}`,
  ],
  ['DoStmt', plain('runs a block of code')],
  ['ConstraintsSetStmt', plain('sets when constraints are checked in this transaction')],
  [
    'DiscardStmt',
    (body) =>
      `discards ${textOf(body, 'target').replace('DISCARD_', '').toLowerCase()} of the session`,
  ],
  ['ListenStmt', named('listens to the channel', 'conditionname')],
  [
    'UnlistenStmt',
    (body) =>
      `stops listening to ${textOf(body, 'conditionname') === '' ? 'every channel' : `the channel ${safeName(textOf(body, 'conditionname'))}`}`,
  ],
  ['NotifyStmt', named('notifies whoever listens to the channel', 'conditionname')],
  [
    'LoadStmt',
    (body) => `loads the library "${safeText(textOf(body, 'filename'))}" into the server`,
  ],
  ['CheckPointStmt', plain('makes the server write a checkpoint')],
  [
    'TruncateStmt',
    (body, to) =>
      `empties ${namesIn(body, 'relations', to)}${textOf(body, 'behavior') === 'DROP_CASCADE' ? ' and every table that refers to it (CASCADE)' : ''}`,
  ],
  ['VacuumStmt', vacuums],
  ['ReindexStmt', reindexes],
  ['ClusterStmt', clusters],
  ['DropStmt', drops],
  [
    'RenameStmt',
    (body, to) =>
      `renames ${aboutObject(body, to, 'renameType')} to ${safeName(textOf(body, 'newname'))}${cascades(body)}`,
  ],
  [
    'AlterObjectSchemaStmt',
    (body, to) =>
      `moves ${aboutObject(body, to, 'objectType')} to the schema ${safeName(textOf(body, 'newschema'))}`,
  ],
  [
    'AlterObjectDependsStmt',
    (body, to) =>
      `makes ${aboutObject(body, to, 'objectType')} ${body['remove'] === true ? 'no longer depend' : 'depend'} on the extension ${safeName(textOf(part(body, 'extname'), 'sval'))}`,
  ],
  [
    'AlterTableMoveAllStmt',
    (body) =>
      `moves every ${objectWord(body, 'objtype')} of the tablespace ${safeName(textOf(body, 'orig_tablespacename'))} to ${safeName(textOf(body, 'new_tablespacename'))}`,
  ],
  [
    'CommentStmt',
    (body, to) =>
      `changes the comment of ${objectWord(body, 'objtype')} ${nameOf(nodeAt(body, 'object'), to)}`,
  ],
  ['IndexStmt', indexes],
  ['CreateStatsStmt', path('creates the statistics', 'defnames')],
  ['AlterStatsStmt', path('changes the statistics', 'defnames')],
  ['CreateSeqStmt', (body, to) => `creates the sequence ${rangeIn(body, 'sequence', to)}`],
  ['AlterSeqStmt', changesSequence],
  ['CreateDomainStmt', path('creates the domain', 'domainname')],
  [
    'AlterDomainStmt',
    (body) =>
      `${DOMAIN_CHANGES.get(textOf(body, 'subtype')) ?? 'changes'} the domain ${dotted(wordsAt(body, 'typeName'))}${cascades(body)}`,
  ],
  ['CreateEnumStmt', path('creates the type', 'typeName')],
  [
    'AlterEnumStmt',
    (body) =>
      `${'oldVal' in body ? 'renames a value of' : 'adds a value to'} the type ${dotted(wordsAt(body, 'typeName'))}`,
  ],
  ['CreateRangeStmt', path('creates the range type', 'typeName')],
  ['CompositeTypeStmt', (body, to) => `creates the type ${rangeIn(body, 'typevar', to)}`],
  ['AlterTypeStmt', path('changes the type', 'typeName')],
  [
    'DefineStmt',
    (body) => `${replaces(body)} ${objectWord(body, 'kind')} ${dotted(wordsAt(body, 'defnames'))}`,
  ],
  ['CreatedbStmt', named('creates the database', 'dbname')],
  [
    'DropdbStmt',
    (body) =>
      `drops the database ${safeName(textOf(body, 'dbname'))}${optionsOf(body).has('force') ? ' and ends its sessions (FORCE)' : ''}`,
  ],
  ['AlterDatabaseStmt', named('changes the database', 'dbname')],
  [
    'AlterDatabaseRefreshCollStmt',
    named('refreshes the collation version of the database', 'dbname'),
  ],
  [
    'AlterDatabaseSetStmt',
    (body) =>
      `changes ${setting(body)} for every new session of the database ${safeName(textOf(body, 'dbname'))}`,
  ],
  [
    'CreateTableSpaceStmt',
    (body) =>
      `creates the tablespace ${safeName(textOf(body, 'tablespacename'))} in a folder of the server`,
  ],
  ['DropTableSpaceStmt', named('drops the tablespace', 'tablespacename')],
  ['AlterTableSpaceOptionsStmt', named('changes the tablespace', 'tablespacename')],
  ['AlterSystemStmt', (body) => `changes ${setting(body)} of the whole server (ALTER SYSTEM)`],
  ['AlterCollationStmt', path('refreshes the collation', 'collname')],
  [
    'CreateFunctionStmt',
    (body) =>
      `${replaces(body)} the ${body['is_procedure'] === true ? 'procedure' : 'function'} ${dotted(wordsAt(body, 'funcname'))}${ofOwner(body, 'options')}`,
  ],
  [
    'AlterFunctionStmt',
    (body) =>
      `changes the function ${dotted(wordsAt(part(body, 'func'), 'objname'))}${changedOf(body)}`,
  ],
  ['CreateEventTrigStmt', named('creates the event trigger', 'trigname')],
  [
    'AlterEventTrigStmt',
    (body) =>
      `${textOf(body, 'tgenabled') === 'D' ? 'disables' : 'enables'} the event trigger ${safeName(textOf(body, 'trigname'))}`,
  ],
  ['CreateExtensionStmt', named('creates the extension', 'extname')],
  ['AlterExtensionStmt', named('updates the extension', 'extname')],
  ['AlterExtensionContentsStmt', named('changes what belongs to the extension', 'extname')],
  ['CreatePLangStmt', named('creates the language', 'plname')],
  [
    'CreateCastStmt',
    (body) =>
      `creates a cast from ${dotted(wordsAt(part(body, 'sourcetype'), 'names'))} to ${dotted(wordsAt(part(body, 'targettype'), 'names'))}`,
  ],
  [
    'CreateTransformStmt',
    (body) =>
      `${replaces(body)} a transform of ${dotted(wordsAt(part(body, 'type_name'), 'names'))} for ${safeName(textOf(body, 'lang'))}`,
  ],
  ['CreateConversionStmt', path('creates the conversion', 'conversion_name')],
  ['CreateAmStmt', named('creates the access method', 'amname')],
  ['CreateOpClassStmt', path('creates the operator class', 'opclassname')],
  ['CreateOpFamilyStmt', path('creates the operator family', 'opfamilyname')],
  ['AlterOpFamilyStmt', path('changes the operator family', 'opfamilyname')],
  [
    'AlterOperatorStmt',
    (body) =>
      `changes the operator ${wordsAt(part(body, 'opername'), 'objname').map(safeText).join('.')}`,
  ],
  ['AlterTSConfigurationStmt', path('changes the text search configuration', 'cfgname')],
  ['AlterTSDictionaryStmt', path('changes the text search dictionary', 'dictname')],
  ['CreateFdwStmt', named('creates the foreign data wrapper', 'fdwname')],
  ['AlterFdwStmt', named('changes the foreign data wrapper', 'fdwname')],
  ['CreateForeignServerStmt', named('creates the server', 'servername')],
  ['AlterForeignServerStmt', named('changes the server', 'servername')],
  [
    'CreateUserMappingStmt',
    (body) =>
      `gives ${roleOf(part(body, 'user'))} a login at the server ${safeName(textOf(body, 'servername'))}`,
  ],
  [
    'AlterUserMappingStmt',
    (body) =>
      `changes the login of ${roleOf(part(body, 'user'))} at the server ${safeName(textOf(body, 'servername'))}`,
  ],
  [
    'DropUserMappingStmt',
    (body) =>
      `drops the login of ${roleOf(part(body, 'user'))} at the server ${safeName(textOf(body, 'servername'))}`,
  ],
  [
    'ImportForeignSchemaStmt',
    (body) =>
      `creates foreign tables in the schema ${safeName(textOf(body, 'local_schema'))} from the server ${safeName(textOf(body, 'server_name'))}`,
  ],
  [
    'CreatePublicationStmt',
    (body) =>
      `publishes changes of ${body['for_all_tables'] === true ? 'every table' : 'tables'} to other servers: publication ${safeName(textOf(body, 'pubname'))}`,
  ],
  [
    'AlterPublicationStmt',
    named('changes what is published to other servers: publication', 'pubname'),
  ],
  ['CreateSubscriptionStmt', named('copies tables from another server: subscription', 'subname')],
  ['AlterSubscriptionStmt', named('changes the subscription', 'subname')],
  [
    'DropSubscriptionStmt',
    (body) => `drops the subscription ${safeName(textOf(body, 'subname'))}${cascades(body)}`,
  ],
  [
    'CreatePolicyStmt',
    (body, to) =>
      `creates the row security policy ${safeName(textOf(body, 'policy_name'))} on ${rangeIn(body, 'table', to)}`,
  ],
  [
    'AlterPolicyStmt',
    (body, to) =>
      `changes the row security policy ${safeName(textOf(body, 'policy_name'))} on ${rangeIn(body, 'table', to)}`,
  ],
  ['GrantStmt', grants],
  ['GrantRoleStmt', grantsRoles],
  ['AlterDefaultPrivilegesStmt', (body, to) => grants(part(body, 'action'), to, body)],
  [
    'CreateRoleStmt',
    (body) => `creates the role ${safeName(textOf(body, 'role'))}${roleOptions(body)}`,
  ],
  ['AlterRoleStmt', (body) => `changes the role ${roleOf(part(body, 'role'))}${roleOptions(body)}`],
  [
    'AlterRoleSetStmt',
    (body) =>
      `changes ${setting(body)} for every new session of ${'role' in body ? `the role ${roleOf(part(body, 'role'))}` : 'every role'}${textOf(body, 'database') === '' ? '' : ` in the database ${safeName(textOf(body, 'database'))}`}`,
  ],
  ['DropRoleStmt', (body, to) => `drops the role ${namesIn(body, 'roles', to)}`],
  [
    'AlterOwnerStmt',
    (body, to) =>
      `gives ${aboutObject(body, to, 'objectType')} to ${roleOf(part(body, 'newowner'))}`,
  ],
  [
    'ReassignOwnedStmt',
    (body, to) =>
      `gives everything of ${namesIn(body, 'roles', to)} to ${roleOf(part(body, 'newrole'))}`,
  ],
  [
    'DropOwnedStmt',
    (body, to) => `drops everything that belongs to ${namesIn(body, 'roles', to)}${cascades(body)}`,
  ],
  [
    'SecLabelStmt',
    (body, to) =>
      `changes the security label of ${objectWord(body, 'objtype')} ${nameOf(nodeAt(body, 'object'), to)}`,
  ],
])

const TRANSACTIONS: ReadonlyMap<string, string> = new Map([
  ['TRANS_STMT_BEGIN', 'begins a transaction'],
  ['TRANS_STMT_START', 'begins a transaction'],
  ['TRANS_STMT_COMMIT', 'commits the transaction'],
  ['TRANS_STMT_ROLLBACK', 'rolls the transaction back'],
  ['TRANS_STMT_SAVEPOINT', 'sets a savepoint'],
  ['TRANS_STMT_RELEASE', 'releases a savepoint'],
  ['TRANS_STMT_ROLLBACK_TO', 'rolls back to a savepoint'],
  ['TRANS_STMT_PREPARE', 'prepares the transaction for two-phase commit'],
  ['TRANS_STMT_COMMIT_PREPARED', 'commits a prepared transaction'],
  ['TRANS_STMT_ROLLBACK_PREPARED', 'rolls a prepared transaction back'],
])

const LOCK_WORDS: readonly string[] = [
  '',
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
]
