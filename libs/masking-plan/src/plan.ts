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
 * To views tags travel with the columns that they show as they are. Where a view reads any tagged column, the columns
 * that it may compute are masked as tainted ones. Limit: that is every column of a UNION, too.
 */
export function planFor(rules: MaskingRulesDefined | null, target: TargetDescribed): MaskingPlan {
  const relations = target.relations.map(({ oid, columns }) => ({
    oid,
    attnumMax: Math.max(0, ...columns.map(({ attnum }) => attnum)),
  }))
  if (rules === null) return { ...EVERYTHING, relations }
  const passes = masksNothing(rules, target.relations)
  const system = passes ? new Map<number, Map<number, Tagged>>() : systemTags(rules, target)
  const tags = tagsOf(rules, target.relations, system)
  const columns = [
    ...target.relations.flatMap((relation) => maskedColumns(relation, tags)),
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

function maskedColumns(relation: Relation, tags: Tags): MaskedColumn[] {
  const tagged = tags.get(relation.oid) ?? new Map<number, Tagged>()
  return relation.columns.flatMap(({ attnum }) => {
    const found = tagged.get(attnum)
    return found === undefined ? [] : [{ tableOid: relation.oid, attnum, ...found }]
  })
}

// Views stand on views: each relation is tagged after everything that it reads.
function tagsOf(rules: MaskingRulesDefined, relations: readonly Relation[], system: Tags): Tags {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  const tags = new Map<number, ReadonlyMap<number, Tagged>>(system)
  const kinOf = kinshipOf(relations)
  // bound: as long as one plan
  const path: Relation[] = []
  // bound: as long as one plan
  const visiting = new Set<number>()
  const open = (relation: Relation): void => {
    if (visiting.has(relation.oid)) return
    visiting.add(relation.oid)
    path.push(relation)
  }
  for (const root of relations) {
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
  }
  return tags
}

function tagsOfRelation(
  rules: MaskingRulesDefined,
  [relation, ...kin]: readonly [Relation, ...Relation[]],
  tags: Tags,
): Map<number, Tagged> {
  const readsTagged = relation.dependsOn.some(({ relationOid, attnum }) => {
    const below = relationOid === relation.oid ? undefined : tags.get(relationOid)
    return below !== undefined && (attnum === 0 ? below.size > 0 : below.has(attnum))
  })
  const shown = ({ origin }: Column): Tagged | null => {
    if (origin !== null) return tags.get(origin.relationOid)?.get(origin.attnum) ?? null
    return readsTagged ? { tag: 'derived', method: rules.tainted } : null
  }
  const among = (column: Column): Tagged | null =>
    strictest(
      [relation, ...kin].flatMap((each) => {
        const same = each.columns.find(({ name }) => name === column.name)
        return (same === undefined ? null : taggedBy(rules, each, same)) ?? []
      }),
    )
  const found = new Map<number, Tagged>()
  for (const column of relation.columns) {
    const tagged = among(column) ?? shown(column)
    if (tagged !== null) found.set(column.attnum, tagged)
  }
  return found
}

const EVERYTHING: Omit<MaskingPlan, 'relations'> = {
  columns: [],
  untagged: 'Redact',
  tainted: 'Redact',
  detectors: DETECTORS.map((name) => ({ name, method: 'Redact' })),
  passwordLike: 'Redact',
}
