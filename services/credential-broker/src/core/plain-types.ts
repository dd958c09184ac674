import type { DescribedType } from '@countersign/contracts'

/** A type as the catalogs of PostgreSQL have it; OIDs of other types as numbers. */
export type TypeRow = {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly kind: string
  /** The relkind of the relation whose rows it describes; empty for none. */
  readonly relationKind: string
  readonly element: number | null
  readonly base: number | null
  readonly bounds: number | null
  readonly fields: readonly TypeField[]
  readonly checks: readonly DomainCheck[]
  readonly code: boolean
  readonly isConverted: boolean
  readonly runsWhenRead: boolean
  readonly digest: string
}

/** A field of a composite type, or a column of the relation whose rows the type describes. */
export type TypeField = {
  readonly name: string
  readonly typeOid: number
  readonly label: string | null
}

/** A CHECK of a domain: the expression as PostgreSQL keeps it, and the names of the functions that it calls. */
export type DomainCheck = { readonly expression: string; readonly functions: readonly string[] }

/**
 * Purpose: to know which types run nothing when a value of them is made or read.
 * Method: a type is plain when its own functions are, no cast of the target leads to it, and all that it is made of is plain.
 * A CHECK of a domain is plain when it is made of nodes that this file knows, and names only harmless functions, signs and
 * types of PostgreSQL itself, or plain types.
 * Known limits, on the safe side: a CHECK that compares rows, uses arrays of arrays or XML is not plain. Functions of extensions
 * in C are taken at their word: only a superuser can bring them.
 */
export function describedTypes(
  rows: readonly TypeRow[],
  isHarmless: (name: string) => boolean,
): DescribedType[] {
  const byOid = new Map(rows.map((row) => [Number(row.oid), row]))
  const used = new Set(rows.flatMap(partsOf))
  const plain = plainAmong(rows, isHarmless)
  const reads = readAmong(rows)
  const isOmitted = (row: TypeRow): boolean => {
    const of = row.element === null ? row : byOid.get(row.element)
    return (
      of !== undefined &&
      OF_RELATIONS.includes(of.relationKind) &&
      of.relationKind !== '' &&
      !used.has(Number(row.oid)) &&
      // Casts and operators that take the row cannot be seen in its columns, so such a type is described.
      ![row, of].some((each) => each.isConverted || each.runsWhenRead)
    )
  }
  return rows.flatMap((row) => {
    const oid = Number(row.oid)
    // A reader of the description finds the columns of its relation instead.
    if (isOmitted(row)) return []
    const { schema, name } = row
    const isPlain = plain.has(oid)
    return {
      ...{ oid, schema, name, kind: kindOf(row), plain: isPlain },
      composed: isComposed(row, byOid),
      runsWhenRead: reads.has(oid),
      of: row.element ?? row.base ?? row.bounds ?? 0,
      parts: partsOf(row),
      digest: row.digest,
    }
  })
}

/** The types that a type holds: of its fields, elements, bounds, or below it as a domain. */
export const typesWithin = ({ fields, element, base, bounds }: TypeRow): readonly number[] =>
  [...fields.map(({ typeOid }) => typeOid), element, base, bounds].filter((oid) => oid !== null)

/** The types that a composite type is made of, each once. */
const partsOf = ({ fields }: TypeRow): number[] =>
  [...new Set(fields.map(({ typeOid }) => typeOid))].sort((a, b) => a - b)

/**
 * The plain types. A type that is made of others is added only after those, so one that only refers to itself never is.
 */
function plainAmong(
  rows: readonly TypeRow[],
  isHarmless: (name: string) => boolean,
): ReadonlySet<number> {
  const plain = new Set<number>()
  const isKnown = (oid: number): boolean => oid < FIRST_OF_USERS || plain.has(oid)
  let open = rows.filter(({ code, isConverted }) => code && !isConverted)
  for (let before = -1; before !== plain.size;) {
    before = plain.size
    open = open.filter((row) => {
      const isPlain =
        KINDS.has(row.kind) &&
        typesWithin(row).every(isKnown) &&
        row.checks.every((check) => isPlainCheck(check, isKnown, isHarmless))
      if (isPlain) plain.add(Number(row.oid))
      return !isPlain
    })
  }
  return plain
}

/** The types whose values are read by code of the target: by themselves, or since they hold such a type. */
function readAmong(rows: readonly TypeRow[]): ReadonlySet<number> {
  const found = new Set<number>()
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const row of rows) {
      if (row.runsWhenRead || typesWithin(row).some((oid) => found.has(oid)))
        found.add(Number(row.oid))
    }
  }
  return found
}

function isPlainCheck(
  { expression, functions }: DomainCheck,
  isKnown: (oid: number) => boolean,
  isHarmless: (name: string) => boolean,
): boolean {
  if (!functions.every(isHarmless)) return false
  for (const [, node = ''] of expression.matchAll(/\{([A-Z_]+)/g))
    if (!PLAIN_NODES.has(node)) return false
  for (const [, field = '', value = ''] of expression.matchAll(/:(\w+) (-?\d+)/g)) {
    const oid = Number(value)
    if (oid < FIRST_OF_USERS || PLAIN_NUMBERS.has(field) || /coll(?:id|ation)$/.test(field))
      continue
    if (!/type(?:id)?$/i.test(field) || !isKnown(oid)) return false
  }
  return expression !== ''
}

function isComposed(row: TypeRow, byOid: ReadonlyMap<number, TypeRow>): boolean {
  if (row.element !== null || row.bounds !== null || row.kind === 'c') return true
  const base = row.base === null ? undefined : byOid.get(row.base)
  // A domain over an array of built-in type reads its literals as that array.
  return base !== undefined && isComposed(base, byOid)
}

const kindOf = (row: TypeRow): string =>
  row.element === null ? (KINDS.get(row.kind) ?? 'other') : 'array'

const KINDS: ReadonlyMap<string, string> = new Map([
  ['b', 'base'],
  ['c', 'composite'],
  ['d', 'domain'],
  ['e', 'enum'],
  ['m', 'multirange'],
  ['r', 'range'],
])
/** The kinds of relations (relkind) that a description has with all their columns. */
const OF_RELATIONS = 'rpvmfS'
/** Types that PostgreSQL itself made have smaller OIDs (FirstNormalObjectId). */
const FIRST_OF_USERS = 16_384
/** Nodes that only compute, and that name the functions they call in fields that are checked (primnodes.h). */
const PLAIN_NODES: ReadonlySet<string> = new Set([
  ...['BOOLEXPR', 'OPEXPR', 'DISTINCTEXPR', 'NULLIFEXPR', 'SCALARARRAYOPEXPR', 'FUNCEXPR'],
  ...['CONST', 'COERCETODOMAINVALUE', 'RELABELTYPE', 'COERCEVIAIO', 'COLLATEEXPR', 'NULLTEST'],
  ...['BOOLEANTEST', 'CASEEXPR', 'CASEWHEN', 'CASETESTEXPR', 'COALESCEEXPR', 'MINMAXEXPR'],
  ...['ARRAYEXPR', 'ARRAY', 'SQLVALUEFUNCTION', 'NAMEDARGEXPR'],
])
/** Fields with numbers that are no OIDs. */
const PLAIN_NUMBERS: ReadonlySet<string> = new Set([
  ...['location', 'list_start', 'list_end', 'typeMod', 'typmod', 'consttypmod', 'resulttypmod'],
  ...['constlen', 'constvalue'],
])
