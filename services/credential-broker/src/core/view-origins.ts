/** The column that a column of a view shows as it is. */
export type Origin = { readonly relationOid: number; readonly attnum: number }

/**
 * The columns of a view that show a column of a relation below as it is, by their number. PostgreSQL notes the origin
 * in each entry of the target list (markTargetListOrigin), through sub-selects and CTEs too, and sends it in a
 * RowDescription:
 *
 *   rule := '({QUERY … :targetList (' entry {' ' entry} ') …})'
 *   entry := '{TARGETENTRY :expr ' node ' :resno ' n … ' :resorigtbl ' oid ' :resorigcol ' n ' :resjunk ' bool '}'
 *
 * Nodes nest, and a backslash stands before a character that is no sign of the grammar (outfuncs.c). A computed column
 * has the table 0, a whole row the column 0; neither is in the answer, nor is a view that is not of this form.
 */
export function originsIn(rule: string): ReadonlyMap<number, Origin> {
  const origins = new Map<number, Origin>()
  for (const entry of entriesOf(rule)) {
    const field = (name: string): number =>
      Number(new RegExp(` :${name} (-?\\d+)(?= |\\})`).exec(entry)?.[1] ?? 0)
    const origin = { relationOid: field('resorigtbl'), attnum: field('resorigcol') }
    if (origin.relationOid > 0 && origin.attnum > 0) origins.set(field('resno'), origin)
  }
  return origins
}

/**
 * The tables of PostgreSQL itself that a view reads anywhere. pg_depend has nothing of those with OIDs below 12,000
 * (FirstUnpinnedObjectId). They stand as ` :relid ` in entries of range tables, and in the permission checks for them.
 */
export function systemRelationsIn(rule: string): readonly number[] {
  const found = new Set<number>()
  for (const [, oid] of rule.matchAll(/(?<!\\) :relid (\d+)(?= )/g))
    if (Number(oid) > 0 && Number(oid) < FIRST_UNPINNED) found.add(Number(oid))
  return [...found].sort((a, b) => a - b)
}

const FIRST_UNPINNED = 12_000

/** The entries of the outermost target list, each without the nodes inside it. */
function entriesOf(rule: string): string[] {
  const entries: string[] = []
  let depth = 0
  let entry = ''
  let isList = false
  for (let at = 0; at < rule.length; at++) {
    const char = rule[at] ?? ''
    if (char === '\\') {
      at++
      continue
    }
    if (char === '{' || char === '(') {
      depth++
      if (depth === LIST) isList = rule.endsWith(' :targetList ', at)
    }
    if (isList && depth === ENTRY) entry += char
    if (char !== '}' && char !== ')') continue
    if (isList && depth === ENTRY) {
      entries.push(entry)
      entry = ''
    }
    depth--
  }
  return entries
}

/** The depths of nesting: of the target list inside '({QUERY …', and of an entry inside the list. */
const LIST = 3
const ENTRY = 4
