import { type Earlier, isSettled, noteEarlier, nothingEarlier } from './earlier.ts'
import { eachToken } from './lexer.ts'
import { hasNeeds, type Need, needsBeside, needsOf } from './needs.ts'
import { literal } from './literal.ts'
import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { type Obstacle, obstaclesTo } from './obstacles.ts'
import { nodeAt, nodesAt, type Node, textOf } from './tree.ts'

/** A question to a target, which fails where the target cannot run a statement. */
export type Probe = Question & {
  /** Code of the target may run before the statement, in the same text: a trigger, which may change names. */
  readonly isBehindCode: boolean
}

type Question =
  /** A query of ours about a name, which reads nothing but the catalog; with the SQLSTATE of the statement, if it has another. */
  { readonly sql: string; readonly of: Need['of']; readonly sqlState?: string } | Parse

/** A part of the text, to be parsed only; `from` is its place there, in characters. */
type Parse = {
  readonly sql: string
  readonly of: 'text'
  readonly from: number
  readonly sqlState?: undefined
}

/**
 * Finds questions to a target that tell if it could run a text, before people are asked about it. Parsing (Parse of the
 * extended protocol) looks up every name and type, reads no data, and runs nothing of a statement: so the target parses
 * what it would analyse, the query of a view too. Of a utility statement, which it does not analyse, the names that it
 * needs are looked for. Of several statements, a later one is asked about as far as the earlier ones leave its names alone.
 *
 * Known limits, each exercised by a test: PROBES_MAX questions are asked; a text that is too long to be parsed where others
 * wait is parsed by the target as a whole, so that nothing is found out there of several statements and of utility statements,
 * nor of more than PARSED_BYTES_MAX; and those of `needsOf` and `Earlier`.
 */
export function probesOf(sql: string | null): readonly Probe[] {
  if (sql !== null && isLong(sql)) return wholeProbe(sql)
  const probes: Probe[] = []
  const earlier = nothingEarlier()
  for (const statement of statementsIn(sql)) {
    if (earlier.changes === 'any' || probes.length >= PROBES_MAX) break
    const { runsCode: isBehindCode } = earlier
    probes.push(...probesBehind(earlier, statement).map((probe) => ({ ...probe, isBehindCode })))
    noteEarlier(earlier, statement.node)
  }
  return probes.slice(0, PROBES_MAX)
}

/**
 * The same for a text that must not be parsed by the target, since it may run code: only the names of its first statement are
 * looked for. An overloaded function exists; PostgreSQL calls its name ambiguous.
 */
export function nameProbesOf(sql: string | null): readonly Probe[] {
  const [first] = statementsIn(sql)
  return first === undefined
    ? []
    : questions(needsIn(first.node)).map((probe) => ({ ...probe, isBehindCode: false }))
}

/**
 * Finds questions about names that are taken and objects of another kind. Known limit, exercised by a test: only the first
 * statement of a text is asked about, behind BEGIN and settings, since any other before it may give a name free that it
 * does not say: a function, or a DROP with what depends on it.
 */
export function obstaclesOf(sql: string | null): readonly Obstacle[] {
  const earlier = nothingEarlier()
  for (const { node } of statementsIn(sql)) {
    const found = obstaclesTo(node)
    if (found.length > 0) return found.slice(0, PROBES_MAX)
    noteEarlier(earlier, node)
    const isLeading = LEADING.has(node.kind) && earlier.changes === 'nothing' && !earlier.runsCode
    if (!isLeading) return []
  }
  return []
}

/** Statements that call no function of anybody. */
const LEADING: ReadonlySet<string> = new Set(['TransactionStmt', 'VariableSetStmt'])

const isLong = (sql: string): boolean => sql.length > LOOP_BYTES_MAX

const wholeProbe = (sql: string): readonly Probe[] =>
  Buffer.byteLength(sql) > PARSED_BYTES_MAX
    ? []
    : [{ sql, of: 'text', from: 0, isBehindCode: false }]

/** A statement of a text, and what stands before it there. */
type Statement = { readonly sql: string; readonly node: Node; readonly before: Buffer }

/** The statements of a text; none where it is too long to be parsed where others wait. */
function statementsIn(sql: string | null): readonly Statement[] {
  if (sql === null || isLong(sql)) return []
  const trees = parsed(sql)
  if (!trees.ok) return []
  const [only, ...others] = trees.value
  const bytes = Buffer.from(sql)
  return trees.value.flatMap((tree) => {
    const node = nodeAt(tree, 'stmt')
    if (node === null) return []
    if (tree === only && others.length === 0) return [{ sql, node, before: bytes.subarray(0, 0) }]
    const start = Number(tree['stmt_location'] ?? 0)
    // A length of 0 means: to the end of the text.
    const end = start + (Number(tree['stmt_len'] ?? 0) || bytes.length)
    return [{ sql: bytes.subarray(start, end).toString(), node, before: bytes.subarray(0, start) }]
  })
}

function probesBehind(earlier: Earlier, { sql, node, before }: Statement): readonly Question[] {
  if (earlier.changes !== 'nothing')
    return questions(needsIn(node).filter((need) => isSettled(earlier, need)))
  const isAnalysed = ANALYSED.has(node.kind)
  const query = isAnalysed ? { sql, of: 'text' as const, from: 0 } : queryIn(sql, node)
  if (query === null) return questions(needsIn(node))
  const from = [...before.toString()].length + query.from
  return [{ ...query, from }, ...questions(needsBeside(node))]
}

