import { BUILTIN_TYPES, HARMLESS_FUNCTIONS } from './generated/pg-catalog.ts'
import { children, type Node, nodeAt, nodesAt, part, type Tree, textOf, wordsAt } from './tree.ts'

/**
 * A name that a statement needs the target to know. `call` is a function, or what else may be written like the call of one: a
 * conversion to a type, or a column of a row. `relation` is any relation, an index too; `index` one that is dropped. The others are
 * the words of PostgreSQL's `pg_get_object_address`.
 */
export type Need = {
  readonly of: 'relation' | 'index' | 'function' | 'call' | Address
  readonly names: readonly string[]
}

type Address = 'type' | 'schema' | 'role' | 'table column' | Member | Thing

/** An object that belongs to a relation. */
type Member = 'trigger' | 'rule' | 'policy' | 'table constraint'

/**
 * The names without which a statement fails, in about their order. A statement that PostgreSQL analyses (a query, UPDATE, …)
 * needs all that it names; of a utility statement those of `UTILITIES` are known, and others need nothing.
 *
 * Known limits: a name that the statement makes itself is not needed, nor anything else that has it;
 * nothing is needed where it says IF EXISTS or IF NOT EXISTS; of functions only the name is looked at; the operators,
 * collations, access methods, tablespaces and columns that its parts use are not.
 */
export function needsOf(node: Node): readonly Need[] {
  if (isLenient(node)) return []
  const isUtility = hasNeeds(node)
  return [
    ...named(node).flatMap((need) => (isUtility ? withSchema(need) : [need])),
    ...needsBeside(node),
  ]
}

/** The names of a statement beside those in its query. */
export const needsBeside = ({ kind, body }: Node): readonly Need[] => UTILITIES[kind]?.(body) ?? []

/** Only where it analyses a statement, PostgreSQL says of a relation in an unknown schema that there is no such relation. */
const withSchema = (need: Need): readonly Need[] =>
  need.of === 'relation' ? [...schemaOf(need.names), need] : [need]

/** True if needs of the statement are known. */
export const hasNeeds = (node: Node): boolean => node.kind in UTILITIES

/** True if the statement does not fail where something is missing, or is there already. */
const isLenient = ({ kind, body }: Node): boolean =>
  // An index needs its relation in any case.
  kind !== 'IndexStmt' &&
  [body, part(body, 'base')].some(
    (one) => one['missing_ok'] === true || one['if_not_exists'] === true,
  )

/** The relations, types, roles and functions that a tree names, but for those that it makes itself. */
function named(root: Node): readonly Need[] {
  const made = new Set(madeBy(root))
  const needs: Need[] = []
  const below: Node[] = [root]
  for (let next = below.pop(); next !== undefined; next = below.pop()) {
    const { kind, body } = next
    if (kind === 'CommonTableExpr') made.add(textOf(body, 'ctename'))
    const need = NAMED[kind]?.(body)
    if (need !== undefined) needs.push(...need)
    if (!LEAVES.has(kind)) below.push(...partsOf(next).toReversed())
  }
  return needs.filter(({ names }) => !made.has(names.at(-1) ?? ''))
}

/** Nothing below them is needed. */
const LEAVES: ReadonlySet<string> = new Set([
  ...['TypeName', 'String', 'Integer', 'A_Const', 'ColumnRef', 'ParamRef', 'RangeVar', 'RoleSpec'],
])

const NAMED: Readonly<Record<string, (body: Tree) => readonly Need[]>> = {
  RangeVar: relation,
  TypeName: type,
  RoleSpec: (body) => each('role', [[textOf(body, 'rolename')]]),
  FuncCall(body) {
    const names = wordsAt(body, 'funcname')
    const isAlone = nodesAt(body, 'args').length === 1
    const isBuiltIn =
      names[0] === 'pg_catalog' || (names.length === 1 && HARMLESS_FUNCTIONS.has(names[0] ?? ''))
    return isBuiltIn ? [] : [...schemaOf(names), ...each(isAlone ? 'call' : 'function', [names])]
  },
}

