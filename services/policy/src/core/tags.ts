import type {
  ColumnRule,
  MaskingRulesDefined,
  Relation,
  TargetDescribed,
} from '@countersign/contracts'
import { kinshipOf } from '@countersign/masking-plan'
import type { RelationRef, Understanding } from '@countersign/statements'

/** Which columns of a target are masked, by name. */
export type Tags = {
  /** The tags of all columns of a relation. */
  ofRelation(relation: RelationRef): readonly string[]
  /** Whether the statement may show, move or compare a masked column. */
  touchedBy(understanding: Understanding): boolean
}

/**
 * Purpose: to know which statements are tainted, without knowing the masking plan.
 * Method: the masking rules of the environment, password-like names and labels of the target, by column name;
 * a table has the tags of what it inherits from and of what inherits from it, and a view has the tags of what lies below it, because `understand` names those columns too.
 * Known limits, all on the safe side: what the description does not have, a relation or a column, counts as masked,
 * but for the catalogs of PostgreSQL itself; a result whose columns cannot be known (FETCH, opaque functions) counts as masked.
 */
export function tagsOf(target: TargetDescribed, rules: MaskingRulesDefined | null): Tags {
  const last = LAST.get(target)
  if (last?.rules === rules) return last.tags
  const tags = derived(target, rules)
  LAST.set(target, { rules, tags })
  return tags
}

function derived(target: TargetDescribed, rules: MaskingRulesDefined | null): Tags {
  const relations = new Map(target.relations.map((relation) => [relation.oid, relation]))
  const kinOf = kinshipOf(target.relations)
  const byRelation = new Map<number, ReadonlyMap<string, string>>()
  const tagged = (relation: Relation): ReadonlyMap<string, string> => {
    const known = byRelation.get(relation.oid)
    if (known !== undefined) return known
    const shown = new Set(relation.columns.map(({ name }) => name))
    const found = new Map(
      [...kinOf(relation), relation].flatMap((each) =>
        each.columns.flatMap(({ name, label }): [string, string][] => {
          const tag =
            tagOf(rules, each.schema, each.name, name) ?? (label === null ? null : 'label')
          return tag === null || !shown.has(name) ? [] : [[name, tag]]
        }),
      ),
    )
    byRelation.set(relation.oid, found)
    return found
  }
  const known = (ref: RelationRef): Relation | undefined =>
    ref.oid === null ? undefined : relations.get(ref.oid)
  const isTouched = (ref: RelationRef, column: string): boolean => {
    const relation = known(ref)
    if (relation === undefined && CATALOGS.has(ref.schema ?? ''))
      return column !== '*' && tagOf(rules, ref.schema, ref.name, column) !== null
    if (relation === undefined) return rules !== null
    if (column === '*') return tagged(relation).size > 0
    if (tagged(relation).has(column)) return true
    return rules !== null && !relation.columns.some(({ name }) => name === column)
  }
  return {
    ofRelation: (ref) => {
      const relation = known(ref)
      return relation === undefined ? [] : [...new Set(tagged(relation).values())].sort()
    },
    touchedBy: ({ columns, columnsUnknown }) =>
      columnsUnknown || columns.some(({ relation, column }) => isTouched(relation, column)),
  }
}

function tagOf(
  rules: MaskingRulesDefined | null,
  schema: string | null,
  table: string,
  column: string,
): string | null {
  if (rules === null) return null
  const rule = rules.columns.find((each) => matches(each, schema, table, column))
  if (rule !== undefined) return rule.tag
  return rules.passwordLike !== null && PASSWORD_LIKE.test(column) ? 'password-like' : null
}

const matches = (rule: ColumnRule, schema: string | null, table: string, column: string): boolean =>
  (schema === null || fits(rule.schema, schema)) &&
  fits(rule.table, table) &&
  fits(rule.column, column)

function fits(pattern: string | null, name: string): boolean {
  if (pattern === null) return true
  const source = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${source.join('.*')}$`, 'i').test(name)
}

const CATALOGS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema'])

/** Wider than what masking may use: a tag too many only masks computed columns. */
const PASSWORD_LIKE = /passw|passphrase|pwd|secret|token|api_?key|private_?key|credential/i

/** The tags that were last worked out for a description. */
const LAST = new WeakMap<TargetDescribed, { rules: MaskingRulesDefined | null; tags: Tags }>()
