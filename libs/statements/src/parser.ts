import { failed, messageOf, ok, type Result } from '@countersign/kernel'
import libpgQuery from 'libpg-query'
import { complexityOf } from './complexity.ts'
import { continued } from './continuation.ts'
import { treeOf, type Tree } from './tree.ts'

/** A statement longer than this is refused, unless a service says otherwise. */
export const STATEMENT_BYTES_MAX = 1024 * 1024

/** A longer text is not parsed where others wait for the same event loop: it may take half a second. */
export const LOOP_BYTES_MAX = 16 * 1024

/** Makes the parser ready. Call it once, before anything else of this package. */
export async function loadStatements(): Promise<void> {
  await libpgQuery.loadModule()
}

/** The text of a message, or the reason why PostgreSQL and this parser do not both read it alike. */
export function decoded(
  sql: Uint8Array | string,
  statementBytesMax: number = STATEMENT_BYTES_MAX,
): Result<string> {
  const length = typeof sql === 'string' ? Buffer.byteLength(sql) : sql.length
  if (length > statementBytesMax) return failed(tooLong(statementBytesMax))
  const text = typeof sql === 'string' ? sql : utf8(sql)
  if (text === null || !text.isWellFormed()) return failed('is not valid UTF-8')
  if (text.includes('\0')) return failed('contains a NUL')
  return ok(text)
}

const tooLong = (bytesMax: number): string => `is longer than ${bytesMax} bytes`

/** The raw parse trees of a message, by PostgreSQL's own grammar. They are shared: do not change them. */
export function parsed(text: string): Result<readonly Tree[]> {
  // Several callers ask for the trees of the same statement, one after the other.
  if (text !== last?.text) last = { text, trees: parsedAnew(text) }
  return last.trees
}

let last: { readonly text: string; readonly trees: Result<readonly Tree[]> } | null = null

/** True if the grammar overflowed its stack: its memory cannot be trusted then, and its thread must be replaced. */
export const isParserBroken = (): boolean => isBroken
let isBroken = false
const isRuntimeError = (thrown: unknown): boolean =>
  thrown instanceof Error && thrown.name === 'RuntimeError'

function parsedAnew(text: string): Result<readonly Tree[]> {
  if (BLANK.test(text)) return ok([])
  const complexity = complexityOf(text)
  if (complexity !== null) return failed(complexity)
  try {
    const tree = treeOf(libpgQuery.parseSync(continued(text)))
    const statements = tree?.['stmts']
    return Array.isArray(statements)
      ? ok(statements.map((each) => treeOf(each)).filter((each) => each !== null))
      : failed('gives no parse tree')
  } catch (thrown) {
    if (thrown instanceof RangeError || isRuntimeError(thrown)) isBroken = true
    // The words that PostgreSQL quotes are of the statement, whose values stand nowhere in clear.
    return failed(`does not parse: ${messageOf(thrown).replace(QUOTED, '')}`)
  }
}

/** Bytes as text, one character each and without a copy. */
export const latin1Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

function utf8(bytes: Uint8Array): string | null {
  try {
    return DECODER.decode(bytes)
  } catch {
    return null
  }
}

// A byte order mark is no white space to PostgreSQL, so it must reach the parser.
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const QUOTED = /(?: at or near)? *".*$/s
const BLANK = /^[ \t\n\r\f\v;]*$/