function type(body: Tree): readonly Need[] {
  const names = wordsAt(body, 'names')
  const isBuiltIn =
    names[0] === 'pg_catalog' || (names.length === 1 && BUILTIN_TYPES.has(names[0] ?? ''))
  // `a.b%type` is the type of a column; `serial` is no type, but a way to write a column.
  const isWritten = body['pct_type'] === true || (names.length === 1 && SERIAL.test(names[0] ?? ''))
  return isBuiltIn || isWritten ? [] : each('type', [names])
}

function relation(range: Tree): readonly Need[] {
  return each('relation', [rangeNames(range)])
}

/** The schema, where it says one, and the name of a relation. */
export const rangeNames = (range: Tree): readonly string[] =>
  [textOf(range, 'schemaname'), textOf(range, 'relname')].filter(Boolean)

/** The nodes below one in which names must be known to the target. */
function partsOf(node: Node): readonly Node[] {
  const { kind, body } = node
  switch (kind) {
    // It names what stands in FROM, by its alias.
    case 'LockingClause':
    case 'IntoClause':
      return []
    // Its parts use what it makes.
    case 'CreateSchemaStmt':
      return children({ kind, body: { authrole: body['authrole'] } })
    // Words like `off` are types to the grammar.
    case 'DefElem':
      return [nodeAt(body, 'arg')]
        .flatMap((arg) => (arg?.kind === 'List' ? nodesAt(arg.body, 'items') : [arg]))
        .filter((one) => one?.kind === 'RoleSpec')
        .filter((one) => one !== null)
    case 'AlterTableCmd':
      return body['missing_ok'] === true ? [] : children(node)
    case 'AlterRoleSetStmt':
      return children({ kind, body: { role: body['role'] } })
    // A type that does not exist yet is made by its functions.
    case 'CreateFunctionStmt':
      return MAKES_TYPES.has(languageOf(body)) ? [] : children(node)
    default: {
      const made = body[MADE[kind] ?? '']
      return children(node).filter((one) => one.body !== made)
    }
  }
}

/** The fields that hold what a statement makes, where that is a relation. */
const MADE: Readonly<Record<string, string>> = {
  CreateStmt: 'relation',
  CreateSeqStmt: 'sequence',
  ViewStmt: 'view',
  CompositeTypeStmt: 'typevar',
}

function madeBy({ kind, body }: Node): readonly string[] {
  const base = kind === 'CreateForeignTableStmt' ? part(body, 'base') : body
  const field = kind === 'CreateForeignTableStmt' ? 'relation' : MADE[kind]
  if (field !== undefined) return rangeNames(part(base, field)).slice(-1)
  if (kind === 'CreateFunctionStmt') return wordsAt(body, 'funcname').slice(-1)
  // Names of the rows in an action.
  return kind === 'RuleStmt' ? ['new', 'old'] : []
}

/** The schema in which a statement makes something. */
const inSchema =
  (field: string) =>
  (body: Tree): readonly Need[] =>
    schemaOf(Array.isArray(body[field]) ? wordsAt(body, field) : rangeNames(part(body, field)))

/** The schema of a qualified name; a session always has one for its temporary relations. */
const schemaOf = (names: readonly string[]): readonly Need[] =>
  names.length < 2 ? [] : schema(names.at(-2) ?? '')

const schema = (name: string): readonly Need[] =>
  name.startsWith('pg_temp') ? [] : each('schema', [[name]])

const each = (of: Need['of'], all: readonly (readonly string[])[]): readonly Need[] =>
  all.filter((names) => names.length > 0 && names.every(Boolean)).map((names) => ({ of, names }))

/** An object of a statement, by the type that the statement says of it. */
function object(objectType: string, node: Node | null): readonly Need[] {
  const names = namesIn(node)
  if (RELATIONS.has(objectType)) return each('relation', [names]).flatMap(withSchema)
  if (FUNCTIONS.has(objectType)) return [...schemaOf(names), ...each('function', [names])]
  if (objectType === 'OBJECT_SCHEMA') return names.flatMap(schema)
  const member = MEMBERS[objectType]
  if (member !== undefined)
    return names.length < 2
      ? []
      : [...each('relation', [names.slice(0, -1)]), ...each(member, [names])]
  const thing = THINGS[objectType]
  return thing === undefined ? [] : each(thing, [names])
}

