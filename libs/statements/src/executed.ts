import { onlyStatement } from './only-statement.ts'
import { type Node, textOf } from './tree.ts'

/** A statement that PREPARE gave a name, with the text of that PREPARE. */
export type NamedStatement = { readonly name: string; readonly text: string }

/** The name that a text executes, where it does nothing else: `EXECUTE name (…)`. */
export const executedName = (sql: string | null): string | null => onlyName(sql, 'ExecuteStmt')

/** The name that a text gives a statement, where it does nothing else: `PREPARE name AS …`. */
export const preparedName = (sql: string | null): string | null => onlyName(sql, 'PrepareStmt')

/** The PREPARE of a text that is nothing else; null also where it prepares another name. */
export function prepareOf({ name, text }: NamedStatement): Node | null {
  const node = onlyStatement(text)
  return node?.kind === 'PrepareStmt' && textOf(node.body, 'name') === name ? node : null
}

function onlyName(sql: string | null, kind: string): string | null {
  // Keywords are plain ASCII in every spelling, so a text without these words need not be parsed.
  if (sql === null || !WORDS.test(sql)) return null
  const node = onlyStatement(sql)
  const name = node?.kind === kind ? textOf(node.body, 'name') : ''
  // A longer name may have been cut, and stand for another.
  return name === '' || Buffer.byteLength(name) > NAME_BYTES_MAX ? null : name
}

const WORDS = /execute|prepare/i
/** PostgreSQL cuts names to 63 bytes, at a whole character, so a name of 60 bytes or more may be cut. */
const NAME_BYTES_MAX = 59
