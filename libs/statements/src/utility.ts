import {
  affect,
  call,
  type Collector,
  LOCKS,
  type Lock,
  lock,
  notePrograms,
  read,
  renames,
  say,
  shown,
  touch,
} from './collector.ts'
import { alterCommand, dangerOfCommand, PRIVILEGE_COMMANDS } from './alter-command.ts'
import { prepareOf } from './executed.ts'
import { sharedParameters } from './shared-parameters.ts'
import type { EffectName, RelationRef, TransactionControl } from './facts.ts'
import {
  computes,
  creates,
  hides,
  isTemporary,
  readsWhile,
  targetOf,
  TOP,
  visit,
  visitChildren,
} from './query.ts'
import { safeName } from './safe-name.ts'
import {
  changesReading,
  HARMLESS_SETTINGS,
  IDENTITY_SETTINGS,
  namesASession,
  tellsOfWork,
} from './settings.ts'
import {
  constantOf,
  isText,
  type Node,
  nodeAt,
  nodesAt,
  part,
  textOf,
  type Tree,
  treeOf,
  wordsAt,
} from './tree.ts'
import { type Danger, dangerOf, newTelling, tell, told, worstOf } from './telling.ts'
import { utilitySentence } from './utility-sentence.ts'

/** Notes what a statement does and returns its tag. A statement that no table names throws. */
export function statement(to: Collector, node: Node): string {
  const { kind, body } = node
  const own = OWN.get(kind)
  const sentence = own || RULES.has(kind) ? utilitySentence(to, node) : null
  if (sentence !== null) say(to, sentence, dangerOfKind(kind))
  if (own) return own(to, body)
  // DISCARD ALL sets every setting back.
  if (textOf(body, 'target') === 'DISCARD_ALL') to.settings.add('*')
  const rule = RULES.get(kind)
  if (!rule) throw new TypeError(`unknown statement ${kind}`)
  return ruled(to, node, rule)
}

function dangerOfKind(kind: string): Danger {
  if (LOSING.test(kind)) return 'loss'
  return dangerOf(RULES.get(kind)?.effects ?? OWN_EFFECTS.get(kind) ?? [])
}

const LOSING = /^(Drop|Truncate)/

type Rule = {
  readonly tag: string
  readonly effects: readonly EffectName[]
  readonly lock?: Lock
  /** The target will run code that this statement brings. */
  readonly code?: true
  /** Its expressions are judged when it runs, not now. */
  readonly closed?: true
}

function ruled(to: Collector, node: Node, rule: Rule): string {
  const { kind, body } = node
  const tag = rule.tag.replace('{}', objectOf(body))
  const [first = 'unknown'] = rule.effects
  const subjects = subjectsOf(to, node)
  for (const relation of subjects) {
    affect(to, first, relation, tag)
    lock(to, lockOf(kind, body) ?? rule.lock ?? 'ACCESS EXCLUSIVE', relation)
  }
  // Effects without a relation, and those that go beyond it, are about the target as a whole.
  const rest = subjects.length > 0 ? rule.effects.slice(1) : rule.effects
  for (const effect of rest) affect(to, effect, null, tag)
  if (kind === 'TruncateStmt')
    for (const relation of subjects) to.unbounded.push({ tag: 'TRUNCATE', relation })
  // A setting of the server affects no program, unless it says which programs or libraries run.
  if (kind === 'AlterSystemStmt' && PROGRAMS.test(textOf(part(body, 'setstmt'), 'name')))
    affect(to, 'program', null, tag)
  if (RIGHTS.has(tag)) affect(to, 'privilege-change', subjects[0] ?? null, tag)
  if (isTemporary(part(body, 'sequence'))) {
    affect(to, 'session-change', targetOf(to, part(body, 'sequence')), tag)
    to.createsTemporary = true
    hides(to, textOf(part(body, 'sequence'), 'relname'))
  }
  // A relation that is not described may be temporary, where the session may have such relations.
  const [subject] = subjects
  if (
    RELATION_TYPES.has(textOf(body, 'renameType')) &&
    subject !== undefined &&
    mayBeTemporary(to, subject)
  )
    hides(to, textOf(body, 'newname'))
  if (textOf(body, 'renameType') === 'OBJECT_SCHEMA') schemaNamed(to, textOf(body, 'newname'))
  if (rule.code) to.createsCode = true
  if (!rule.closed) visitChildren(to, { kind, body }, { ...TOP, subject: () => undefined })
  return tag
}

function mayBeTemporary(to: Collector, { oid, schema }: RelationRef): boolean {
  if (schema !== null) return schema.startsWith('pg_temp')
  return oid === null && (to.mayHaveTemporary || to.createsTemporary)
}