function namesIn(node: Node | null): readonly string[] {
  switch (node?.kind) {
    case 'String':
      return [textOf(node.body, 'sval')]
    case 'List':
      return wordsAt(node.body, 'items')
    case 'TypeName':
      return type(node.body).flatMap(({ names }) => names)
    case 'ObjectWithArgs':
      return wordsAt(node.body, 'objname')
    default:
      return []
  }
}

const RELATIONS: ReadonlySet<string> = new Set([
  ...['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE'],
  'OBJECT_FOREIGN_TABLE',
])
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE'],
])
const MEMBERS: Readonly<Record<string, Member | 'table column'>> = {
  OBJECT_COLUMN: 'table column',
  OBJECT_ATTRIBUTE: 'table column',
  OBJECT_TRIGGER: 'trigger',
  OBJECT_RULE: 'rule',
  OBJECT_POLICY: 'policy',
  OBJECT_TABCONSTRAINT: 'table constraint',
}
type Thing =
  | 'extension'
  | 'language'
  | 'foreign-data wrapper'
  | 'server'
  | 'event trigger'
  | 'publication'
  | 'collation'
  | 'conversion'
  | 'statistics object'
  | `text search ${'parser' | 'dictionary' | 'template' | 'configuration'}`
/** A comment on a database that does not exist is only warned of, so databases are not among them. */
const THINGS: Readonly<Record<string, Thing | 'type' | 'role'>> = {
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_ROLE: 'role',
  OBJECT_EXTENSION: 'extension',
  OBJECT_LANGUAGE: 'language',
  OBJECT_FDW: 'foreign-data wrapper',
  OBJECT_FOREIGN_SERVER: 'server',
  OBJECT_EVENT_TRIGGER: 'event trigger',
  OBJECT_PUBLICATION: 'publication',
  OBJECT_COLLATION: 'collation',
  OBJECT_CONVERSION: 'conversion',
  OBJECT_STATISTIC_EXT: 'statistics object',
  OBJECT_TSPARSER: 'text search parser',
  OBJECT_TSDICTIONARY: 'text search dictionary',
  OBJECT_TSTEMPLATE: 'text search template',
  OBJECT_TSCONFIGURATION: 'text search configuration',
}