const needsIn = (node: Node): readonly Need[] =>
  ANALYSED.has(node.kind) || hasNeeds(node) ? needsOf(node) : []

/** True if the failure of a probe says that the statement could not run for anybody: a name or type is wrong, or the text is. */
export function isImpossible({ sql, of }: Question, sqlState: string): boolean {
  // Another object than was meant may have the name, and a name alone does not say which of several functions is meant.
  if (of !== 'text') return UNKNOWN_NAMES.has(sqlState)
  // It may be several statements, which are not parsed as one.
  if (isLong(sql) && sqlState === SYNTAX_ERROR) return false
  // A right that only the role of an approval has.
  if (sqlState === INSUFFICIENT_PRIVILEGE) return false
  return sqlState.startsWith('42') || sqlState.startsWith('22') || sqlState === UNDEFINED_SCHEMA
}

const SYNTAX_ERROR = '42601'
const INSUFFICIENT_PRIVILEGE = '42501'
const UNDEFINED_SCHEMA = '3F000'
/** Undefined table, column, object and function, and no such schema. */
const UNKNOWN_NAMES: ReadonlySet<string> = new Set([
  ...['42P01', '42703', '42704', '42883', UNDEFINED_SCHEMA],
])

/** Statements of which PostgreSQL looks up everything when it parses them. */
const ANALYSED: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'ExplainStmt',
  'CreateTableAsStmt',
  'DeclareCursorStmt',
  'CallStmt',
])

/** The query of a view, or of a statement that PREPARE names, where it may be parsed by itself; else null. */
function queryIn(sql: string, { kind, body }: Node): Parse | null {
  // With types of its own for the parameters it may mean something else.
  const isTyped = kind === 'PrepareStmt' && nodesAt(body, 'argtypes').length > 0
  if ((kind !== 'ViewStmt' && kind !== 'PrepareStmt') || isTyped) return null
  let depth = 0
  let from = -1
  let checks = -1
  let isRecursive = false
  eachToken(sql, (token, start, end) => {
    const word = sql.slice(start, Math.min(end, start + WORD_MAX)).toLowerCase()
    if (token === 'sign') depth += word === '(' ? 1 : word === ')' ? -1 : 0
    if (token !== 'word' || depth !== 0) return
    if (from < 0 && word === 'as') from = end
    if (from < 0 && word === 'recursive') isRecursive = true
    if (word === 'with') checks = start
  })
  // The grammar makes another query of it.
  if (from < 0 || isRecursive) return null
  const isChecked = !['', 'NO_CHECK_OPTION'].includes(textOf(body, 'withCheckOption'))
  const query = sql.slice(from, isChecked ? checks : undefined)
  const trees = parsed(query)
  const [only, ...others] = trees.ok ? trees.value : []
  if (only === undefined || others.length > 0) return null
  return nodeAt(only, 'stmt')?.kind === nodeAt(body, 'query')?.kind
    ? { sql: query, of: 'text', from: [...sql.slice(0, from)].length }
    : null
}

/** Longer than the words that are looked for. */
const WORD_MAX = 12

function questions(needs: readonly Need[]): readonly Question[] {
  const found = new Map<string, Question>()
  for (const need of needs) {
    if (found.size >= PROBES_MAX) break
    const sql = questionOf(need)
    const { of } = need
    found.set(sql, of === 'index' ? { sql, of, sqlState: UNDEFINED_OBJECT } : { sql, of })
  }
  return [...found.values()]
}

/** Of an index that does not exist, PostgreSQL says so in DROP, where it is an object, and no relation. */
const UNDEFINED_OBJECT = '42704'

/** A query that fails where the target does not know the name. */
function questionOf({ of, names }: Need): string {
  switch (of) {
    case 'relation':
    case 'index':
      return `select ${literal(written(names))}::pg_catalog.regclass`
    case 'function':
      return `select ${literal(written(names))}::pg_catalog.regproc`
    case 'call':
      return [
        `select case when pg_catalog.to_regtype(${literal(qualified(names))}) is null`,
        `and not exists (select from pg_catalog.pg_attribute where attname operator(pg_catalog.=) ${literal(names.at(-1) ?? '')})`,
        `then ${literal(written(names))}::pg_catalog.text::pg_catalog.regproc end`,
      ].join(' ')
    case 'type':
      return address(of, [qualified(names)])
    default:
      return address(of, names)
  }
}

const address = (type: string, names: readonly string[]): string =>
  `select from pg_catalog.pg_get_object_address(${literal(type)}, array[${names.map(literal).join(', ')}], array[]::pg_catalog.text[])`

/** The name as people write it, without quotes where it needs none: PostgreSQL repeats it in its answer. */
const written = (names: readonly string[]): string =>
  names.map((name) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : quoted(name))).join('.')

const qualified = (names: readonly string[]): string => names.map(quoted).join('.')

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Each probe is a question to the target, and on record: at most so many of a text are asked. */
const PROBES_MAX = 20
/** A longer text of ours is not recorded as one piece. */
const PARSED_BYTES_MAX = 224 * 1024