/** Tags of statements that change rights, although statements of their kind change definitions with other objects. */
const RIGHTS: ReadonlySet<string> = new Set([
  'DROP POLICY',
  'ALTER POLICY',
  'ALTER ROLE',
  'DROP ROLE',
])

/** Settings with commands and libraries in them; an empty name means all of them. */
const PROGRAMS = /^$|command|librar/i

/** The relations that a utility statement is about. */
function subjectsOf(to: Collector, node: Node): RelationRef[] {
  // bound: as long as one statement
  const found: RelationRef[] = []
  const { body } = node
  const subject = (relation: RelationRef): void => void found.push(relation)
  for (const field of ['relation', 'view', 'sequence', 'rel', 'table']) {
    const range = treeOf(body[field])
    if (range && 'relname' in range) subject(targetOf(to, range))
  }
  const objectType =
    textOf(body, 'removeType') || textOf(body, 'objtype') || textOf(body, 'renameType')
  const objects = [...nodesAt(body, 'objects'), nodeAtOrNull(body, 'object')].filter(
    (each) => each !== null,
  )
  for (const object of [...objects, ...nodesAt(body, 'relations'), ...nodesAt(body, 'rels')]) {
    if (object.kind === 'RangeVar') subject(targetOf(to, object.body))
    if (object.kind === 'VacuumRelation') {
      const relation = targetOf(to, part(object.body, 'relation'))
      subject(relation)
      // ANALYZE takes a sample of its rows.
      notePrograms(to, relation)
    }
    if (object.kind !== 'List') continue
    const words = wordsAt(object.body, 'items')
    const path = OF_A_TABLE.has(objectType) ? words.slice(0, -1) : words
    if (RELATION_TYPES.has(objectType) || OF_A_TABLE.has(objectType))
      subject(to.names.relation(path.at(-2) ?? null, path.at(-1) ?? ''))
  }
  return found
}

const nodeAtOrNull = (body: Tree, field: string): Node | null =>
  Object.keys(part(body, field)).length === 1 ? nodeAt(body, field) : null

const RELATION_TYPES: ReadonlySet<string> = new Set(
  ['TABLE', 'VIEW', 'MATVIEW', 'SEQUENCE', 'FOREIGN_TABLE', 'INDEX'].map(
    (each) => `OBJECT_${each}`,
  ),
)
const OF_A_TABLE: ReadonlySet<string> = new Set(
  ['COLUMN', 'TRIGGER', 'RULE', 'POLICY', 'TABCONSTRAINT'].map((each) => `OBJECT_${each}`),
)

function objectOf(body: Tree): string {
  const fields = ['removeType', 'renameType', 'objectType', 'objtype', 'kind']
  const type = fields.map((field) => textOf(body, field)).find((each) => each !== '') ?? ''
  const word = type.replace(/^OBJECT_/, '')
  return OBJECT_WORDS.get(word) ?? word.replaceAll('_', ' ')
}

const OBJECT_WORDS: ReadonlyMap<string, string> = new Map([
  ['MATVIEW', 'MATERIALIZED VIEW'],
  ['TABCONSTRAINT', 'CONSTRAINT'],
  ['FDW', 'FOREIGN DATA WRAPPER'],
  ['ATTRIBUTE', 'TYPE'],
])

/** The lock of the statements whose lock depends on what they say. */
function lockOf(kind: string, body: Tree): Lock | null {
  if (kind === 'IndexStmt') return body['concurrent'] === true ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE'
  if (kind === 'RefreshMatViewStmt')
    return body['concurrent'] === true ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE'
  if (kind === 'VacuumStmt')
    return nodesAt(body, 'options').some((each) => textOf(each.body, 'defname') === 'full')
      ? 'ACCESS EXCLUSIVE'
      : 'SHARE UPDATE EXCLUSIVE'
  return null
}

// --- Statements with their own reading -----------------------------------------------------------

type Own = (to: Collector, body: Tree) => string

const queried =
  (kind: string, tag: string): Own =>
  (to, body) => {
    visit(to, { kind, body }, TOP)
    return tag
  }

