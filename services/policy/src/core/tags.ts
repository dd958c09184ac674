import type { MaskingRulesDefined, Relation, TargetDescribed } from '@countersign/contracts'
import {
  columnTags,
  kinshipOf,
  labelsOf,
  masksNothing,
  type NamedColumn,
  systemTagged,
  type Tagged,
  taggedBy,
} from '@countersign/masking-plan'
import {
  isMaskedSystemColumn,
  type RelationRef,
  systemColumnsMasked,
  type TouchedColumn,
  type Understanding,
} from '@countersign/statements'

/** The masked columns of a target, by name. */
export type Tags = {
  /** The tags of all columns of a relation. */
  ofRelation(relation: RelationRef): readonly string[]
  /** The same for a write, which may reach rows of what inherits from the relation, and of what its view and rules lead to. */
  ofWritten(relation: RelationRef): readonly string[]
  /** True if the statement may show, move or compare a masked column. */
  touchedBy(understanding: Understanding): boolean
  /** The relations that the description does not have, or not with a column, where only these make the statement touched. */
  undescribedIn(understanding: Understanding): readonly RelationRef[]
  /** True if no computed result may pass, even one without values of a masked column, since a rule masks inference. */
  guardedFrom(understanding: Pick<Understanding, 'columns'>): boolean
}

/**
 * Purpose: to know which statements are tainted, without the masking plan of a session.
 * Method: a column is tagged as in the plan: by rules of the environment, labels of the target, password-like names;
 * a table has the tags of what it inherits from and of what inherits from it, and what a view or a generated column
 * computes of tagged columns is tagged as derived. Of a view `understand` names the columns of the relations below it, too.
 * Known limits, all on the safe side: a relation or column that the description does not have counts as masked,
 * and as guarded if a rule masks inference, except for the catalogs of PostgreSQL itself, whose columns are classified
 * by name; a result whose columns cannot be known (FETCH, opaque functions) counts as masked.
 */
export function tagsOf(target: TargetDescribed, rules: MaskingRulesDefined | null): Tags {
  const last = LAST.get(target.relations)
  if (last?.rules === rules) return last.tags
  const tags = derived(target, rules)
  LAST.set(target.relations, { rules, tags })
  return tags
}

