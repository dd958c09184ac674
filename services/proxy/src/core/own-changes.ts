import type {
  Effect,
  MaskedColumn,
  MaskingPlanned,
  MaskingRulesDefined,
  PlannedRelation,
  RequestAllowed,
} from '@countersign/contracts'
import { sha256 } from '@countersign/kernel'
import { taggedBy } from '@countersign/masking-plan'
import type { Described } from './name-meaning.ts'
import { isOpaque } from './opaque.ts'

/** A relation that the open transaction made or changed, or a temporary one of the session, as the target shows it there. */
export type SeenRelation = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `relkind` of pg_class. */
  readonly kind: string
  readonly isTemporary: boolean
  readonly hasRules: boolean
  /** The transaction wrote rules of it, of which a view is made. */
  readonly hasNewRules: boolean
  /** Others inherit from it, or did. */
  readonly hasHeirs: boolean
  readonly inherits: readonly number[]
  readonly columns: readonly SeenColumn[]
}

export type SeenColumn = {
  readonly attnum: number
  readonly name: string
  readonly typeOid: number
  readonly label: string | null
  readonly isGenerated: boolean
}

/** The changes of the schema that the session itself made in its open transaction. */
export type OwnChanges = {
  /** True if each name and relation that is described is as described, or has nothing tagged in it. */
  readonly isClear: boolean
  /** The OIDs of relations that show rows of tagged ones since; their columns count as computed. */
  readonly hidden: ReadonlySet<number>
  /** The relations that the description does not have as they are, and whose columns are tagged by their names alone. */
  readonly relations: readonly OwnRelation[]
}

export type OwnRelation = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly isTemporary: boolean
  readonly attnumMax: number
  readonly tagged: readonly MaskedColumn[]
}

/** The part of a masking plan for the relations of the session itself. The version stands for the content. */
export type OwnPlan = {
  readonly version: string
  readonly relations: readonly PlannedRelation[]
  readonly columns: readonly MaskedColumn[]
}

export const NOTHING_OWN: OwnPlan = { version: '', relations: [], columns: [] }

const NO_OIDS: ReadonlySet<number> = new Set()

/** The transaction changed nothing of the schema. */
export const NOTHING_CHANGED: OwnChanges = { isClear: true, hidden: NO_OIDS, relations: [] }

/** Changes that are not known, or too many to look at: any relation may show rows of tagged ones. */
export const unclear = ({ relations }: Pick<Described, 'relations'>): OwnChanges => ({
  isClear: false,
  hidden: new Set(relations.map(({ oid }) => oid)),
  relations: [],
})

type Known = {
  readonly described: Pick<Described, 'relations'>
  readonly plan: Pick<MaskingPlanned, 'columns'>
  readonly rules: MaskingRulesDefined
  /** The OIDs of described relations that are gone, where others have their names. */
  readonly gone: readonly number[]
}

/**
 * Purpose: to mask in a transaction that changed the schema what is masked outside of it, and no more.
 * Method: a relation with tagged columns must be as described: its name, its columns by number, its rules, what it inherits
 * from. A table without tagged columns, or a new one, may be changed and renamed at will: its columns are tagged by their
 * names, and that nothing tagged was written into it is for the caller to know. No described name may come to
 * mean a relation that is neither.
 * Known limits, all on the safe side: new views, tables that inherit, columns of types of the target and tables with a
 * generated column are left out, so they stay masked; new columns of a table with tagged columns too.
 */