function alterTable(to: Collector, body: Tree): string {
  const relation = targetOf(to, part(body, 'relation'))
  const commands = newTelling()
  let mode: Lock = 'SHARE UPDATE EXCLUSIVE'
  for (const { body: command } of nodesAt(body, 'cmds')) {
    const subtype = textOf(command, 'subtype')
    if (PRIVILEGE_COMMANDS.has(subtype))
      affect(to, 'privilege-change', relation, 'ALTER TABLE changes who may do what')
    if (subtype.includes('Trig') || subtype.includes('Rule')) to.createsCode = true
    const strength = COMMAND_LOCKS.get(subtype) ?? 'ACCESS EXCLUSIVE'
    if (LOCKS.indexOf(strength) > LOCKS.indexOf(mode)) mode = strength
    tell(commands, alterCommand(to, command), dangerOfCommand(command))
    const value = nodeAt(nodeAt(command, 'def')?.body ?? {}, 'raw_default')
    if (subtype === 'AT_AlterColumnType' && value !== null)
      computes(to, relation, { column: textOf(command, 'name'), value })
    // A column that was computed becomes a plain one and keeps its values.
    if (subtype === 'AT_DropExpression') {
      touch(to, relation, textOf(command, 'name'))
      to.movesData = true
    }
  }
  affect(to, 'schema-change', relation, `ALTER ${objectOf(body)}`)
  lock(to, mode, relation)
  visitChildren(
    to,
    { kind: 'AlterTableStmt', body },
    {
      ...TOP,
      subject: (each) => {
        if (each.name !== relation.name || each.schema !== relation.schema)
          affect(to, 'schema-change', each, 'ALTER TABLE refers to it')
      },
    },
  )
  const rebuilds = nodesAt(body, 'cmds').some(({ body: command }) =>
    REBUILDING.has(textOf(command, 'subtype')),
  )
  const { texts, leftOut, dangers } = told(commands, COMMANDS_SHOWN_MAX)
  const words = texts.map(({ text }) => text)
  if (leftOut > 0) words.push(`${leftOut} things more${dangers}`)
  const about = `${words.join(', ')} of ${shown(relation)}`
  const danger = worstOf(nodesAt(body, 'cmds').map((command) => dangerOfCommand(command.body)))
  say(to, `${about} (takes ${mode}${rebuilds ? ', rebuilds the table' : ''})`, danger)
  return `ALTER ${objectOf(body)}`
}

const COMMANDS_SHOWN_MAX = 20

/** Commands that may write every row anew, while no one can read or write the table. */
const REBUILDING: ReadonlySet<string> = new Set([
  ...['AT_AlterColumnType', 'AT_SetLogged', 'AT_SetUnLogged', 'AT_SetTableSpace'],
  ...['AT_SetAccessMethod', 'AT_AddOf', 'AT_SetExpression'],
])

/** The locks of commands of ALTER TABLE; every other command takes ACCESS EXCLUSIVE, or may. */
const COMMAND_LOCKS: ReadonlyMap<string, Lock> = new Map([
  ['AT_SetStatistics', 'SHARE UPDATE EXCLUSIVE'],
  ['AT_ValidateConstraint', 'SHARE UPDATE EXCLUSIVE'],
  ['AT_ClusterOn', 'SHARE UPDATE EXCLUSIVE'],
  ['AT_EnableTrig', 'SHARE ROW EXCLUSIVE'],
  ['AT_DisableTrig', 'SHARE ROW EXCLUSIVE'],
])

function createTable(to: Collector, body: Tree): string {
  // CREATE FOREIGN TABLE has the table inside `base`.
  const range = part('base' in body ? part(body, 'base') : body, 'relation')
  const relation = targetOf(to, range)
  affect(to, 'schema-change', relation, 'creates a table')
  if (isTemporary(range)) {
    to.createsTemporary = true
    affect(to, 'session-change', relation, 'creates a temporary table')
    hides(to, relation.name)
  }
  const inner = 'base' in body ? part(body, 'base') : body
  visitChildren(
    to,
    { kind: 'CreateStmt', body: inner },
    {
      ...TOP,
      subject: (each) => {
        if (each.name !== relation.name || each.schema !== relation.schema)
          affect(to, 'schema-change', each, 'a new table refers to it')
      },
    },
  )
  return 'CREATE TABLE'
}

function createTableAs(to: Collector, body: Tree): string {
  const range = part(part(body, 'into'), 'rel')
  creates(to, range)
  const query = nodeAt(body, 'query')
  if (query) statement(to, query)
  return `CREATE ${objectOf(body)} AS`
}

function createView(to: Collector, body: Tree): string {
  const range = part(body, 'view')
  const relation = targetOf(to, range)
  affect(to, 'schema-change', relation, 'creates a view')
  if (isTemporary(range)) {
    to.createsTemporary = true
    affect(to, 'session-change', relation, 'creates a temporary view')
    hides(to, relation.name)
  }
  const query = nodeAt(body, 'query')
  if (query) visit(to, query, TOP)
  return 'CREATE VIEW'
}

