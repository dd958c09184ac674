import { CATALOG_COLUMNS } from './generated/pg-catalog.ts'

/** A column of PostgreSQL's own catalogs, by name. */
export type SystemColumnName = {
  readonly schema: string
  readonly relation: string
  readonly column: string
}

/** The columns of one of PostgreSQL's own relations; null for any other relation. */
export const systemColumnsOf = (
  schema: string | null,
  relation: string,
): ReadonlySet<string> | null => ALL.get(`${schema ?? ''}.${relation}`)?.columns ?? null

/**
 * True if a column of pg_catalog or information_schema shows what users stored or wrote, as column-classes.ts says. A column
 * without a class is masked too.
 */
export function isMaskedSystemColumn({ schema, relation, column }: SystemColumnName): boolean {
  const found = ALL.get(`${schema}.${relation}`)
  return found === undefined || !found.columns.has(column) || found.masked.has(column)
}

/** True if any column of the relation is masked. */
export function systemColumnsMasked(schema: string, relation: string): boolean {
  const found = ALL.get(`${schema}.${relation}`)
  return found === undefined || found.masked.size > 0
}

type Relation = { readonly columns: ReadonlySet<string>; readonly masked: ReadonlySet<string> }

const ALL: ReadonlyMap<string, Relation> = new Map(
  CATALOG_COLUMNS.trim()
    .split('\n')
    .map((line) => {
      const [name = '', ...marked] = line.split(' ')
      const columns = new Set(marked.map((each) => each.replace(/[!=]$/, '')))
      const masked = marked.filter((each) => each.endsWith('!')).map((each) => each.slice(0, -1))
      return [name, { columns, masked: new Set(masked) }]
    }),
)
