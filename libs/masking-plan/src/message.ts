import { MASKED } from './method.ts'
import type { MaskingPlan } from './plan.ts'
import { scannerOf } from './scanner.ts'

/** The fields of an error or a notice, by their letters (PostgreSQL protocol, "Error and Notice Message Fields"). */
export type MessageFields = ReadonlyMap<string, string>

/**
 * The part of the protocol that a message answers: a Parse, which reads no row, a text that is one SHOW, SET or RESET, or
 * anything else.
 */
export type AnswersTo = 'Parse' | 'Setting' | 'Any'

/**
 * Masks an error or a notice. Purpose: servers and functions quote values in it. Method: `isClosed` says that its statement
 * touches a tagged column or writes next to one. Then, and where untagged values are redacted, only SQLSTATE, severity,
 * position, the place in the server's source and names from the server's own constraints stay, and a sentence of ours
 * stands for the rest. The words of the server while it parses, before it read any row, stay; they are known by the
 * position in the statement, which nothing that runs can give, by the place in the server's source that only parses, and by
 * `answersTo`. So do those about a cancel, a cursor, a prepared statement and a missing privilege. All others keep their
 * words, through the detectors. Limits: a function may put five characters into an SQLSTATE, and one in C may give any
 * place in the source.
 */
export function maskMessage(
  plan: MaskingPlan,
  fields: MessageFields,
  isClosed: boolean,
  answersTo: AnswersTo = 'Any',
): Map<string, string> {
  const isNotice = !SEVERITIES.has(fields.get('V') ?? '')
  if (!isClosed && plan.untagged === 'Pass') return throughDetectors(plan, fields)
  const hasWords = (fields.get('M') ?? '') !== ''
  const isSafe =
    isOfParser(fields) ||
    isOfNames(fields) ||
    fields.get('R') === 'aclcheck_error' ||
    (!isNotice && readsNoRow(fields, answersTo))
  if (hasWords && isSafe) return throughDetectors(plan, fields)
  const kept = new Map<string, string>()
  for (const [letter, text] of fields) if (ALWAYS.has(letter)) kept.set(letter, text)
  if (isOfConstraint(fields))
    for (const letter of NAMES) {
      const name = fields.get(letter)
      if (name !== undefined) kept.set(letter, maskText(plan, name))
    }
  kept.set('M', sentence(kept, isNotice))
  kept.set('H', isClosed ? HINT : UNTAGGED_HINT)
  return kept
}

/** Masks what detectors find in a text that stands alone. */
export function maskText(plan: MaskingPlan, text: string): string {
  const scanner = scannerOf(plan, NO_KEY)
  if (scanner === null || text.length > MESSAGE_CHARACTERS_MAX) return MASKED
  try {
    return scanner.mask(text) ?? MASKED
  } catch {
    return MASKED
  }
}

function throughDetectors(plan: MaskingPlan, fields: MessageFields): Map<string, string> {
  return new Map(
    [...fields].map(([letter, text]) => [letter, ALWAYS.has(letter) ? text : maskLong(plan, text)]),
  )
}

/** Masks a text of any length, of which a long one is cut: what is searched goes on behind the cut, for a value across it. */
function maskLong(plan: MaskingPlan, text: string): string {
  if (text.length <= MESSAGE_CHARACTERS_MAX) return maskText(plan, text)
  const masked = maskText(plan, text.slice(0, MESSAGE_CHARACTERS_MAX))
  const kept = masked.slice(
    0,
    Math.max(0, Math.min(KEPT_CHARACTERS, masked.length - KEPT_CHARACTERS)),
  )
  return kept === '' ? MASKED : `${kept.toWellFormed()}…`
}

// Only the parser gives errposition. A text that a function parses has it in an internal query or a context instead.
const isOfParser = (fields: MessageFields): boolean =>
  Number(fields.get('P') ?? 0) > 0 && !isOfFunction(fields)

// A cancel says its cause only, and an unknown cursor or prepared statement the name that the statement itself gives.
const isOfNames = (fields: MessageFields): boolean =>
  NAMES_FILES.has(fields.get('F') ?? '') && !isOfFunction(fields)

// A commit behind the text may run code of elsewhere, so of a setting only words about its name stay.
const readsNoRow = (fields: MessageFields, answersTo: AnswersTo): boolean => {
  const file = fields.get('F') ?? ''
  const code = fields.get('C') ?? ''
  if (isOfFunction(fields)) return false
  if (answersTo === 'Parse' || ANALYSIS.get(file)?.test(code) === true) return true
  return answersTo === 'Setting' && file === 'guc.c' && code === '42704'
}

const isOfFunction = (fields: MessageFields): boolean =>
  ['W', 'q', 'p'].some((letter) => fields.has(letter))

// RAISE may name any text as a constraint or a column; the server's own checks name what the catalog has.
const isOfConstraint = (fields: MessageFields): boolean =>
  CONSTRAINT_FILES.has(fields.get('F') ?? '')