function explain(to: Collector, body: Tree): string {
  const query = nodeAt(body, 'query')
  if (!query) throw new TypeError('EXPLAIN without a statement')
  const runs = nodesAt(body, 'options').some(
    ({ body: option }) =>
      textOf(option, 'defname') === 'analyze' &&
      !FALSE_WORDS.has((constantOf(nodeAt(option, 'arg')) ?? 'true').toLowerCase()),
  )
  const outer = to.planOnly
  to.planOnly = outer || !runs
  const unbounded = to.unbounded.length
  statement(to, query)
  to.planOnly = outer
  if (!runs) {
    to.unbounded.length = unbounded
    say(to, 'shows the plan of a statement without running it')
  }
  if (to.effects.size === 0) affect(to, 'read', null, 'shows a plan')
  return 'EXPLAIN'
}

const FALSE_WORDS: ReadonlySet<string> = new Set(['false', 'off', '0'])

function copy(to: Collector, body: Tree): string {
  const isFrom = body['is_from'] === true
  const onServer = body['is_program'] === true || 'filename' in body
  const range = treeOf(body['relation'])
  const query = nodeAt(body, 'query')
  if (onServer)
    affect(
      to,
      'program',
      null,
      body['is_program'] === true
        ? 'COPY runs a program on the server'
        : 'COPY uses a file of the server',
    )
  else if (to.copy !== 'in') to.copy = isFrom ? 'in' : 'out'
  const there = body['is_program'] === true ? 'a program on the server' : 'a file of the server'
  const danger = onServer ? 'anything' : 'none'
  if (!isFrom) say(to, `copies rows to ${onServer ? there : 'the agent'}`, danger)
  else if (range)
    say(
      to,
      `adds rows to ${shown(targetOf(to, range))} from ${onServer ? there : dataOf(to)}`,
      danger,
    )
  if (range) {
    const relation = targetOf(to, range)
    if (isFrom) {
      affect(to, 'write', relation, 'COPY adds rows')
      lock(to, 'ROW EXCLUSIVE', relation)
    } else {
      read(to, relation)
      lock(to, 'ACCESS SHARE', relation)
      const columns = wordsAt(body, 'attlist')
      for (const column of columns.length === 0 ? ['*'] : columns) touch(to, relation, column)
    }
    const where = nodeAt(body, 'whereClause')
    if (where) visit(to, where, TOP)
  }
  const reads = query ? readsWhile(to, () => void statement(to, query)) : range !== null
  if (onServer && !isFrom && reads) to.movesData = true
  return 'COPY'
}

const dataOf = ({ copyDataBytes: bytes }: Collector): string =>
  bytes === null
    ? 'data of the agent that are not shown here'
    : `${bytes} bytes of data of the agent, which are shown with it`

function set(to: Collector, body: Tree): string {
  const kind = textOf(body, 'kind')
  const name = textOf(body, 'name').toLowerCase()
  if (kind === 'VAR_SET_MULTI' && !name.startsWith('session')) {
    affect(to, 'transaction', null, 'sets the mode of the transaction')
    say(to, 'sets the mode of the transaction')
    to.controls.push('set')
    return 'SET'
  }
  const isHarmless = HARMLESS_SETTINGS.has(name)
  to.harmlessSetting = (to.harmlessSetting ?? true) && isHarmless
  to.settings.add(name || '*')
  affect(to, 'session-change', null, `changes the setting ${name || 'of everything'}`)
  if (
    name === 'application_name' &&
    namesASession(constantOf(nodesAt(body, 'args')[0] ?? null) ?? '')
  )
    affect(to, 'unknown', null, 'takes the name of a session of Countersign')
  if (IDENTITY_SETTINGS.has(name) && !keepsRole(to, name, body))
    affect(to, 'privilege-change', null, `changes the ${name} of the session`)
  const args = nodesAt(body, 'args')
  if (tellsOfWork(name) && SETS_VALUE.has(kind))
    affect(to, 'unknown', null, `makes PostgreSQL tell of its own work (${name})`)
  if (
    kind === 'VAR_SET_VALUE' &&
    changesReading(name, args.length === 1 ? constantOf(args[0] ?? null) : null)
  )
    affect(to, 'unknown', null, `changes how PostgreSQL reads later statements (${name})`)
  if (name === 'search_path' && SETS_VALUE.has(kind)) {
    const under = to.names.under(pathOf(args))
    if (under === 'unknown') renames(to, 'changes the search_path')
    if (under === 'others') to.movesPath = true
  } else if (name === 'search_path' || name === '') mayMovePath(to)
  say(
    to,
    name === ''
      ? 'resets every setting of the session'
      : `changes the setting ${safeName(name)} of the session`,
    IDENTITY_SETTINGS.has(name) ? 'rights' : 'none',
  )
  return kind.startsWith('VAR_RESET') ? 'RESET' : 'SET'
}

