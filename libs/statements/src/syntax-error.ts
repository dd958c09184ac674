import libpgQuery from 'libpg-query'
import { complexityOf } from './complexity.ts'
import { continued } from './continuation.ts'
import { LOOP_BYTES_MAX } from './parser.ts'

/** PostgreSQL's message about a text that is no SQL, and the place of the error: in characters, from 1. */
export type SyntaxError = { readonly message: string; readonly position: number }

/**
 * The answer of PostgreSQL to a text that its grammar does not take, in its own words; null where it takes it, where it
 * gives another answer than a syntax error (SQLSTATE 42601), and where the text may cost more than others can wait for.
 */
export function syntaxErrorOf(sql: string | null): SyntaxError | null {
  if (sql === null || sql.length > LOOP_BYTES_MAX || complexityOf(sql) !== null) return null
  try {
    // The place is told in characters.
    libpgQuery.parseSync(continued(sql, (comment) => ' '.repeat([...comment].length)))
    return null
  } catch (thrown) {
    const { functionName, cursorPosition, message } = { ...detailsOf(thrown) }
    if (functionName !== REPORTER || typeof message !== 'string') return null
    return typeof cursorPosition === 'number' ? { message, position: cursorPosition + 1 } : null
  }
}

type Details = { readonly [field: string]: unknown }

const detailsOf = (thrown: unknown): Details | null =>
  typeof thrown === 'object' && thrown !== null && 'sqlDetails' in thrown
    ? Object(thrown.sqlDetails)
    : null

/** The function of PostgreSQL's scanner that reports syntax errors, and nothing else. */
const REPORTER = 'scanner_yyerror'