/** The needs of utility statements beside the relations, types, roles and functions that stand in their trees as such. */
const UTILITIES: Readonly<Record<string, (body: Tree) => readonly Need[]>> = {
  CreateStmt: inSchema('relation'),
  CreateForeignTableStmt: (body) => [
    ...inSchema('relation')(part(body, 'base')),
    ...each('server', [[textOf(body, 'servername')]]),
  ],
  CreateSeqStmt: inSchema('sequence'),
  CompositeTypeStmt: inSchema('typevar'),
  CreateEnumStmt: inSchema('typeName'),
  CreateDomainStmt: inSchema('domainname'),
  CreateSchemaStmt: none,
  ViewStmt: inSchema('view'),
  PrepareStmt: none,
  CreateFunctionStmt: inSchema('funcname'),
  CreateTrigStmt: (body) => [
    ...object('OBJECT_FUNCTION', { kind: 'List', body: { items: body['funcname'] } }),
    ...members('table column', part(body, 'relation'), wordsAt(body, 'columns')),
  ],
  CreateEventTrigStmt: (body) =>
    object('OBJECT_FUNCTION', { kind: 'List', body: { items: body['funcname'] } }),
  CreateStatsStmt: none,
  CreatePolicyStmt: none,
  RuleStmt: none,
  IndexStmt: (body) =>
    body['if_not_exists'] === true
      ? []
      : members(
          'table column',
          part(body, 'relation'),
          [...nodesAt(body, 'indexParams'), ...nodesAt(body, 'indexIncludingParams')].map((one) =>
            textOf(one.body, 'name'),
          ),
        ),
  CreateRoleStmt: none,
  AlterTableStmt: altered,
  AlterPolicyStmt: (body) => members('policy', part(body, 'table'), [textOf(body, 'policy_name')]),
  AlterSeqStmt: none,
  AlterDomainStmt: (body) => each('type', [wordsAt(body, 'typeName')]),
  AlterEnumStmt: (body) => each('type', [wordsAt(body, 'typeName')]),
  AlterTypeStmt: (body) => each('type', [wordsAt(body, 'typeName')]),
  AlterFunctionStmt: (body) => object('OBJECT_FUNCTION', nodeOf('ObjectWithArgs', body, 'func')),
  AlterStatsStmt: (body) => each('statistics object', [wordsAt(body, 'defnames')]),
  AlterEventTrigStmt: (body) => each('event trigger', [[textOf(body, 'trigname')]]),
  AlterExtensionStmt: (body) => each('extension', [[textOf(body, 'extname')]]),
  AlterExtensionContentsStmt: (body) => each('extension', [[textOf(body, 'extname')]]),
  AlterDefaultPrivilegesStmt: (body) =>
    nodesAt(body, 'options')
      .filter((one) => textOf(one.body, 'defname') === 'schemas')
      .flatMap((one) => namesIn(nodeAt(one.body, 'arg')))
      .flatMap(schema),
  AlterRoleStmt: none,
  AlterRoleSetStmt: none,
  AlterObjectSchemaStmt: (body) => [
    ...object(textOf(body, 'objectType'), nodeAt(body, 'object')),
    ...schema(textOf(body, 'newschema')),
  ],
  AlterOwnerStmt: (body) => object(textOf(body, 'objectType'), nodeAt(body, 'object')),
  AlterObjectDependsStmt: (body) => [
    ...members('trigger', part(body, 'relation'), namesIn(nodeAt(body, 'object'))),
    ...object(textOf(body, 'objectType'), nodeAt(body, 'object')),
    ...each('extension', [[textOf(part(body, 'extname'), 'sval')]]),
  ],
  RenameStmt: renamed,
  DropStmt: (body) =>
    nodesAt(body, 'objects')
      .flatMap((one) => object(textOf(body, 'removeType'), one))
      .map((need) =>
        textOf(body, 'removeType') === 'OBJECT_INDEX' && need.of === 'relation'
          ? { of: 'index', names: need.names }
          : need,
      ),
  DropRoleStmt: none,
  DropOwnedStmt: none,
  ReassignOwnedStmt: none,
  CommentStmt: (body) => object(textOf(body, 'objtype'), nodeAt(body, 'object')),
  SecLabelStmt: (body) => object(textOf(body, 'objtype'), nodeAt(body, 'object')),
  GrantStmt: granted,
  GrantRoleStmt: (body) =>
    each(
      'role',
      nodesAt(body, 'granted_roles').map((one) => [textOf(one.body, 'priv_name')]),
    ),
  TruncateStmt: none,
  LockStmt: none,
  RefreshMatViewStmt: none,
  ClusterStmt: none,
  ReindexStmt: (body) =>
    textOf(body, 'kind') === 'REINDEX_OBJECT_SCHEMA' ? schema(textOf(body, 'name')) : [],
  CopyStmt: (body) => members('table column', part(body, 'relation'), wordsAt(body, 'attlist')),
  VacuumStmt: (body) =>
    nodesAt(body, 'rels').flatMap(({ body: one }) =>
      members('table column', part(one, 'relation'), wordsAt(one, 'va_cols')),
    ),
}

function none(): readonly Need[] {
  return []
}

/** Columns, or other objects, that belong to a relation of a statement. */
function members(
  of: Member | 'table column',
  range: Tree,
  names: readonly string[],
): readonly Need[] {
  const owner = rangeNames(range)
  return owner.length === 0
    ? []
    : each(
        of,
        names.map((name) => [...owner, name]),
      )
}

const nodeOf = (kind: string, body: Tree, field: string): Node => ({
  kind,
  body: part(body, field),
})

