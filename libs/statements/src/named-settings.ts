import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import {
  children,
  constantOf,
  type Node,
  nodeAt,
  nodesAt,
  textOf,
  type Tree,
  wordsAt,
} from './tree.ts'

/**
 * Names of settings of applications and extensions (they have a dot) that a text sets: with SET, or with set_config, whose
 * name may be a parameter. PostgreSQL lists no such settings, so they can only be asked for by name.
 *
 * Null where a name cannot be known: the text does not parse, computes the name, or is longer than `bytesMax`: it is not
 * parsed where others wait.
 *
 * Known limit, exercised by a test: a setting that a function sets is not found; the caller knows whether code ran.
 */
export function namedSettings(
  sql: string | null,
  parameters: readonly (Uint8Array | null)[] = [],
  bytesMax: number = LOOP_BYTES_MAX,
): readonly string[] | null {
  if (sql !== null && !WORDS.test(sql)) return []
  if (sql === null || sql.length > bytesMax) return null
  const trees = parsed(sql)
  if (!trees.ok) return null
  try {
    return namesIn(trees.value, parameters)
  } catch {
    // A tree that `understand` does not walk either.
    return null
  }
}

function namesIn(
  trees: readonly Tree[],
  parameters: readonly (Uint8Array | null)[],
): readonly string[] | null {
  // bound: as long as one text
  const names = new Set<string>()
  const below: Node[] = trees.flatMap((tree) => nodeAt(tree, 'stmt') ?? [])
  for (let next = below.pop(); next !== undefined; next = below.pop()) {
    const name = nameIn(next, parameters)
    if (name === null) return null
    if (name.includes('.')) names.add(name.toLowerCase())
    // One by one: a long list has more children than a call may have arguments.
    for (const child of children(next)) below.push(child)
  }
  return [...names].sort()
}

/** The setting that a node sets; empty where it sets none, null where that cannot be known. */
function nameIn({ kind, body }: Node, parameters: readonly (Uint8Array | null)[]): string | null {
  if (kind === 'VariableSetStmt') return textOf(body, 'name')
  if (kind !== 'FuncCall' || wordsAt(body, 'funcname').at(-1) !== 'set_config') return ''
  const name = withoutCasts(nodesAt(body, 'args')[0] ?? null)
  if (name?.kind !== 'ParamRef') return constantOf(name)
  const bytes = parameters[Number(name.body['number'] ?? 0) - 1]
  return bytes === undefined || bytes === null ? null : Buffer.from(bytes).toString('utf8')
}

/** `$1::text` is $1; a cast that shortens the value gives another name, which then is asked for in vain as well. */
const withoutCasts = (node: Node | null): Node | null =>
  node?.kind === 'TypeCast' ? withoutCasts(nodeAt(node.body, 'arg')) : node

const WORDS = /set/i
