import { firstTokensOf } from './first-word.ts'
import { onlyStatement } from './only-statement.ts'
import { LOOP_BYTES_MAX } from './parser.ts'
import { type Node, textOf } from './tree.ts'

/** A statement that PREPARE gave a name, with the text of that PREPARE. */
export type NamedStatement = { readonly name: string; readonly text: string }

/** The name that a text executes, where it does nothing else: `EXECUTE name (…)`. Null also where it is longer than `bytesMax`. */
export const executedName = (sql: string | null, bytesMax?: number): string | null =>
  onlyName(sql, 'ExecuteStmt', bytesMax)

/** The name that a text gives a statement, where it does nothing else: `PREPARE name AS …`. Null also where it is longer than `bytesMax`. */
export const preparedName = (sql: string | null, bytesMax?: number): string | null =>
  onlyName(sql, 'PrepareStmt', bytesMax)

/**
 * The name that a text seems to execute. Of a text that is too long to be parsed where others wait that is the name that it
 * begins with, where nothing but parameters seems to follow: UESCAPE would change the name, and a statement the answer.
 */
export function seemsToExecute(sql: string | null): string | null {
  if (sql === null || sql.length <= LOOP_BYTES_MAX) return executedName(sql)
  const [word = '', name = '', next, further] = firstTokensOf(sql, 4)
  if (!EXECUTE.test(word)) return null
  const isAlone = next === undefined || next === '(' || (next === ';' && further === undefined)
  return isAlone ? executedName(`${word} ${name}`) : null
}

/** True if a text seems to prepare or execute a name, and to do nothing else; a long one is judged by its first word alone. */
export function seemsToUseName(sql: string | null): boolean {
  if (sql === null || !WORDS.test(sql)) return false
  return sql.length > LOOP_BYTES_MAX
    ? USES_NAME.test(firstTokensOf(sql, 1)[0] ?? '')
    : executedName(sql) !== null || preparedName(sql) !== null
}

/** The PREPARE of a text that is nothing else; null also where it prepares another name. It takes as long as parsing. */
export function prepareOf({ name, text }: NamedStatement): Node | null {
  const node = onlyStatement(text, Infinity)
  return node?.kind === 'PrepareStmt' && textOf(node.body, 'name') === name ? node : null
}

function onlyName(sql: string | null, kind: string, bytesMax?: number): string | null {
  // Keywords are plain ASCII in every spelling, so a text without these words need not be parsed.
  if (sql === null || !WORDS.test(sql)) return null
  const node = onlyStatement(sql, bytesMax)
  const name = node?.kind === kind ? textOf(node.body, 'name') : ''
  // A longer name may have been cut, and stand for another.
  return name === '' || Buffer.byteLength(name) > NAME_BYTES_MAX ? null : name
}

const WORDS = /execute|prepare/i
const EXECUTE = /^execute$/i
const USES_NAME = /^(?:execute|prepare)$/i
/** PostgreSQL cuts names to 63 bytes, at a whole character, so a name of 60 bytes or more may be cut. */
const NAME_BYTES_MAX = 59
