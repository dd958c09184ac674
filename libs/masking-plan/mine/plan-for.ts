import type {
  MaskedColumn,
  MaskingPlanned,
  MaskingRulesDefined,
  Relation,
  TargetDescribed,
} from '@countersign/contracts'

/** What of a plan says how results are masked. */
export type MaskingPlan = Pick<
  MaskingPlanned,
  'columns' | 'untagged' | 'tainted' | 'detectors' | 'passwordLike'
>

/** The plan for a target as it is described. Without rules nothing is known to be harmless, so everything is masked. */
export function planFor(rules: MaskingRulesDefined | null, target: TargetDescribed): MaskingPlan {
  if (rules === null) return NOTHING_PASSES
  const masked = new Map<string, MaskedColumn>()
  for (const relation of target.relations) {
    for (const column of relation.columns) {
      const rule = rules.columns.find(
        (one) =>
          matches(one.schema, relation.schema) &&
          matches(one.table, relation.name) &&
          matches(one.column, column.name),
      )
      const tag = rule?.tag ?? column.label
      if (tag === null) continue
      const method = rule?.method ?? 'Redact'
      masked.set(idOf(relation.oid, column.attnum), {
        tableOid: relation.oid,
        attnum: column.attnum,
        tag,
        method,
      })
    }
  }
  carryToViews(target.relations, masked, rules)
  return {
    columns: [...masked.values()],
    untagged: rules.untagged,
    tainted: rules.tainted,
    detectors: rules.detectors,
    passwordLike: rules.passwordLike,
  }
}

/**
 * A view reports its own OID, so the tags below must be carried up. Method: a column with the name of a tagged column
 * below has its method; every other column of a view that reads a tagged column might be made of it, and is masked as
 * derived, unless it has the name of an untagged column below. Views of views: repeated until nothing changes.
 * Known limit, exercised by a test: a view that renames a harmless column masks it too.
 */
function carryToViews(
  relations: readonly Relation[],
  masked: Map<string, MaskedColumn>,
  rules: MaskingRulesDefined,
): void {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  for (let round = 0, changed = true; changed && round < relations.length; round++) {
    changed = false
    for (const view of relations) {
      const below = view.dependsOn.flatMap(({ relationOid, attnum }) => {
        const base = byOid.get(relationOid)
        const columns =
          base?.columns.filter((column) => attnum === 0 || column.attnum === attnum) ?? []
        return columns.map((column) => ({
          name: column.name,
          mask: masked.get(idOf(relationOid, column.attnum)),
        }))
      })
      if (!below.some(({ mask }) => mask !== undefined)) continue
      for (const column of view.columns) {
        const id = idOf(view.oid, column.attnum)
        if (masked.has(id)) continue
        const sameName = below.filter(({ name }) => name === column.name)
        const tagged = sameName.find(({ mask }) => mask !== undefined)?.mask
        if (tagged === undefined && sameName.length > 0) continue
        const { tag, method } = tagged ?? { tag: 'derived', method: rules.tainted }
        masked.set(id, { tableOid: view.oid, attnum: column.attnum, tag, method })
        changed = true
      }
    }
  }
}

const NOTHING_PASSES: MaskingPlan = {
  columns: [],
  untagged: 'Redact',
  tainted: 'Redact',
  detectors: [],
  passwordLike: 'Redact',
}

const idOf = (oid: number, attnum: number): string => `${oid}.${attnum}`

/** `*` stands for any characters; null for anything. */
export function matches(pattern: string | null, name: string): boolean {
  if (pattern === null || pattern === '*') return true
  const source = pattern.split('*').map(escaped).join('.*')
  return new RegExp(`^${source}$`, 'i').test(name)
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
