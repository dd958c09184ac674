import type { Names } from './catalog.ts'
import { type Collector, spend } from './collector.ts'
import type { RelationRef, TouchedColumn } from './facts.ts'
import { type Node, nodesAt, textOf, wordsAt } from './tree.ts'

/** The columns that a value may be made of. */
export type Made = {
  readonly columns: readonly TouchedColumn[]
  /** True unless it is a column of a relation as it is: the text itself can make one row for each possible value of another. */
  readonly isGenerated: boolean
}

/** A member of FROM, as names of the query may mean it. */
export type Source = {
  readonly alias: string
  /** True for a function: which columns it has is not known, but all of them are made of the same. */
  readonly hasAnyName: boolean
  /** The column of that name: null where it may be there and is not known, undefined where there is none. */
  find(name: string): Made | null | undefined
}

/** An output of a sub-select: of a name, which is null where PostgreSQL gives one that is not known here, or all columns of its FROM. */
export type Output =
  | { readonly name: string | null; readonly made: Made | null }
  | { readonly all: readonly Source[] | null }

/** All columns of several values, each once. */
export function together(all: readonly Made[]): Made {
  const [only, ...others] = all
  if (only !== undefined && others.length === 0) return only
  // bound: as long as one statement
  const columns = new Map<string, TouchedColumn>()
  for (const made of all)
    for (const each of made.columns)
      columns.set(JSON.stringify([each.relation.schema, each.relation.name, each.column]), each)
  return { columns: [...columns.values()], isGenerated: all.some((made) => made.isGenerated) }
}

/** A relation under its own column names. Of a view it is not known what the columns are made of. */
export const relationSource = (names: Names, alias: string, relation: RelationRef): Source => ({
  alias,
  hasAnyName: false,
  find(name) {
    const columns = names.columnsOf(relation)
    if (columns === null || names.below(relation).length > 0) return null
    return columns.has(name)
      ? { columns: [{ relation, column: name }], isGenerated: false }
      : undefined
  },
})

export const unknownSource = (alias: string): Source => ({
  alias,
  hasAnyName: false,
  find: () => null,
})

/** Rows that a function or VALUES makes. */
export const madeSource = (alias: string, columns: readonly TouchedColumn[]): Source => ({
  alias,
  hasAnyName: true,
  find: () => ({ columns, isGenerated: true }),
})

/** A sub-select. Each name is looked for once, since one star may stand for another one below it. */
export function outputsSource(
  to: Collector,
  alias: string,
  outputs: readonly Output[] | null,
): Source {
  if (outputs === null) return unknownSource(alias)
  const named = Map.groupBy(
    outputs.flatMap((output) => ('all' in output ? [] : output)),
    ({ name }) => name,
  )
  const stars = outputs.flatMap((output) => ('all' in output ? output : []))
  // bound: as long as one statement
  const known = new Map<string, Made | null | undefined>()
  const look = (name: string): Made | null | undefined => {
    spend(to, 1 + stars.length)
    const found = [
      ...(named.get(name) ?? []).map(({ made }) => made),
      ...stars.flatMap(({ all }) => (all === null ? [null] : foundIn(all, name))),
    ]
    if (found.length === 0) return named.has(null) ? null : undefined
    const told = found.filter((made) => made !== null)
    return told.length < found.length ? null : together(told)
  }
  return {
    alias,
    hasAnyName: false,
    find(name) {
      if (!known.has(name)) known.set(name, look(name))
      return known.get(name)
    },
  }
}

/** The columns of a name. That of a function, which may be of any name, is none where another member has the name. */
function foundIn(sources: readonly Source[], name: string): (Made | null)[] {
  const found = sources.flatMap((source) => {
    const made = source.find(name)
    return made === undefined ? [] : { made, hasAnyName: source.hasAnyName }
  })
  const certain = found.filter(({ hasAnyName }) => !hasAnyName)
  return (certain.length > 0 ? certain : found).map(({ made }) => made)
}

/** The outputs under the names that an alias gives to the first of them; null where a star hides their number. */
export function renamed(
  outputs: readonly Output[] | null,
  names: readonly string[],
): readonly Output[] | null {
  if (outputs === null || names.length === 0) return outputs
  const found: Output[] = []
  for (const [index, output] of outputs.entries()) {
    if ('all' in output) return null
    found.push({ ...output, name: names[index] ?? output.name })
  }
  return found
}

/** The name that PostgreSQL gives an output without AS; null where that is not worked out here. */
export function inferredName({ kind, body }: Node): string | null {
  switch (kind) {
    case 'ColumnRef':
      return nodesAt(body, 'fields').some((each) => each.kind === 'A_Star')
        ? null
        : (wordsAt(body, 'fields').at(-1) ?? null)
    case 'FuncCall':
      return wordsAt(body, 'funcname').at(-1) ?? null
    default:
      return null
  }
}

/** The name of an output; null where it is not known, or for a star. */
export const nameOf = ({ body }: Node, value: Node): string | null =>
  textOf(body, 'name') || inferredName(value)
