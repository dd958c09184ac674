import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { type Node, nodeAt } from './tree.ts'

/**
 * The statement that a text consists of; null where it has several or none, or is longer than `bytesMax`: it is not parsed
 * where others wait.
 */
export function onlyStatement(sql: string | null, bytesMax: number = LOOP_BYTES_MAX): Node | null {
  if (sql === null || sql.length > bytesMax) return null
  const trees = parsed(sql)
  const [only, ...others] = trees.ok ? trees.value : []
  return only === undefined || others.length > 0 ? null : nodeAt(only, 'stmt')
}