function altered(body: Tree): readonly Need[] {
  const range = part(body, 'relation')
  const commands = nodesAt(body, 'cmds').map((one) => one.body)
  const isAdded = (name: string): boolean =>
    commands.some(
      (one) =>
        textOf(one, 'subtype') === 'AT_AddColumn' &&
        textOf(nodeAt(one, 'def')?.body ?? {}, 'colname') === name,
    )
  return commands.flatMap((command) => {
    if (command['missing_ok'] === true) return []
    const subtype = textOf(command, 'subtype')
    const name = textOf(command, 'name')
    if (OF_COLUMNS.has(subtype)) return members('table column', range, isAdded(name) ? [] : [name])
    if (OF_TRIGGERS.has(subtype)) return members('trigger', range, [name])
    if (OF_RULES.has(subtype)) return members('rule', range, [name])
    if (subtype === 'AT_DropConstraint') return members('table constraint', range, [name])
    if (subtype !== 'AT_AddConstraint') return []
    const constraint = nodeAt(command, 'def')?.body ?? {}
    const keys = ['keys', 'including', 'fk_attrs'].flatMap((field) => wordsAt(constraint, field))
    const target = part(constraint, 'pktable')
    const isItself = textOf(target, 'relname') === textOf(range, 'relname')
    return [
      ...members(
        'table column',
        range,
        keys.filter((key) => !isAdded(key)),
      ),
      ...members('table column', target, isItself ? [] : wordsAt(constraint, 'pk_attrs')),
    ]
  })
}

function renamed(body: Tree): readonly Need[] {
  const objectType = textOf(body, 'renameType')
  const name = textOf(body, 'subname')
  const range = part(body, 'relation')
  const member = MEMBERS[objectType]
  if (member !== undefined) return members(member, range, [name])
  if (objectType === 'OBJECT_DOMCONSTRAINT') return object('OBJECT_DOMAIN', nodeAt(body, 'object'))
  const renamedObject = nodeAt(body, 'object') ?? { kind: 'String', body: { sval: name } }
  return rangeNames(range).length > 0 ? [] : object(objectType, renamedObject)
}

function granted(body: Tree): readonly Need[] {
  const objectType = textOf(body, 'objtype')
  const objects = nodesAt(body, 'objects')
  const target = textOf(body, 'targtype')
  if (target === 'ACL_TARGET_ALL_IN_SCHEMA') return objects.flatMap(namesIn).flatMap(schema)
  if (target !== 'ACL_TARGET_OBJECT') return []
  const onColumns = nodesAt(body, 'privileges').flatMap((one) => wordsAt(one.body, 'cols'))
  return objects.flatMap((one) =>
    one.kind === 'RangeVar'
      ? members('table column', one.body, onColumns)
      : object(objectType, one),
  )
}

const languageOf = (body: Tree): string =>
  textOf(
    nodesAt(body, 'options')
      .filter((one) => textOf(one.body, 'defname') === 'language')
      .map((one) => nodeAt(one.body, 'arg')?.body ?? {})[0] ?? {},
    'sval',
  )

const MAKES_TYPES: ReadonlySet<string> = new Set(['c', 'C', 'internal'])
const SERIAL = /^(?:small|big)?serial[248]?$/
/** Commands that fail without the column that they name. */
const OF_COLUMNS: ReadonlySet<string> = new Set([
  'AT_DropColumn',
  'AT_AlterColumnType',
  'AT_ColumnDefault',
  'AT_DropNotNull',
  'AT_SetNotNull',
  'AT_SetExpression',
  'AT_DropExpression',
  'AT_SetStatistics',
  'AT_SetOptions',
  'AT_ResetOptions',
  'AT_SetStorage',
  'AT_SetCompression',
  'AT_AddIdentity',
  'AT_SetIdentity',
  'AT_DropIdentity',
])
const OF_TRIGGERS: ReadonlySet<string> = new Set([
  ...['AT_EnableTrig', 'AT_EnableAlwaysTrig', 'AT_EnableReplicaTrig', 'AT_DisableTrig'],
])
const OF_RULES: ReadonlySet<string> = new Set([
  ...['AT_EnableRule', 'AT_EnableAlwaysRule', 'AT_EnableReplicaRule', 'AT_DisableRule'],
])
