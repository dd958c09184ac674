import type {
  Column,
  MaskedColumn,
  MaskingPlanned,
  MaskingRulesDefined,
  Relation,
  TargetDescribed,
} from '@countersign/contracts'
import { type Tagged, taggedBy } from './column-rules.ts'
import { DETECTORS } from './detect.ts'
import { kinshipOf } from './kinship.ts'

/** How the results of a session are masked. */
export type MaskingPlan = Pick<
  MaskingPlanned,
  'columns' | 'untagged' | 'tainted' | 'detectors' | 'passwordLike' | 'relations'
>

/**
 * The plan that the rules make of the target; without rules everything is redacted.
 * Tags travel between a table and what inherits from it, partitions too, by column name: they show the same rows.
 * Tags travel to views by column name, because the catalog of PostgreSQL knows which columns a view
 * reads but not which of its columns shows them. Limit: a view that swaps names
 * (SELECT email AS city, city AS email) puts the masks on the wrong columns.
 */
export function planFor(rules: MaskingRulesDefined | null, target: TargetDescribed): MaskingPlan {
  const relations = target.relations.map(({ oid, columns }) => ({
    oid,
    attnumMax: Math.max(0, ...columns.map(({ attnum }) => attnum)),
  }))
  if (rules === null) return { ...EVERYTHING, relations }
  const tags = tagsOf(rules, target.relations)
  const columns = target.relations.flatMap((relation) => maskedColumns(relation, tags))
  const { untagged, tainted, detectors, passwordLike } = rules
  return { columns, untagged, tainted, detectors, passwordLike, relations }
}

type Tags = ReadonlyMap<number, ReadonlyMap<number, Tagged>>

function maskedColumns(relation: Relation, tags: Tags): MaskedColumn[] {
  const tagged = tags.get(relation.oid) ?? new Map<number, Tagged>()
  return relation.columns.flatMap(({ attnum }) => {
    const found = tagged.get(attnum)
    return found === undefined ? [] : [{ tableOid: relation.oid, attnum, ...found }]
  })
}

// Views stand on views: each relation is tagged after everything that it reads.
function tagsOf(rules: MaskingRulesDefined, relations: readonly Relation[]): Tags {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  const tags = new Map<number, Map<number, Tagged>>()
  const kinOf = kinshipOf(relations)
  const path: Relation[] = []
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
      tags.set(top.oid, tagsOfRelation(rules, [top, ...kinOf(top)], sourcesOf(top, byOid, tags)))
    }
  }
  return tags
}

type Source = { readonly name: string; readonly tagged: Tagged | null }

function sourcesOf(
  relation: Relation,
  byOid: ReadonlyMap<number, Relation>,
  tags: Tags,
): readonly Source[] {
  return relation.dependsOn.flatMap(({ relationOid, attnum }) => {
    const below = byOid.get(relationOid)
    if (below === undefined || below.oid === relation.oid) return []
    const read = attnum === 0 ? below.columns : below.columns.filter((c) => c.attnum === attnum)
    const tagged = tags.get(relationOid)
    return read.map((column) => ({ name: column.name, tagged: tagged?.get(column.attnum) ?? null }))
  })
}

function tagsOfRelation(
  rules: MaskingRulesDefined,
  [relation, ...kin]: readonly [Relation, ...Relation[]],
  sources: readonly Source[],
): Map<number, Tagged> {
  const names = new Set(sources.map(({ name }) => name))
  const taggedByName = new Map<string, Tagged>()
  for (const { name, tagged } of sources) {
    if (tagged !== null && !taggedByName.has(name)) taggedByName.set(name, tagged)
  }
  const derived = (column: Column): Tagged | null =>
    taggedByName.size === 0 || names.has(column.name)
      ? null
      : { tag: 'derived', method: rules.tainted }
  const among = (column: Column): Tagged | null =>
    kin.reduce<Tagged | null>(
      (found, each) => {
        const same = each.columns.find(({ name }) => name === column.name)
        return found ?? (same === undefined ? null : taggedBy(rules, each, same))
      },
      taggedBy(rules, relation, column),
    )
  const tags = new Map<number, Tagged>()
  for (const column of relation.columns) {
    const tagged = among(column) ?? taggedByName.get(column.name) ?? derived(column)
    if (tagged !== null) tags.set(column.attnum, tagged)
  }
  return tags
}

const EVERYTHING: Omit<MaskingPlan, 'relations'> = {
  columns: [],
  untagged: 'Redact',
  tainted: 'Redact',
  detectors: DETECTORS.map((name) => ({ name, method: 'Redact' })),
  passwordLike: 'Redact',
}