/**
 * True if the session goes on as the role that it acts as, which is what tools do that set a role back. A change of
 * session_authorization ends SET ROLE in some versions of PostgreSQL, so it keeps the role only where none is set.
 */
function keepsRole({ ownRoles }: Collector, setting: string, body: Tree): boolean {
  if (ownRoles === null) return false
  const { own, atLogin, acting } = ownRoles
  const kind = textOf(body, 'kind')
  const isBack = kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT'
  const given = kind === 'VAR_SET_VALUE' ? constantOf(nodesAt(body, 'args')[0] ?? null) : null
  if (setting === 'session_authorization') return own === atLogin && (isBack || given === own)
  return isBack ? acting === atLogin : given === acting || (given === 'none' && acting === own)
}

/** Notes that the session may go back to a path that it had, or began with. */
function mayMovePath(to: Collector): void {
  if (to.names.hasOtherPaths) to.movesPath = true
}

/** DEFAULT and RESET go back to the path that the session began with. */
const SETS_VALUE: ReadonlySet<string> = new Set(['VAR_SET_VALUE', 'VAR_SET_CURRENT'])

/** Each value of SET is one schema, commas and quotes included; null where one is not known, or there is none. */
function pathOf(args: readonly Node[]): string[] | null {
  const names = args.map(constantOf).filter((name) => name !== null)
  return names.length === args.length && names.length > 0 ? names : null
}

/**
 * A setting of an extension or application has a dot, and may hold values that masking hides; `SHOW ALL` shows them all. The
 * name of the application, which drivers show, is not among them: hidden values come into it only where people approved that.
 */
function show(to: Collector, body: Tree): string {
  const name = textOf(body, 'name').toLowerCase()
  affect(to, 'read', null, 'SHOW')
  say(to, `shows ${name === 'all' ? 'every setting' : `the setting ${safeName(name)}`}`)
  // SHOW ALL says what pg_settings shows, and leaves out what applications set.
  if (name.includes('.')) to.columnsUnknown = true
  return 'SHOW'
}

function transaction(to: Collector, body: Tree): string {
  const [tag, control] = TRANSACTIONS.get(textOf(body, 'kind')) ?? []
  if (tag === undefined || control === undefined)
    throw new TypeError(`unknown transaction statement`)
  to.controls.push(control)
  if (!KEEPS_PATH.has(control)) mayMovePath(to)
  affect(to, TWO_PHASE.has(control) ? 'opaque' : 'transaction', null, tag)
  return tag
}

/** Transaction statements that keep the path. The others may end a SET LOCAL, and a rollback undoes a SET too. */
const KEEPS_PATH: ReadonlySet<TransactionControl> = new Set([
  'begin',
  'savepoint',
  'release',
  'set',
])

const TWO_PHASE: ReadonlySet<TransactionControl> = new Set([
  'prepare',
  'commit-prepared',
  'rollback-prepared',
])

const TRANSACTIONS: ReadonlyMap<string, readonly [string, TransactionControl]> = new Map([
  ['TRANS_STMT_BEGIN', ['BEGIN', 'begin']],
  ['TRANS_STMT_START', ['START TRANSACTION', 'begin']],
  ['TRANS_STMT_COMMIT', ['COMMIT', 'commit']],
  ['TRANS_STMT_ROLLBACK', ['ROLLBACK', 'rollback']],
  ['TRANS_STMT_SAVEPOINT', ['SAVEPOINT', 'savepoint']],
  ['TRANS_STMT_RELEASE', ['RELEASE', 'release']],
  ['TRANS_STMT_ROLLBACK_TO', ['ROLLBACK TO', 'rollback-to']],
  ['TRANS_STMT_PREPARE', ['PREPARE TRANSACTION', 'prepare']],
  ['TRANS_STMT_COMMIT_PREPARED', ['COMMIT PREPARED', 'commit-prepared']],
  ['TRANS_STMT_ROLLBACK_PREPARED', ['ROLLBACK PREPARED', 'rollback-prepared']],
])

function prepare(to: Collector, body: Tree): string {
  affect(to, 'session-change', null, 'names a statement for later')
  for (const type of nodesAt(body, 'argtypes')) visit(to, type, TOP)
  const query = nodeAt(body, 'query')
  // PREPARE counts as the statement that it names; the parameters are of that statement, and come with EXECUTE.
  const { parameters } = to
  to.parameters = []
  if (query) statement(to, query)
  to.parameters = parameters
  return 'PREPARE'
}

function declareCursor(to: Collector, body: Tree): string {
  const query = nodeAt(body, 'query')
  if (query) statement(to, query)
  return 'DECLARE CURSOR'
}

function fetch(to: Collector, body: Tree): string {
  affect(to, 'read', null, 'reads from a cursor')
  to.columnsUnknown = true
  return body['ismove'] === true ? 'MOVE' : 'FETCH'
}

