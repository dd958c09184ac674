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
 *
 * Where a write goes through another rule of the view, RETURNING shows the `returningList` of that rule as the columns of
 * the view. A column that is another one there has no origin.
 */
export function originsIn(
  rule: string,
  otherRules: readonly string[] = [],
): ReadonlyMap<number, Origin> {
  const origins = new Map<number, Origin>()
  const returned = otherRules.map((other) => shownBy(other, 'returningList'))
  for (const [resno, origin] of shownBy(rule, 'targetList')) {
    const isElsewhere = returned.some(
      (columns) => columns.has(resno) && !isSame(columns.get(resno) ?? null, origin),
    )
    if (origin !== null && !isElsewhere) origins.set(resno, origin)
  }
  return origins
}

const isSame = (one: Origin | null, other: Origin | null): boolean =>
  one?.relationOid === other?.relationOid && one?.attnum === other?.attnum

/** The origins of what a list shows, by its number; null for what has none. */
function shownBy(rule: string, list: string): ReadonlyMap<number, Origin | null> {
  const shown = new Map<number, Origin | null>()
  for (const entry of entriesOf(rule, list)) {
    const field = (name: string): number =>
      Number(new RegExp(` :${name} (-?\\d+)(?= |\\})`).exec(entry)?.[1] ?? 0)
    const origin = { relationOid: field('resorigtbl'), attnum: field('resorigcol') }
    shown.set(field('resno'), origin.relationOid > 0 && origin.attnum > 0 ? origin : null)
  }
  return shown
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

/** The OIDs of the functions that a rule calls: by name, as operators, aggregates and window functions. */
export const functionsIn = (rule: string): readonly string[] =>
  [...rule.matchAll(/(?<!\\) :(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)(?= )/g)].flatMap(
    ([, oid]) => oid ?? [],
  )

const FIRST_UNPINNED = 12_000

/** The entries of the outermost list of that name, each without the nodes inside it. */
function entriesOf(rule: string, list: string): string[] {
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
      if (depth === LIST) isList = rule.endsWith(` :${list} `, at)
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

/** The depths of nesting: of a list inside '({QUERY …', and of an entry inside the list. */
const LIST = 3
const ENTRY = 4
