import libpgQuery from 'libpg-query'
import { complexityOf } from './complexity.ts'
import { continued } from './continuation.ts'
import { decoded, LOOP_BYTES_MAX } from './parser.ts'

/**
 * PostgreSQL's message about a text that is no SQL, without the words of the text: its SQLSTATE, its kind, the place of the
 * error, in characters from 1 and 0 for none, and the length of the words that it quotes from there; 0 at the end of the text,
 * and -1 where it quotes none from there.
 */
export type SyntaxError = {
  readonly code: string
  readonly message: string
  readonly position: number
  readonly length: number
}

/**
 * The answer of PostgreSQL to a text that its grammar does not take; null where it takes it, where something else than its
 * grammar and scanner fails, and where the text is too complex to be read. It takes as long as parsing.
 */
export function syntaxErrorOf(sql: Uint8Array | string): SyntaxError | null {
  const said = reported(sql)
  if (said === null) return null
  const { file, message, position } = said
  if (said.reporter === REPORTER) return told(message, position)
  const code = CODES.find(([of, pattern]) => of === file && pattern.test(message))?.[2] ?? '42601'
  return {
    code,
    message: message.replace(OF_TEXT, ''),
    position: NOWHERE.test(message) ? 0 : position,
    length: -1,
  }
}

type Report = {
  readonly file: string
  readonly reporter: unknown
  readonly message: string
  readonly position: number
}

/** The error of the grammar or the scanner, with the words of the text that it quotes; null for any other, and for none. */
function reported(sql: Uint8Array | string): Report | null {
  const text = decoded(sql, Infinity)
  if (!text.ok || complexityOf(text.value) !== null) return null
  try {
    // The place is told in characters.
    libpgQuery.parseSync(continued(text.value, (comment) => ' '.repeat([...comment].length)))
    return null
  } catch (thrown) {
    const { functionName, cursorPosition, message, fileName } = { ...detailsOf(thrown) }
    const file = typeof fileName === 'string' ? fileName.replace(/^.*_/, '') : ''
    if (!FILES.has(file) || typeof message !== 'string' || typeof cursorPosition !== 'number')
      return null
    return { file, reporter: functionName, message, position: cursorPosition + 1 }
  }
}

/**
 * The words of PostgreSQL about a syntax error, with those of the text that they quote. Where they are not from the place of
 * the error the text is parsed again, and a long text, which is not parsed where others wait, is told of without them.
 */
export function syntaxErrorIn(sql: string, { message, position, length }: SyntaxError): string {
  if (length < 0) return (sql.length > LOOP_BYTES_MAX ? null : reported(sql)?.message) ?? message
  if (length === 0) return `${message}${AT_END}`
  const start = indexOf(sql, 0, position - 1)
  return `${message}${NEAR}${sql.slice(start, indexOf(sql, start, length))}"`
}

function told(message: string, position: number): SyntaxError | null {
  if (message.endsWith(AT_END))
    return { code: '42601', message: message.slice(0, -AT_END.length), position, length: 0 }
  const end = message.indexOf(NEAR)
  if (end < 0) return null
  const quoted = message.slice(end + NEAR.length, -1)
  // A literal that does not end goes on to the end of the text.
  return {
    code: '42601',
    message: message.slice(0, end),
    position,
    length: Math.min([...quoted].length, QUOTED_CHARACTERS_MAX),
  }
}

/** The index behind so many characters from an index: one beyond the basic plane takes two places of a string. */
function indexOf(text: string, from: number, characters: number): number {
  let index = from
  for (let left = characters; left > 0 && index < text.length; left--)
    index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1
  return index
}

type Details = { readonly [field: string]: unknown }

const detailsOf = (thrown: unknown): Details | null =>
  typeof thrown === 'object' && thrown !== null && 'sqlDetails' in thrown
    ? Object(thrown.sqlDetails)
    : null

/** The sources of PostgreSQL that read a text, and check its literals. */
const FILES: ReadonlySet<string> = new Set(['scan.l', 'gram.y', 'parser.c', 'mbutils.c'])
/** The SQLSTATEs of what is not 42601, by source and message. */
const CODES: readonly (readonly [file: string, message: RegExp, code: string])[] = [
  ['mbutils.c', /^invalid byte sequence/, '22021'],
  ['scan.l', /^invalid Unicode escape$/, '22025'],
  ['gram.y', /not yet implemented$| constraints cannot be marked /, '0A000'],
  ['gram.y', /^constraints cannot be altered to be /, '0A000'],
  ['gram.y', /^CREATE OR REPLACE CONSTRAINT TRIGGER is not supported$/, '0A000'],
  ['gram.y', /^WITH CHECK OPTION not supported on recursive views$/, '0A000'],
  ['gram.y', /^aggregates cannot have output arguments$/, '0A000'],
  ['gram.y', /^CREATE SCHEMA IF NOT EXISTS cannot include schema elements$/, '0A000'],
  ['gram.y', /^a column list with .* is only supported for ON DELETE actions$/, '0A000'],
  ['gram.y', /^precision for type float must be/, '22023'],
  ['gram.y', /^unrecognized (?:partitioning strategy|JSON encoding)/, '22023'],
  ['gram.y', / for hash partition provided more than once$/, '42710'],
  ['gram.y', /^role name .* is reserved$|cannot be used as a role name here$/, '42939'],
  ['gram.y', /^frame (?:start|end)/, '42P20'],
]
/** Messages without a place, for which the parser tells the beginning of the text. */
const NOWHERE = /^invalid byte sequence|^STDIN\/STDOUT not allowed with PROGRAM$/
/** The parts of a message that come from the text: in quotes, and behind a colon. */
const OF_TEXT = /(?: *"|: )[^]*$/
/** The function of PostgreSQL's scanner that reports what it does not take at a place. */
const REPORTER = 'scanner_yyerror'
const NEAR = ' at or near "'
const AT_END = ' at end of input'
const QUOTED_CHARACTERS_MAX = 16 * 1024
