/**
 * The relations of which a rule uses rows as a whole (`to_jsonb(v)`, `v`, `v::text`). pg_depend has nothing of such a use where
 * the rule also names a column of the relation: a whole-row Var adds no dependency (find_expr_references_walker).
 *
 *   query := '{QUERY … :rtable (' entry {' ' entry} ') … }'
 *   entry := '{RANGETBLENTRY … :rtekind 0 :relid ' oid ' … }' | '{RANGETBLENTRY … :rtekind ' kind ' … }'
 *   var   := '{VAR :varno ' n ' :varattno 0 … :varlevelsup ' levels ' … }'
 *
 * Queries nest, and a Var means an entry of the query that is so many levels up. A whole row of a sub-select or a function
 * has what stands there, whose columns are named; one of a join, or of what is not understood, may have all relations of the rule.
 */
export function wholeRowsIn(rule: string): readonly number[] {
  if (!rule.includes(' :varattno 0 ')) return []
  const uses: Use[] = []
  const relids = new Set<number>()
  const queries: Query[] = []
  // For each brace that is open: whether it began a query.
  const nodes: boolean[] = []
  for (const [text, varno, levels, begins, kind, relid] of rule.matchAll(TOKEN)) {
    if (begins !== undefined) {
      nodes.push(begins === 'QUERY')
      if (begins === 'QUERY') queries.push([])
    } else if (text === '}') {
      if (nodes.pop() === true) queries.pop()
    } else if (varno !== undefined) {
      uses.push({ query: queries.at(-1 - Number(levels)), varno: Number(varno) })
    } else if (kind !== undefined) {
      const oid = Number(relid ?? 0)
      if (oid > 0) relids.add(oid)
      queries.at(-1)?.push({ kind: Number(kind), oid })
    }
  }
  const found = new Set<number>()
  for (const { query, varno } of uses) {
    const entry = query?.[varno - 1]
    if (entry?.kind === RELATION) found.add(entry.oid)
    else if (entry === undefined || !NAMING.has(entry.kind))
      for (const oid of relids) found.add(oid)
  }
  return [...found].sort((a, b) => a - b)
}

/** The range table of a query. */
type Query = { readonly kind: number; readonly oid: number }[]
type Use = { readonly query: Query | undefined; readonly varno: number }

/** Braces, whole-row Vars and the kinds of entries; what follows a backslash is no sign of the grammar. */
const TOKEN =
  /\\.|\{VAR :varno (-?\d+) :varattno 0 [^{}\\]*? :varlevelsup (\d+) [^{}\\]*\}|\{([A-Z]*)|\}| :rtekind (\d+)(?: :relid (\d+))?(?= )/gs

/** RTEKind: a table or view. */
const RELATION = 0
/** RTEKinds whose own expressions name what they show: sub-selects, functions, XMLTABLE and the like, VALUES, CTEs. */
const NAMING: ReadonlySet<number> = new Set([1, 3, 4, 5, 6])