function lockTable(to: Collector, body: Tree): string {
  const mode = LOCKS[Number(body['mode'] ?? 8) - 1] ?? 'ACCESS EXCLUSIVE'
  for (const { body: range } of nodesAt(body, 'relations')) {
    const relation = targetOf(to, range)
    // ACCESS SHARE is the lock of a SELECT.
    affect(to, mode === 'ACCESS SHARE' ? 'read' : 'write', relation, `locks it in ${mode} mode`)
    lock(to, mode, relation)
  }
  return 'LOCK TABLE'
}

function createSchema(to: Collector, body: Tree): string {
  affect(to, 'schema-change', null, 'CREATE SCHEMA')
  schemaNamed(to, textOf(body, 'schemaname') || textOf(part(body, 'authrole'), 'rolename'))
  for (const element of nodesAt(body, 'schemaElts')) statement(to, element)
  return 'CREATE SCHEMA'
}

/** `"$user"` in a search_path is the schema with the name of the session's role, which begins with cs_; no name means it too. */
function schemaNamed(to: Collector, name: string): void {
  if (name === '' || name.startsWith('cs_'))
    renames(to, 'makes a schema with the name of a role of Countersign')
}

function createRule(tag: string, fields: readonly string[]): Own {
  return (to, body) => {
    to.createsCode = true
    for (const field of fields) {
      const range = treeOf(body[field])
      if (!range || !('relname' in range)) continue
      const relation = targetOf(to, range)
      affect(to, 'schema-change', relation, tag)
      lock(to, tag.endsWith('RULE') ? 'ACCESS EXCLUSIVE' : 'SHARE ROW EXCLUSIVE', relation)
    }
    // Its actions run at each write: nobody would ask about those again.
    const words = [...wordsAt(body, 'funcname'), textOf(body, 'rulename')]
    if (nodesAt(body, 'actions').length > 0 || words.some((word) => COPYING.has(word))) {
      to.columnsUnknown = true
      to.movesData = true
    }
    affect(to, 'schema-change', null, tag)
    return tag
  }
}

/** Functions of PostgreSQL for triggers that copy columns of the row into another. */
const COPYING: ReadonlySet<string> = new Set([
  'tsvector_update_trigger',
  'tsvector_update_trigger_column',
])

function refresh(to: Collector, body: Tree): string {
  const tag = ruled(
    to,
    { kind: 'RefreshMatViewStmt', body },
    { tag: 'REFRESH MATERIALIZED VIEW', effects: ['schema-change'] },
  )
  const range = treeOf(body['relation'])
  if (range && !to.planOnly) {
    for (const below of to.names.below(targetOf(to, range))) {
      touch(to, below.relation, below.column)
      notePrograms(to, below.relation)
    }
    to.movesData = true
  }
  return tag
}

/** EXECUTE of a known statement has the effects of that statement, with these values for its parameters. */
function execute(to: Collector, body: Tree): string {
  const { parameters } = to
  const executes = to.executes?.name === textOf(body, 'name') ? to.executes : null
  const prepare = executes === null ? null : prepareOf(executes)
  const query = prepare === null ? null : nodeAt(prepare.body, 'query')
  if (executes === null || prepare === null || query === null) return executed('EXECUTE')(to, body)
  const values = nodesAt(body, 'params')
  const types = nodesAt(prepare.body, 'argtypes')
  for (const each of [...values, ...types]) visit(to, each, TOP)
  const shared = sharedParameters(executes.text)
  to.parameters = values.map((value, index) => {
    const type = types[index]
    const isKept = type === undefined ? !shared.has(index + 1) : isText(type.body)
    return isKept ? constantOf(value) : null
  })
  to.executes = null
  statement(to, query)
  to.parameters = parameters
  return 'EXECUTE'
}

function executed(tag: string): Own {
  return (to) => {
    affect(to, 'opaque', null, `${tag} runs what the text does not show`)
    call(to, { name: tag, harmless: false, effects: [], why: tag })
    return tag
  }
}

