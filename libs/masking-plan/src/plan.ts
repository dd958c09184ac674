import type {
  Column,
  MaskedColumn,
  MaskingPlanned,
  MaskingRulesDefined,
  Relation,
  TargetDescribed,
} from '@countersign/contracts'
import { systemTagged, type Tagged, taggedBy } from './column-rules.ts'
import { DETECTORS } from './detect.ts'
import { kinshipOf } from './kinship.ts'
import { masksNothing } from './masks-nothing.ts'
import { strictest } from './strictest.ts'

/** The rules by which the results of a session are masked. */
export type MaskingPlan = Pick<
  MaskingPlanned,
  'columns' | 'untagged' | 'tainted' | 'detectors' | 'passwordLike' | 'relations'
> &
  Partial<Pick<MaskingPlanned, 'masksNothing'>>

/**
 * The plan that the rules make of the target; without rules everything is redacted.
 * Tags travel between a table and the relations that inherit from it, partitions too, by column name: they show the same
 * rows, so the strictest of them counts for all.
 * To views tags travel with the columns that they show as they are. Where a view reads any tagged column, or runs code
 * that may, the columns that it may compute are masked as tainted ones. Limit: that is every column of a UNION, too.
 * A generated column is masked like those if it is made of a tagged one, in the relation or in one that shares its rows.
 */
export function planFor(rules: MaskingRulesDefined | null, target: TargetDescribed): MaskingPlan {
  const relations = target.relations.map(({ oid, columns }) => ({
    oid,
    attnumMax: Math.max(0, ...columns.map(({ attnum }) => attnum)),
  }))
  if (rules === null) return { ...EVERYTHING, relations }
  const passes = masksNothing(rules, target.relations)
  const system = passes ? new Map<number, Map<number, Tagged>>() : systemTags(rules, target)
  const tagsOf = tagging(rules, target.relations, system)
  const columns = [
    ...target.relations.flatMap((relation) => maskedColumns(relation, tagsOf(relation))),
    ...[...system].flatMap(([tableOid, tagged]) =>
      [...tagged].map(([attnum, found]) => ({ tableOid, attnum, ...found })),
    ),
  ]
  const { untagged, tainted, detectors, passwordLike } = rules
  return {
    ...{ columns, untagged, tainted, detectors, passwordLike, relations },
    masksNothing: passes,
  }
}

type Tags = ReadonlyMap<number, ReadonlyMap<number, Tagged>>

/** The tags of the columns of a relation, by their numbers. Each relation is looked at when it is first asked for. */
export const columnTags = (
  rules: MaskingRulesDefined,
  target: TargetDescribed,
): ((relation: Relation) => ReadonlyMap<number, Tagged>) =>
  tagging(rules, target.relations, systemTags(rules, target))

/** The tags of PostgreSQL's own catalogs, by the OIDs of this server: other servers have others. */
function systemTags(
  rules: MaskingRulesDefined,
  { systemColumns }: TargetDescribed,
): Map<number, Map<number, Tagged>> {
  const tags = new Map<number, Map<number, Tagged>>()
  for (const { relationOid, attnum, schema, relation, column } of systemColumns) {
    const columns = tags.get(relationOid) ?? new Map<number, Tagged>()
    columns.set(attnum, systemTagged(rules, { schema, name: relation }, column))
    tags.set(relationOid, columns)
  }
  return tags
}

function maskedColumns(
  { oid, columns }: Relation,
  tagged: ReadonlyMap<number, Tagged>,
): MaskedColumn[] {
  return columns.flatMap(({ attnum }) => {
    const found = tagged.get(attnum)
    return found === undefined ? [] : [{ tableOid: oid, attnum, ...found }]
  })
}

