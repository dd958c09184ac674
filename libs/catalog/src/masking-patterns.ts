import type { ColumnRule, MaskingRulesDefined } from '@countersign/contracts'
import { matchesGlob } from '@countersign/kernel'

type Rules = Pick<MaskingRulesDefined, 'name' | 'columns' | 'detectors'>

/** The mistakes of rules that say two things of the same columns or values, of which only the first would count. */
export function ambiguous({ columns, detectors }: Rules): readonly string[] {
  const patterns = columns.flatMap((rule, index) => {
    const earlier = columns.slice(0, index).find((each) => keyOf(each) === keyOf(rule))
    if (earlier === undefined || saysTheSame(earlier, rule)) return []
    return [
      `the pattern ${textOf(rule)} is there twice; only the first counts (${effectOf(earlier)})`,
    ]
  })
  const found = detectors.flatMap(({ name, method }, index) => {
    const earlier = detectors.slice(0, index).find((each) => each.name === name)
    if (earlier === undefined || earlier.method === method) return []
    return [`the detector ${name} is there twice, with two methods`]
  })
  return [...patterns, ...found]
}

/** The rules that decide no column, because one before them matches all that they match, and says something else. */
export function shadowed({ name, columns }: Rules): readonly string[] {
  return columns.flatMap((rule, index) => {
    const before = columns.slice(0, index)
    const wider = before.find(
      (each) =>
        keyOf(each) !== keyOf(rule) &&
        !saysTheSame(each, rule) &&
        // PostgreSQL's own catalogs are masked by rules that name a schema or table only.
        (isOfColumnOnly(rule) || !isOfColumnOnly(each)) &&
        PARTS.every((part) => matchesAll(each[part], rule[part])),
    )
    if (wider === undefined) return []
    return [
      `${name}: the rule for ${textOf(rule)} decides no column: the earlier one for ${textOf(wider)} matches all of it`,
    ]
  })
}

const PARTS = ['schema', 'table', 'column'] as const

/** Names are compared without case, and several `*` are as one. */
const normal = (pattern: string | null): string =>
  (pattern ?? '*').toLowerCase().replace(/\*+/g, '*')
const keyOf = (rule: ColumnRule): string => PARTS.map((part) => normal(rule[part])).join('.')
const isOfColumnOnly = ({ schema, table }: ColumnRule): boolean => schema === null && table === null
const saysTheSame = (one: ColumnRule, other: ColumnRule): boolean =>
  effectOf(one) === effectOf(other)
const effectOf = ({ tag, method, masksInference }: ColumnRule): string =>
  `tag ${tag}, method ${method.toLowerCase()}${masksInference ? ', inference mask' : ''}`
const textOf = (rule: ColumnRule): string =>
  PARTS.flatMap((part) => (rule[part] === null ? [] : `${part}: ${rule[part]}`)).join(', ')

/**
 * True if the wide pattern matches whatever the narrow one does. The `*` of the narrow one stands for any characters, so it
 * is matched only by one of the wide pattern.
 */
const matchesAll = (wide: string | null, narrow: string | null): boolean =>
  matchesGlob(normal(wide), normal(narrow))