const OWN: ReadonlyMap<string, Own> = new Map<string, Own>([
  ['SelectStmt', queried('SelectStmt', 'SELECT')],
  ['InsertStmt', queried('InsertStmt', 'INSERT')],
  ['UpdateStmt', queried('UpdateStmt', 'UPDATE')],
  ['DeleteStmt', queried('DeleteStmt', 'DELETE')],
  ['MergeStmt', queried('MergeStmt', 'MERGE')],
  ['AlterTableStmt', alterTable],
  ['CreateStmt', createTable],
  ['CreateForeignTableStmt', createTable],
  ['CreateTableAsStmt', createTableAs],
  ['ViewStmt', createView],
  ['ExplainStmt', explain],
  ['CopyStmt', copy],
  ['VariableSetStmt', set],
  ['VariableShowStmt', show],
  ['TransactionStmt', transaction],
  ['PrepareStmt', prepare],
  ['DeclareCursorStmt', declareCursor],
  ['FetchStmt', fetch],
  ['LockStmt', lockTable],
  ['CreateSchemaStmt', createSchema],
  ['RuleStmt', createRule('CREATE RULE', ['relation'])],
  ['CreateTrigStmt', createRule('CREATE TRIGGER', ['relation', 'constrrel'])],
  ['RefreshMatViewStmt', refresh],
  ['ExecuteStmt', execute],
  ['CallStmt', executed('CALL')],
  ['DoStmt', executed('DO')],
])

// --- Statements that one line describes ----------------------------------------------------------