// Views stand on views: each relation is tagged after everything that it reads.
function tagging(
  rules: MaskingRulesDefined,
  relations: readonly Relation[],
  system: Tags,
): (relation: Relation) => ReadonlyMap<number, Tagged> {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  // bound: one per relation of a target
  const tags = new Map<number, ReadonlyMap<number, Tagged>>(system)
  const kinOf = kinshipOf(relations)
  // bound: one per relation of a target
  const visiting = new Set<number>()
  return (root) => {
    // bound: one per relation of a target
    const path: Relation[] = []
    const open = (relation: Relation): void => {
      if (visiting.has(relation.oid)) return
      visiting.add(relation.oid)
      path.push(relation)
    }
    open(root)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const before = path.length
      for (const { relationOid } of top.dependsOn) {
        const below = byOid.get(relationOid)
        if (below !== undefined) open(below)
      }
      if (path.length > before) continue
      path.pop()
      tags.set(top.oid, tagsOfRelation(rules, [top, ...kinOf(top)], tags))
    }
    return tags.get(root.oid) ?? NONE
  }
}

function tagsOfRelation(
  rules: MaskingRulesDefined,
  [relation, ...kin]: readonly [Relation, ...Relation[]],
  tags: Tags,
): Map<number, Tagged> {
  const isUnknown = relation.computed === null
  const readsTagged = relation.dependsOn.some(({ relationOid, attnum }) => {
    if (relationOid === ANY_CODE) return true
    const below = relationOid === relation.oid ? undefined : tags.get(relationOid)
    return below !== undefined && (attnum === 0 || isUnknown ? below.size > 0 : below.has(attnum))
  })
  const shown = ({ origin }: Column): Tagged | null => {
    if (origin !== null) return tags.get(origin.relationOid)?.get(origin.attnum) ?? null
    return readsTagged ? { tag: 'derived', method: rules.tainted } : null
  }
  const among = (wanted: string): Tagged | null =>
    strictest(
      [relation, ...kin].flatMap((each) => {
        const same = each.columns.find(({ name }) => name === wanted)
        return (same === undefined ? null : taggedBy(rules, each, same)) ?? []
      }),
    )
  const sources = Map.groupBy([relation, ...kin].flatMap(generatedBy), ({ name }) => name)
  let ofAny: Tagged | null | undefined
  const ofRow = (): Tagged | null => {
    if (ofAny === undefined)
      ofAny = strictest(relation.columns.flatMap(({ name }) => among(name) ?? []))
    return ofAny
  }
  const generated = ({ name }: Column): Tagged | null => {
    const of = sources.get(name)?.flatMap((each) => each.of) ?? []
    const made = strictest(
      of.flatMap((source) => (source === null ? ofRow() : among(source)) ?? []),
    )
    return made === null ? null : { ...made, tag: 'derived', method: rules.tainted }
  }
  const found = new Map<number, Tagged>()
  for (const column of relation.columns) {
    const tagged = among(column.name) ?? shown(column) ?? generated(column)
    if (tagged !== null) found.set(column.attnum, tagged)
  }
  return found
}

/** The generated columns of a relation by name, with those that they are made of; null stands for any of the row. */
function generatedBy({ kind, columns, computed }: Relation): {
  readonly name: string
  readonly of: readonly (string | null)[]
}[] {
  // In a description that did not look at them any column of a table may be generated.
  if (computed === null)
    return VIEWS.has(kind) ? [] : columns.map(({ name }) => ({ name, of: [null] }))
  const names = new Map(columns.map(({ attnum, name }) => [attnum, name]))
  return computed.map(({ attnum, of }) => ({
    name: names.get(attnum) ?? '',
    of: of.map((source) => names.get(source) ?? null),
  }))
}

const VIEWS: ReadonlySet<string> = new Set(['view', 'materialized-view'])
/** The OID in the dependencies of a relation that runs code which may read any other. */
const ANY_CODE = 0
const NONE: ReadonlyMap<number, Tagged> = new Map()

const EVERYTHING: Omit<MaskingPlan, 'relations'> = {
  columns: [],
  untagged: 'Redact',
  tainted: 'Redact',
  detectors: DETECTORS.map((name) => ({ name, method: 'Redact' })),
  passwordLike: 'Redact',
}