function derived(target: TargetDescribed, rules: MaskingRulesDefined | null): Tags {
  if (masksNothing(rules, target.relations)) return NOTHING_TAGGED
  const relations = new Map(target.relations.map((relation) => [relation.oid, relation]))
  const kinOf = kinshipOf(target.relations)
  const plannedOf = rules === null ? () => NONE : columnTags(rules, target)
  // bound: one per relation of a target
  const byRelation = new Map<number, ReadonlyMap<string, TagsOfColumn>>()
  const tagged = (relation: Relation): ReadonlyMap<string, TagsOfColumn> => {
    const known = byRelation.get(relation.oid)
    if (known !== undefined) return known
    const shown = new Set(relation.columns.map(({ name }) => name))
    const found = new Map<string, TagsOfColumn>()
    for (const each of [relation, ...kinOf(relation)])
      for (const column of each.columns) {
        const tag = shown.has(column.name) ? tagOf(rules, { relation: each, column }) : null
        if (tag !== null) found.set(column.name, withTag(found.get(column.name), tag))
      }
    const planned = plannedOf(relation)
    for (const { attnum, name } of relation.columns) {
      const tag = planned.get(attnum)
      if (tag !== undefined) found.set(name, withTag(found.get(name), tag))
    }
    byRelation.set(relation.oid, found)
    return found
  }
  const known = (ref: RelationRef): Relation | undefined =>
    ref.oid === null ? undefined : relations.get(ref.oid)
  const isTouched = (
    { relation: ref, column }: TouchedColumn,
    isUndescribedTagged: boolean,
  ): boolean => {
    const relation = known(ref)
    const schema = ref.schema ?? ''
    if (relation === undefined && CATALOGS.has(schema)) {
      const named = { relation: { schema, name: ref.name }, column: { ...UNTYPED, name: column } }
      if (column === '*') return systemColumnsMasked(schema, ref.name)
      return (
        isMaskedSystemColumn({ schema, relation: ref.name, column }) || tagOf(rules, named) !== null
      )
    }
    if (relation === undefined) return isUndescribedTagged
    if (column === '*') return tagged(relation).size > 0
    if (tagged(relation).has(column)) return true
    return isUndescribedTagged && !namesOf(relation).has(column)
  }
  const tagsIn = (some: Iterable<Relation>): readonly string[] => {
    const tags = [...some].flatMap((one) => [...tagged(one).values()].flatMap((each) => each.tags))
    return [...new Set(tags)].sort()
  }
  // bound: one per relation of a target
  const written = new Map<number, readonly string[]>()
  const ofWritten = (relation: Relation): readonly string[] => {
    const found = new Set([relation])
    for (const one of found) {
      for (const kin of kinOf(one)) found.add(kin)
      for (const { relationOid } of one.dependsOn) {
        const below = relations.get(relationOid)
        if (below !== undefined) found.add(below)
      }
    }
    return tagsIn(found)
  }
  const guarding =
    rules?.columns.some(({ masksInference }) => masksInference) === true ? rules : null
  // bound: one per relation of a target
  const columnNames = new Map<number, ReadonlySet<string>>()
  const namesOf = (relation: Relation): ReadonlySet<string> => {
    const found = columnNames.get(relation.oid) ?? new Set(relation.columns.map(({ name }) => name))
    columnNames.set(relation.oid, found)
    return found
  }
  const all: Tags = {
    ofRelation: (ref) => {
      const relation = known(ref)
      if (relation === undefined && isOfPostgres(ref))
        return systemColumnsMasked(ref.schema ?? '', ref.name) ? ['system-values'] : []
      return relation === undefined ? [] : tagsIn([relation])
    },
    ofWritten: (ref) => {
      const relation = known(ref)
      if (relation === undefined) return all.ofRelation(ref)
      const tags = written.get(relation.oid) ?? ofWritten(relation)
      written.set(relation.oid, tags)
      return tags
    },
    touchedBy: ({ columns, columnsUnknown }) =>
      columnsUnknown || columns.some((each) => isTouched(each, rules !== null)),
    undescribedIn: ({ columns, columnsUnknown }) => {
      if (columnsUnknown || rules === null || columns.some((each) => isTouched(each, false)))
        return []
      const found = columns.filter((each) => isTouched(each, true))
      return [...new Map(found.map(({ relation }) => [shown(relation), relation])).values()]
    },
    guardedFrom: ({ columns }) =>
      guarding !== null &&
      columns.some(({ relation: ref, column }) => {
        const relation = known(ref)
        if (relation === undefined)
          return !isOfPostgres(ref) || isGuardedInCatalog(guarding, ref, column)
        const tags = tagged(relation)
        if (column === '*') return [...tags.values()].some(({ masksInference }) => masksInference)
        return tags.get(column)?.masksInference ?? !namesOf(relation).has(column)
      }),
  }
  return all
}

type Named = {
  readonly relation: Pick<Relation, 'schema' | 'name'>
  readonly column: NamedColumn
}

/** The tag that the plan gives too. Without rules the plan redacts everything, so only labels count here. */
function tagOf(rules: MaskingRulesDefined | null, { relation, column }: Named): Tag | null {
  if (rules === null) return labelsOf(column).length === 0 ? null : { tag: 'label' }
  return taggedBy(rules, relation, column)
}

type Tag = Pick<Tagged, 'tag' | 'masksInference'>

/** All tags of a column together: by its relation itself, and by the relations through which its rows are read. */
type TagsOfColumn = { readonly tags: readonly string[]; readonly masksInference: boolean }

const withTag = (before: TagsOfColumn | undefined, { tag, masksInference }: Tag): TagsOfColumn => ({
  tags: [...(before?.tags ?? []), tag],
  masksInference: before?.masksInference === true || masksInference === true,
})

/** True if inference of a catalog column is masked. Catalogs are not described, but a rule may name one of them. */
const isGuardedInCatalog = (
  rules: MaskingRulesDefined,
  { schema, name }: RelationRef,
  column: string,
): boolean =>
  column === '*'
    ? systemColumnsMasked(schema ?? '', name)
    : systemTagged(rules, { schema: schema ?? '', name }, column).masksInference === true

/** A column of the catalogs, of which no description has the type. */
const UNTYPED = { label: null, typeOid: 0 }

const NONE: ReadonlyMap<number, Tagged> = new Map()

const NOTHING_TAGGED: Tags = {
  ofRelation: () => [],
  ofWritten: () => [],
  touchedBy: () => false,
  undescribedIn: () => [],
  guardedFrom: () => false,
}

const shown = ({ schema, name }: RelationRef): string => JSON.stringify([schema, name])

const isOfPostgres = ({ schema }: RelationRef): boolean => CATALOGS.has(schema ?? '')

const CATALOGS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema'])

/** The tags that were last worked out for a description, which are the same along each path. */
const LAST = new WeakMap<
  TargetDescribed['relations'],
  { rules: MaskingRulesDefined | null; tags: Tags }
>()