const schema = (tag: string, more: Partial<Rule> = {}): Rule => ({
  tag,
  effects: ['schema-change'],
  closed: true,
  ...more,
})
const code = (tag: string, more: Partial<Rule> = {}): Rule => schema(tag, { code: true, ...more })
const privilege = (tag: string, more: Partial<Rule> = {}): Rule => ({
  tag,
  effects: ['privilege-change'],
  closed: true,
  ...more,
})
const session = (tag: string): Rule => ({ tag, effects: ['session-change'], closed: true })

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['ClosePortalStmt', { tag: 'CLOSE', effects: ['read'], closed: true }],
  ['ConstraintsSetStmt', { tag: 'SET CONSTRAINTS', effects: ['transaction'], closed: true }],
  ['DeallocateStmt', session('DEALLOCATE')],
  ['DiscardStmt', session('DISCARD')],
  ['ListenStmt', session('LISTEN')],
  ['UnlistenStmt', session('UNLISTEN')],
  ['NotifyStmt', { tag: 'NOTIFY', effects: ['notify'], closed: true }],
  ['LoadStmt', { tag: 'LOAD', effects: ['program', 'session-change'], closed: true }],
  ['CheckPointStmt', { tag: 'CHECKPOINT', effects: ['program'], closed: true }],
  ['TruncateStmt', { tag: 'TRUNCATE', effects: ['delete'], closed: true }],
  ['VacuumStmt', schema('VACUUM')],
  ['ReindexStmt', schema('REINDEX', { lock: 'SHARE' })],
  ['ClusterStmt', schema('CLUSTER')],
  ['DropStmt', schema('DROP {}')],
  ['RenameStmt', schema('ALTER {}')],
  ['AlterObjectSchemaStmt', schema('ALTER {}')],
  ['AlterObjectDependsStmt', schema('ALTER {}')],
  ['AlterTableMoveAllStmt', schema('ALTER {}')],
  ['CommentStmt', schema('COMMENT', { lock: 'SHARE UPDATE EXCLUSIVE' })],
  ['IndexStmt', { tag: 'CREATE INDEX', effects: ['schema-change'] }],
  ['CreateStatsStmt', schema('CREATE STATISTICS', { lock: 'SHARE UPDATE EXCLUSIVE' })],
  ['AlterStatsStmt', schema('ALTER STATISTICS')],
  ['CreateSeqStmt', schema('CREATE SEQUENCE')],
  ['AlterSeqStmt', schema('ALTER SEQUENCE')],
  ['CreateDomainStmt', code('CREATE DOMAIN')],
  ['AlterDomainStmt', code('ALTER DOMAIN')],
  ['CreateEnumStmt', schema('CREATE TYPE')],
  ['AlterEnumStmt', schema('ALTER TYPE')],
  ['CreateRangeStmt', code('CREATE TYPE')],
  ['CompositeTypeStmt', schema('CREATE TYPE')],
  ['AlterTypeStmt', code('ALTER TYPE')],
  ['DefineStmt', code('CREATE {}')],
  ['CreatedbStmt', schema('CREATE DATABASE')],
  ['DropdbStmt', schema('DROP DATABASE')],
  ['AlterDatabaseStmt', schema('ALTER DATABASE')],
  ['AlterDatabaseRefreshCollStmt', schema('ALTER DATABASE')],
  [
    'AlterDatabaseSetStmt',
    schema('ALTER DATABASE', { effects: ['schema-change', 'privilege-change'] }),
  ],
  ['CreateTableSpaceStmt', schema('CREATE TABLESPACE', { effects: ['schema-change', 'program'] })],
  ['DropTableSpaceStmt', schema('DROP TABLESPACE')],
  ['AlterTableSpaceOptionsStmt', schema('ALTER TABLESPACE')],
  ['AlterSystemStmt', code('ALTER SYSTEM', { effects: ['schema-change', 'privilege-change'] })],
  ['AlterCollationStmt', schema('ALTER COLLATION')],
  ['CreateFunctionStmt', code('CREATE FUNCTION')],
  ['AlterFunctionStmt', code('ALTER FUNCTION')],
  ['CreateEventTrigStmt', code('CREATE EVENT TRIGGER')],
  ['AlterEventTrigStmt', code('ALTER EVENT TRIGGER')],
  ['CreateExtensionStmt', code('CREATE EXTENSION')],
  ['AlterExtensionStmt', code('ALTER EXTENSION')],
  ['AlterExtensionContentsStmt', code('ALTER EXTENSION')],
  ['CreatePLangStmt', code('CREATE LANGUAGE')],
  ['CreateCastStmt', code('CREATE CAST')],
  ['CreateTransformStmt', code('CREATE TRANSFORM')],
  ['CreateConversionStmt', code('CREATE CONVERSION')],
  ['CreateAmStmt', code('CREATE ACCESS METHOD')],
  ['CreateOpClassStmt', code('CREATE OPERATOR CLASS')],
  ['CreateOpFamilyStmt', code('CREATE OPERATOR FAMILY')],
  ['AlterOpFamilyStmt', code('ALTER OPERATOR FAMILY')],
  ['AlterOperatorStmt', code('ALTER OPERATOR')],
  ['AlterTSConfigurationStmt', schema('ALTER TEXT SEARCH CONFIGURATION')],
  ['AlterTSDictionaryStmt', schema('ALTER TEXT SEARCH DICTIONARY')],
  ['CreateFdwStmt', code('CREATE FOREIGN DATA WRAPPER')],
  ['AlterFdwStmt', code('ALTER FOREIGN DATA WRAPPER')],
  ['CreateForeignServerStmt', code('CREATE SERVER')],
  ['AlterForeignServerStmt', code('ALTER SERVER')],
  ['CreateUserMappingStmt', privilege('CREATE USER MAPPING')],
  ['AlterUserMappingStmt', privilege('ALTER USER MAPPING')],
  ['DropUserMappingStmt', privilege('DROP USER MAPPING')],
  ['ImportForeignSchemaStmt', code('IMPORT FOREIGN SCHEMA')],
  ['CreatePublicationStmt', privilege('CREATE PUBLICATION')],
  ['AlterPublicationStmt', privilege('ALTER PUBLICATION')],
  [
    'CreateSubscriptionStmt',
    code('CREATE SUBSCRIPTION', { effects: ['schema-change', 'program'] }),
  ],
  ['AlterSubscriptionStmt', code('ALTER SUBSCRIPTION', { effects: ['schema-change', 'program'] })],
  ['DropSubscriptionStmt', schema('DROP SUBSCRIPTION', { effects: ['schema-change', 'program'] })],
  ['CreatePolicyStmt', privilege('CREATE POLICY', { code: true })],
  ['AlterPolicyStmt', privilege('ALTER POLICY', { code: true })],
  ['GrantStmt', privilege('GRANT')],
  ['GrantRoleStmt', privilege('GRANT')],
  ['AlterDefaultPrivilegesStmt', privilege('ALTER DEFAULT PRIVILEGES')],
  ['CreateRoleStmt', privilege('CREATE ROLE')],
  ['AlterRoleStmt', privilege('ALTER ROLE')],
  ['AlterRoleSetStmt', privilege('ALTER ROLE')],
  ['DropRoleStmt', privilege('DROP ROLE')],
  ['AlterOwnerStmt', privilege('ALTER {}')],
  ['ReassignOwnedStmt', privilege('REASSIGN OWNED')],
  ['DropOwnedStmt', privilege('DROP OWNED', { effects: ['privilege-change', 'schema-change'] })],
  ['SecLabelStmt', privilege('SECURITY LABEL')],
])

/** The effects of statements with their own reading, as far as their sentence says them. */
const OWN_EFFECTS: ReadonlyMap<string, readonly EffectName[]> = new Map([
  ['CreateStmt', ['schema-change']],
  ['CreateForeignTableStmt', ['schema-change']],
  ['ViewStmt', ['schema-change']],
  ['CreateSchemaStmt', ['schema-change']],
  ['RuleStmt', ['schema-change']],
  ['CreateTrigStmt', ['schema-change']],
  ['RefreshMatViewStmt', ['schema-change']],
  ['ExecuteStmt', ['opaque']],
  ['CallStmt', ['opaque']],
  ['DoStmt', ['opaque']],
])

/** Every kind of statement that is understood. */
export const STATEMENT_KINDS: readonly string[] = [...OWN.keys(), ...RULES.keys()]
