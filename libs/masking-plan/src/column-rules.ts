import type {
  Column,
  ColumnRule,
  MaskingRulesDefined,
  MaskingMethod,
  Relation,
} from '@countersign/contracts'
import { matchesGlob } from '@countersign/kernel'
import { isPasswordLike } from './password-like.ts'
import { strictest } from './strictest.ts'
import { type TypeClass, typeClassOf } from './type-class.ts'

/** The tag of a column, which is the reason why it is masked, and the method. */
export type Tagged = {
  readonly tag: string
  readonly method: MaskingMethod
  /** True if values that are computed beside it are masked too, although they hold no value of it. */
  readonly masksInference?: boolean
}

/** A column, or a field of a composite type, as the rules see it. */
export type NamedColumn = Pick<Column, 'name' | 'label' | 'typeOid'> &
  Partial<Pick<Column, 'fields'>>

/** The labels of the target on a column, and on the fields of the composite values that it holds. */
export const labelsOf = ({ label, fields = [] }: Pick<NamedColumn, 'label' | 'fields'>): string[] =>
  [label, ...fields.map((field) => field.label)].filter((each) => each !== null)

/**
 * The tag of a column by the rules, the label of the target or the name itself; null for none. A column that holds composite
 * values is tagged by their fields too, and masked as what is computed of them. Policy taints by it too.
 */
export function taggedBy(
  rules: MaskingRulesDefined,
  relation: Pick<Relation, 'schema' | 'name'>,
  column: NamedColumn,
): Tagged | null {
  const own = taggedByName(rules, relation, column)
  const ofFields = (column.fields ?? []).flatMap(({ schema, type, name, label }) => {
    const tagged = taggedByName(rules, { schema, name: type }, { name, label, typeOid: 0 })
    return tagged === null ? [] : { ...tagged, method: rules.tainted }
  })
  return ofFields.length === 0 ? own : strictest(own === null ? ofFields : [...ofFields, own])
}

function taggedByName(
  rules: MaskingRulesDefined,
  relation: Pick<Relation, 'schema' | 'name'>,
  column: NamedColumn,
): Tagged | null {
  const rule = rules.columns.find((each) => matches(each, relation, column))
  if (rule !== undefined) return ruledBy(rule)
  const label = labelled(rules, column.label)
  if (label !== null) return label
  if (isOfExtension(relation) && !isNumber(column.typeOid)) return SYSTEM_VALUES
  // By the name at the target, so that an alias in the statement does not get around it.
  if (rules.passwordLike === null || !isPasswordLike(column.name)) return null
  return { tag: 'password-like', method: rules.passwordLike }
}

/**
 * The tag of a column of PostgreSQL's own catalogs that shows values of users: a rule that names its schema or relation may
 * give another tag or method, and without one the column is masked whole.
 */
export function systemTagged(
  rules: MaskingRulesDefined,
  relation: Pick<Relation, 'schema' | 'name'>,
  column: string,
): Tagged {
  const rule = rules.columns.find(
    (each) =>
      (each.schema !== null || each.table !== null) && matches(each, relation, { name: column }),
  )
  return rule === undefined ? SYSTEM_VALUES : ruledBy(rule)
}

const ruledBy = ({ tag, method, masksInference }: ColumnRule): Tagged => ({
  ...{ tag, method, masksInference },
})

const SYSTEM_VALUES: Tagged = { tag: 'system-values', method: 'Redact' }

const isOfExtension = ({ schema, name }: Pick<Relation, 'schema' | 'name'>): boolean =>
  OF_EXTENSIONS.has(name) || OF_EXTENSIONS.has(`${schema}.${name}`)

/** A number, a time or a list of them: no text of another session fits into it. */
const isNumber = (typeOid: number): boolean => NUMBERS.has(typeClassOf(typeOid))

const NUMBERS: ReadonlySet<TypeClass> = new Set([
  'int8',
  'numeric',
  'float8',
  'numbers',
  'harmless',
])

/**
 * Views of extensions that show texts and values of other sessions, by name: an extension may stand in any schema. Each version
 * has other columns, so all are masked but numbers. A relation of somebody else with such a name is masked too.
 */
const OF_EXTENSIONS: ReadonlySet<string> = new Set([
  ...['pg_stat_statements', 'pg_stat_monitor', 'pg_stat_kcache_detail', 'pg_store_plans'],
  ...['pg_show_plans', 'pg_qualstats', 'pg_qualstats_pretty', 'pg_qualstats_all'],
  ...['pg_qualstats_by_query', 'pg_active_session_history', 'cron.job', 'cron.job_run_details'],
  'hint_plan.hints',
])

function matches(
  rule: ColumnRule,
  relation: Pick<Relation, 'schema' | 'name'>,
  column: Pick<Column, 'name'>,
): boolean {
  return (
    globMatches(rule.schema, relation.schema) &&
    globMatches(rule.table, relation.name) &&
    globMatches(rule.column, column.name)
  )
}

// Names are compared without case: a rule that misses "Email" would leak.
const globMatches = (pattern: string | null, name: string): boolean =>
  pattern === null || matchesGlob(pattern.toLowerCase(), name.toLowerCase())

// PostgreSQL Anonymizer writes MASKED WITH FUNCTION … or MASKED WITH VALUE …; its functions exist
// only at the target, so the column is masked whole. Any other label is taken as a tag.
function labelled(rules: MaskingRulesDefined, label: string | null): Tagged | null {
  const text = label?.trim() ?? ''
  if (text === '' || /^not\s+masked/i.test(text)) return null
  if (/^masked\s+with\s+value\s+null\b/i.test(text)) return { tag: 'masked', method: 'Null' }
  if (/^masked\b/i.test(text)) return { tag: 'masked', method: 'Redact' }
  const tag = text.toLowerCase()
  const rule = rules.columns.find((each) => each.tag.toLowerCase() === tag)
  return rule === undefined ? { tag, method: 'Redact' } : { ...ruledBy(rule), tag }
}
