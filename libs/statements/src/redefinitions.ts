import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { nodeAt, type Node, textOf } from './tree.ts'

/** Names that a text takes away or gives another meaning: some of them, or every one that SQL can write. */
export type RedefinedNames = 'all' | readonly string[]

/** The names of prepared statements and of portals (cursors) that a text redefines. */
export type Redefinitions = {
  readonly statements: RedefinedNames
  readonly portals: RedefinedNames
}

/**
 * Finds which names a text redefines, by the grammar. Names that only called code redefines are not found: the caller
 * must know whether the text runs code that was not looked into. A text that does not parse may redefine
 * every name, and so may one with such a word that is longer than `bytesMax`: it is not parsed where others wait.
 */
export function redefinitions(
  sql: string | null,
  bytesMax: number = LOOP_BYTES_MAX,
): Redefinitions {
  // Keywords are plain ASCII in every spelling, so a text without these words need not be parsed.
  if (sql !== null && !WORDS.test(sql)) return NOTHING
  const trees = sql === null || sql.length > bytesMax ? null : parsed(sql)
  if (trees?.ok !== true) return EVERYTHING
  const all = trees.value
    .map((tree) => nodeAt(tree, 'stmt'))
    .map((node) => (node === null ? EVERYTHING : redefinedBy(node)))
  return {
    statements: union(all.map(({ statements }) => statements)),
    portals: union(all.map(({ portals }) => portals)),
  }
}

function redefinedBy({ kind, body }: Node): Redefinitions {
  switch (kind) {
    case 'PrepareStmt':
    case 'DeallocateStmt':
      return { statements: named(textOf(body, 'name')), portals: [] }
    case 'DeclareCursorStmt':
    case 'ClosePortalStmt':
      return { statements: [], portals: named(textOf(body, 'portalname')) }
    case 'DiscardStmt':
      return textOf(body, 'target') === 'DISCARD_ALL' ? EVERYTHING : NOTHING
    // It may run a statement that the protocol prepared, which may be any of these.
    case 'ExecuteStmt':
      return EVERYTHING
    case 'ExplainStmt':
    case 'CreateTableAsStmt': {
      const inner = nodeAt(body, 'query')
      return inner === null ? EVERYTHING : redefinedBy(inner)
    }
    default:
      return NOTHING
  }
}

/** ALL has no name. A name that PostgreSQL may cut stands for any. */
const named = (name: string): RedefinedNames =>
  name === '' || Buffer.byteLength(name) >= NAME_BYTES_SAFE ? 'all' : [name]

const union = (each: readonly RedefinedNames[]): RedefinedNames => {
  // bound: as long as one text
  const names = new Set<string>()
  for (const some of each) {
    if (some === 'all') return 'all'
    for (const name of some) names.add(name)
  }
  return [...names]
}

const NOTHING: Redefinitions = { statements: [], portals: [] }
const EVERYTHING: Redefinitions = { statements: 'all', portals: 'all' }
const WORDS = /prepare|deallocate|discard|declare|close|execute/i
/** Names of 64 bytes and more are cut to 63, at a whole character. */
const NAME_BYTES_SAFE = 60
