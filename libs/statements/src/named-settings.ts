import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { children, constantOf, type Node, nodeAt, nodesAt, textOf, wordsAt } from './tree.ts'

/**
 * Names of settings of applications and extensions (they have a dot) that a text sets: with SET, or with set_config, whose
 * name may be a parameter. PostgreSQL lists no such settings, so they can only be asked for by name.
 *
 * Known limit, exercised by a test: names that are computed, and those that a function sets, are not found.
 */
export function namedSettings(
  sql: string | null,
  parameters: readonly (Uint8Array | null)[] = [],
): readonly string[] {
  if (sql === null || sql.length > LOOP_BYTES_MAX || !WORDS.test(sql)) return []
  const trees = parsed(sql)
  if (!trees.ok) return []
  const names = new Set<string>()
  const below: Node[] = trees.value.flatMap((tree) => nodeAt(tree, 'stmt') ?? [])
  for (let next = below.pop(); next !== undefined; next = below.pop()) {
    const name = nameIn(next, parameters)
    if (name?.includes('.') === true) names.add(name.toLowerCase())
    below.push(...children(next))
  }
  return [...names].sort()
}

function nameIn({ kind, body }: Node, parameters: readonly (Uint8Array | null)[]): string | null {
  if (kind === 'VariableSetStmt') return textOf(body, 'name')
  if (kind !== 'FuncCall' || wordsAt(body, 'funcname').at(-1) !== 'set_config') return null
  const [name] = nodesAt(body, 'args')
  if (name?.kind !== 'ParamRef') return constantOf(name ?? null)
  const bytes = parameters[Number(name.body['number'] ?? 0) - 1]
  return bytes === undefined || bytes === null ? null : Buffer.from(bytes).toString('utf8')
}

const WORDS = /set/i
