import type { LongText, Redefinitions, SyntaxError } from '@countersign/contracts'
import {
  type BesideText,
  copyOut,
  type CopyOut,
  executedName,
  isEndTold,
  LOOP_BYTES_MAX,
  namedSettings,
  preparedName,
  type RedefinedNames,
  redefinitions,
  type ResultColumns,
  resultColumns,
  syntaxErrorOf,
  type TargetCatalog,
  transactionTurn,
  understand,
  type Understanding,
  type UnderstandOptions,
} from '@countersign/statements'

/** Everything that a decision needs of a text: what the text would do, and what the columns of its result are made of. */
export type Understood = {
  readonly understanding: Understanding
  readonly result: ResultColumns
  /** The columns of a COPY TO STDOUT; null where they cannot be told, and for anything else. */
  readonly copyOut: CopyOut | null
  /** The names that a text redefines which is too long for the proxy to parse; null for a shorter one. */
  readonly redefines: Redefinitions | null
  /** Further facts about such a text; null for a shorter one. */
  readonly longText: LongText | null
  /** The name of the prepared statement that it executes; null where it does anything else. */
  readonly executes: string | null
  /** The error of PostgreSQL, where the text is no SQL. */
  readonly syntaxError: SyntaxError | null
}

/** Understands a text. The result of an EXECUTE is that of the statement which it runs. */
export function understood(
  text: Uint8Array,
  target: TargetCatalog,
  options: UnderstandOptions = {},
): Understood {
  const understanding = understand(text, target, options)
  // Nothing else is asked about a text that is refused.
  if (understanding.tooComplex !== null) return notUnderstood(understanding)
  const written = Buffer.from(text).toString('utf8')
  const executed = executedName(written, Infinity)
  // First all about the text and then all about what it executes: only the last text that was parsed is remembered.
  const isLong = bytesToParse(text, options) > LOOP_BYTES_MAX
  const longText = isLong ? longTextOf(written, executed) : null
  const redefines = isLong ? redefinesOf(written, understanding, options) : null
  const { executes = null } = options
  // The proxy asks for what a long text executes by its first words, so it may do more.
  const sql = executes !== null && executes.name === executed ? executes.text : written
  const isUnread = understanding.statements.length === 0 && !understanding.empty
  return {
    understanding,
    result: resultColumns(sql, target),
    copyOut: understanding.copy === 'out' ? copyOut(sql, target) : null,
    redefines,
    longText,
    executes: executed,
    syntaxError: isUnread ? syntaxErrorOf(text) : null,
  }
}

/** The facts about a long text that the proxy finds out about a shorter one by itself. */
const longTextOf = (sql: string, executes: string | null): LongText => ({
  turn: transactionTurn(sql, Infinity) ?? 'BeginsAnother',
  endTold: isEndTold(sql, Infinity),
  prepares: preparedName(sql, Infinity),
  executes,
})

/** The names that a long text redefines, by the grammar: the proxy would have to judge it by its words. */
function redefinesOf(
  sql: string,
  { stateChanging }: Understanding,
  { executes, parameters }: BesideText,
): Redefinitions {
  const { statements, portals } = redefinitions(sql, Infinity)
  const own = stateChanging ? namedSettings(sql, parameters, Infinity) : null
  const executed = namedSettings(executes?.text ?? '', [], Infinity)
  return {
    statements: listed(statements),
    portals: listed(portals),
    settings: own === null || executed === null ? null : listedSettings([...own, ...executed]),
  }
}

/** A value that stands for a name in `set_config` is told only if it can be one: a decision has no values. */
const listedSettings = (names: readonly string[]): readonly string[] | null =>
  names.every((name) => CUSTOM_SETTING.test(name)) ? listed(names) : null

const listed = (names: RedefinedNames): readonly string[] | null =>
  names === 'all' ||
  names.length > NAMES_MAX ||
  names.some(({ length }) => length > NAME_CHARACTERS_MAX)
    ? null
    : names

/** A text of which nothing but its refusal is known. */
export const notUnderstood = (understanding: Understanding): Understood => ({
  understanding,
  result: { madeOf: [], isApart: [], cursor: null },
  copyOut: null,
  redefines: null,
  longText: null,
  executes: null,
  syntaxError: null,
})

/** The bytes of a text, and of the statement that it executes. */
export const bytesToParse = (text: Uint8Array, { executes }: BesideText): number =>
  text.length + (executes?.text.length ?? 0)

/** The most names of a kind that a decision lists, and the longest one: above them it may be any name. */
const NAMES_MAX = 500
const NAME_CHARACTERS_MAX = 200
/** As `valid_custom_variable_name` of PostgreSQL, in small letters of ASCII. */
const CUSTOM_SETTING = /^[a-z_][a-z0-9_$]*(?:\.[a-z_][a-z0-9_$]*)+$/