export function ownChangesOf(
  seen: readonly SeenRelation[],
  { described, plan, rules, gone }: Known,
): OwnChanges {
  const { byOid, names, parents } = indexOf(described.relations)
  const withTags = new Set(plan.columns.map(({ tableOid }) => tableOid))
  const isUncovering = (oid: number): boolean => (names.get(byOid.get(oid)?.name ?? '') ?? 0) > 1
  // bound: as long as one call
  const hidden = new Set<number>()
  const inheriting = new Map(seen.map((relation) => [relation.oid, relation.inherits]))
  const above = (oid: number): readonly number[] =>
    inheriting.get(oid) ?? byOid.get(oid)?.inherits ?? []
  // bound: one per relation that is looked at
  const seenNames = new Map<string, number>()
  for (const { name } of seen) seenNames.set(name, (seenNames.get(name) ?? 0) + 1)
  const relations: OwnRelation[] = []
  let isClear = !gone.some(isUncovering)
  for (const relation of seen) {
    const before = byOid.get(relation.oid)
    const isTagged = withTags.has(relation.oid)
    // Of two with a name it cannot be told which one a statement means: one may be a temporary view.
    const isOnlyOne = seenNames.get(relation.name) === 1
    const own = isOnlyOne ? ownRelation(rules, relation, before) : null
    const isRenamed =
      before !== undefined && (before.name !== relation.name || before.schema !== relation.schema)
    const isFree = before === undefined || (!isTagged && isAlone(before, parents))
    // The number of other relations that are described with its name.
    const namesakes = (names.get(relation.name) ?? 0) - (before !== undefined && !isRenamed ? 1 : 0)
    if (own !== null && isFree) {
      relations.push(own)
      if ((own.tagged.length > 0 || own.isTemporary) && namesakes > 0) isClear = false
      if (isRenamed && isUncovering(relation.oid)) isClear = false
    } else if (before === undefined) {
      if (namesakes > 0) isClear = false
    } else if (isRenamed || !isAsDescribed(relation, before, isTagged)) {
      isClear = false
      if (isTagged) hide(hidden, relation.inherits, above)
      // Its columns may be computed of others than they were.
      if (relation.hasNewRules || (isTagged && hasGenerated(relation))) hidden.add(relation.oid)
    }
  }
  return { isClear, hidden, relations }
}

/** A table with columns of PostgreSQL's own types, or of those that were described, that shows its own rows alone; null for any other. */
function ownRelation(
  rules: MaskingRulesDefined,
  relation: SeenRelation,
  before: DescribedRelation | undefined,
): OwnRelation | null {
  const { oid, schema, name, kind, isTemporary, columns } = relation
  const types = new Map(before?.columns.map(({ attnum, typeOid }) => [attnum, typeOid]))
  const tagged = columns.flatMap((column) => {
    const found = taggedBy(rules, relation, column)
    return found === null
      ? []
      : [{ tableOid: oid, attnum: column.attnum, tag: found.tag, method: found.method }]
  })
  const isTable =
    TABLES.has(kind) && !relation.hasRules && !relation.hasHeirs && relation.inherits.length === 0
  const hasOtherTypes = columns.some(
    ({ attnum, typeOid }) => typeOid >= USER_OID_MIN && types.get(attnum) !== typeOid,
  )
  if (!isTable || hasOtherTypes || hasGenerated(relation)) return null
  const attnumMax = Math.max(0, ...columns.map(({ attnum }) => attnum))
  return { oid, schema, name, isTemporary, attnumMax, tagged }
}

const hasGenerated = ({ columns }: SeenRelation): boolean =>
  columns.some(({ isGenerated }) => isGenerated)

/** True if whatever was described of it is so still. Columns may be gone, new under new names, or of another type of PostgreSQL. */
function isAsDescribed(
  relation: SeenRelation,
  before: DescribedRelation,
  isTagged: boolean,
): boolean {
  const now = new Map(relation.columns.map((column) => [column.attnum, column]))
  const numbers = new Map(before.columns.map(({ attnum, name }) => [name, attnum]))
  return (
    !relation.hasNewRules &&
    !(isTagged && hasGenerated(relation)) &&
    relation.columns.every(({ attnum, name }) => (numbers.get(name) ?? attnum) === attnum) &&
    before.inherits.join() === relation.inherits.join() &&
    before.columns.every(({ attnum, name, typeOid }) => {
      const column = now.get(attnum)
      return (
        column === undefined ||
        (column.name === name && (column.typeOid === typeOid || column.typeOid < USER_OID_MIN))
      )
    })
  )
}

/** Hides the relations that show the rows of a tagged one, up to the last that these inherit from. */
function hide(
  hidden: Set<number>,
  from: readonly number[],
  above: (oid: number) => readonly number[],
): void {
  const waiting = [...from]
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    if (hidden.has(oid)) continue
    hidden.add(oid)
    waiting.push(...above(oid))
  }
}

/** True if no described relation shares its rows. */
const isAlone = ({ oid, inherits }: DescribedRelation, parents: ReadonlySet<number>): boolean =>
  inherits.length === 0 && !parents.has(oid)