function sentence(kept: MessageFields, isNotice: boolean): string {
  const code = kept.get('C') ?? ''
  const said = isNotice
    ? 'the target gave a notice'
    : (SENTENCES.get(code) ?? SENTENCES.get(code.slice(0, 2)) ?? 'the target reported an error')
  const constraint = kept.get('n') ?? kept.get('c')
  const table = kept.get('t')
  const named = [
    ...(constraint === undefined ? [] : [`"${constraint}"`]),
    ...(table === undefined ? [] : [`of table "${table}"`]),
  ]
  return [said, ...named].join(' ')
}

/** Fields that tell nothing of a row: severity, SQLSTATE, position, and the place in the source of the server. */
const ALWAYS: ReadonlySet<string> = new Set([...'SVCPFLR'])
const NAMES = [...'stcdn']
const SEVERITIES: ReadonlySet<string> = new Set(['ERROR', 'FATAL', 'PANIC'])
const NAMES_FILES: ReadonlySet<string> = new Set(['portalcmds.c', 'postgres.c', 'prepare.c'])
/**
 * Sources that run before any row is read, with the SQLSTATEs that they give then. A query that code runs has a context. Not
 * here: parse_type.c, parse_func.c, parse_oper.c, namespace.c and guc.c, which functions such as `to_regtype`,
 * `pg_get_object_address` and `current_setting` ask about names that they read.
 */
const ANALYSIS: ReadonlyMap<string, RegExp> = new Map([
  ...['analyze.c', 'parse_agg.c', 'parse_clause.c', 'parse_cte.c', 'parse_target.c'].map(
    (file): [string, RegExp] => [file, /^(?:42|0A|54)/],
  ),
  // The others of this source have a position.
  ['parse_relation.c', /^(?:42712|42P10|54)/],
  // Data that are copied give 22P04 and the errors of their types.
  ['copy.c', /^(?:42|0A|22023)/],
  ['copyto.c', /^42809$/],
  ['copyfrom.c', /^42809$/],
])
/** Sources of PostgreSQL's own checks: what they name is in the catalog, and their details quote keys and rows. */
export const CONSTRAINT_FILES: ReadonlySet<string> = new Set([
  ...['nbtinsert.c', 'execIndexing.c', 'execMain.c', 'ri_triggers.c', 'execExprInterp.c'],
  ...[
    'domains.c',
    'tablecmds.c',
    'typecmds.c',
    'tuplesortvariants.c',
    'tuplesort.c',
    'execPartition.c',
  ],
])
/** Our sentences, by SQLSTATE, else by its class (PostgreSQL, appendix A). */
const SENTENCES: ReadonlyMap<string, string> = new Map([
  ['23502', 'null value violates not-null constraint'],
  ['23503', 'row violates foreign key constraint'],
  ['23505', 'duplicate key value violates unique constraint'],
  ['23514', 'row violates check constraint'],
  ['23P01', 'conflicting key value violates exclusion constraint'],
  ['22001', 'value too long for its type'],
  ['22003', 'value out of range'],
  ['22007', 'invalid date or time'],
  ['22008', 'date or time out of range'],
  ['22012', 'division by zero'],
  ['22P02', 'invalid input syntax'],
  ['22P04', 'bad data in COPY'],
  ['25P02', 'current transaction is aborted, commands ignored until end of transaction block'],
  ['40001', 'could not serialize access'],
  ['40P01', 'deadlock detected'],
  ['42501', 'permission denied'],
  ['55P03', 'could not obtain lock'],
  ['57014', 'canceling statement due to a timeout or on request'],
  ['57P01', 'terminating connection due to administrator command'],
  ['P0001', 'a function raised an error'],
  ['08', 'connection failure'],
  ['21', 'more rows than the statement takes'],
  ['22', 'invalid value'],
  ['23', 'constraint violated'],
  ['25', 'wrong state of the transaction'],
  ['28', 'not authorized'],
  ['40', 'transaction rolled back'],
  ['42', 'invalid name or wrong use of one'],
  ['53', 'not enough resources'],
  ['54', 'limit of the server exceeded'],
  ['55', 'object not in the state that is needed'],
  ['57', 'stopped by an operator'],
  ['58', 'system error'],
  ['P0', 'a function raised an error'],
  ['XX', 'internal error'],
])
const HINT =
  'countersign: the words of the target are masked, because the statement touches masked columns or writes where some are.'
const UNTAGGED_HINT =
  'countersign: the words of the target are masked, because columns without a tag are masked here.'
const NO_KEY = new Uint8Array()
/** The most of a text that is searched. */
const MESSAGE_CHARACTERS_MAX = 65_536
/** The most that is kept of a text that is cut, and the least that is searched behind it. */
const KEPT_CHARACTERS = 16_384
