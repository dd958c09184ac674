import type { Redefinitions, SyntaxError } from '@countersign/contracts'
import {
  type BesideText,
  copyOut,
  type CopyOut,
  LOOP_BYTES_MAX,
  namedSettings,
  type RedefinedNames,
  redefinitions,
  type ResultColumns,
  resultColumns,
  syntaxErrorOf,
  type TargetCatalog,
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
  const sql = options.executes?.text ?? text
  const isUnread = understanding.statements.length === 0 && !understanding.empty
  return {
    understanding,
    result: resultColumns(sql, target),
    copyOut:
      understanding.copy === 'out' ? copyOut(Buffer.from(sql).toString('utf8'), target) : null,
    redefines: redefinesOf(text, understanding, options),
    syntaxError: isUnread ? syntaxErrorOf(text) : null,
  }
}

/** The names that a long text redefines, by the grammar: the proxy would have to judge it by its words. */
function redefinesOf(
  text: Uint8Array,
  { stateChanging }: Understanding,
  options: BesideText,
): Redefinitions | null {
  if (bytesToParse(text, options) <= LOOP_BYTES_MAX) return null
  const { executes, parameters } = options
  const sql = Buffer.from(text).toString('utf8')
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