/** True if each relation whose rows a request reads or writes is described, or one of these. */
export function namesKnown(
  { relations: described }: Pick<Described, 'relations'>,
  effects: readonly Effect[],
  relations: readonly OwnRelation[],
): boolean {
  const { byName } = indexOf(described)
  if (isOpaque({ effects })) return false
  return effects.every((each) => {
    const { schema, table } = each
    if (table === null || !ON_ROWS.has(each.effect) || CATALOGS.has(schema ?? '')) return true
    return byName.has(key(schema, table)) || named(each, relations) !== null
  })
}

/** The relations that policy did not know, if each of them is one of these; null where another one is, or nothing of it counts. */
export function undescribedAmong(
  { undescribed }: Pick<RequestAllowed, 'undescribed'>,
  relations: readonly OwnRelation[],
): readonly OwnRelation[] | null {
  if (undescribed.length === 0) return null
  const found = undescribed.flatMap((each) => named(each, relations) ?? [])
  return found.length === undescribed.length ? found : null
}

/** The part of a masking plan for these relations. */
export function ownPlanOf(relations: readonly OwnRelation[]): OwnPlan {
  if (relations.length === 0) return NOTHING_OWN
  return {
    version: sha256(JSON.stringify(relations)),
    relations: relations.map(({ oid, attnumMax }) => ({ oid, attnumMax })),
    columns: relations.flatMap(({ tagged }) => tagged),
  }
}

/** The OIDs of the described relations whose names others have too in these schemas: one that goes uncovers another. */
export function namesakesIn(
  { relations }: Pick<Described, 'relations'>,
  schemas: readonly string[],
): readonly number[] {
  const path = schemas.join('\0')
  const known = NAMESAKES.get(relations)
  if (known?.path === path) return known.oids
  const found = Map.groupBy(
    relations.filter(({ schema }) => schemas.includes(schema)),
    ({ name }) => name,
  )
  const oids = [...found.values()].flatMap((each) =>
    each.length > 1 ? each.map(({ oid }) => oid) : [],
  )
  NAMESAKES.set(relations, { path, oids })
  return oids
}

/** The namesakes that were last looked for in a description. */
const NAMESAKES = new WeakMap<
  Described['relations'],
  { readonly path: string; readonly oids: readonly number[] }
>()

/** The relation of this name, of which there is one at most. */
function named({ schema, table }: Effect, relations: readonly OwnRelation[]): OwnRelation | null {
  const byName =
    BY_NAME.get(relations) ?? new Map(relations.map((relation) => [relation.name, relation]))
  BY_NAME.set(relations, byName)
  const found = byName.get(table ?? '') ?? null
  const isMeant =
    schema === null || schema === found?.schema || (schema === 'pg_temp' && found?.isTemporary)
  return isMeant === true ? found : null
}

/** Relations by name, since each effect of each request looks for its own. */
const BY_NAME = new WeakMap<readonly OwnRelation[], ReadonlyMap<string, OwnRelation>>()

type DescribedRelation = Described['relations'][number]

type Index = {
  readonly byOid: ReadonlyMap<number, DescribedRelation>
  readonly byName: ReadonlySet<string>
  /** The number of relations with a name. */
  readonly names: ReadonlyMap<string, number>
  /** The OIDs of relations that others inherit from. */
  readonly parents: ReadonlySet<number>
}

function indexOf(relations: Described['relations']): Index {
  const known = INDEXES.get(relations)
  if (known !== undefined) return known
  // bound: one per relation of a target
  const names = new Map<string, number>()
  for (const { name } of relations) names.set(name, (names.get(name) ?? 0) + 1)
  const index: Index = {
    byOid: new Map(relations.map((relation) => [relation.oid, relation])),
    byName: new Set(relations.map(({ schema, name }) => key(schema, name))),
    names,
    parents: new Set(relations.flatMap(({ inherits }) => inherits)),
  }
  INDEXES.set(relations, index)
  return index
}

const key = (schema: string | null, name: string | null): string => JSON.stringify([schema, name])

const INDEXES = new WeakMap<Described['relations'], Index>()
const ON_ROWS: ReadonlySet<string> = new Set(['read', 'write', 'delete'])
const CATALOGS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema'])
/** Tables, partitioned tables and sequences. */
const TABLES: ReadonlySet<string> = new Set(['r', 'p', 'S'])
/** FirstNormalObjectId. */
const USER_OID_MIN = 16_384
