import libpgQuery from 'libpg-query'
import { complexityOf } from './complexity.ts'
import { continued } from './continuation.ts'
import { decoded } from './parser.ts'

/**
 * PostgreSQL's message about a text that is no SQL, without the words of the text: its kind, the place of the error, in
 * characters from 1, and the length of the words that it quotes from there; 0 at the end of the text.
 */
export type SyntaxError = {
  readonly message: string
  readonly position: number
  readonly length: number
}

/**
 * The answer of PostgreSQL to a text that its grammar does not take; null where it takes it, where it gives another answer
 * than a syntax error (SQLSTATE 42601), and where the text is too complex to be read. It takes as long as parsing.
 */
export function syntaxErrorOf(sql: Uint8Array | string): SyntaxError | null {
  const text = decoded(sql, Infinity)
  if (!text.ok || complexityOf(text.value) !== null) return null
  try {
    // The place is told in characters.
    libpgQuery.parseSync(continued(text.value, (comment) => ' '.repeat([...comment].length)))
    return null
  } catch (thrown) {
    const { functionName, cursorPosition, message } = { ...detailsOf(thrown) }
    if (functionName !== REPORTER || typeof message !== 'string') return null
    return typeof cursorPosition === 'number' ? told(message, cursorPosition + 1) : null
  }
}

/** The words of PostgreSQL about a syntax error, with those of the text that they quote. */
export function syntaxErrorIn(sql: string, { message, position, length }: SyntaxError): string {
  if (length === 0) return `${message}${AT_END}`
  const start = indexOf(sql, 0, position - 1)
  return `${message}${NEAR}${sql.slice(start, indexOf(sql, start, length))}"`
}

function told(message: string, position: number): SyntaxError | null {
  if (message.endsWith(AT_END))
    return { message: message.slice(0, -AT_END.length), position, length: 0 }
  const end = message.indexOf(NEAR)
  if (end < 0) return null
  const quoted = message.slice(end + NEAR.length, -1)
  // A literal that does not end goes on to the end of the text.
  return {
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

/** The function of PostgreSQL's scanner that reports syntax errors, and nothing else. */
const REPORTER = 'scanner_yyerror'
const NEAR = ' at or near "'
const AT_END = ' at end of input'
const QUOTED_CHARACTERS_MAX = 16 * 1024
