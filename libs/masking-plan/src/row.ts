import type { MaskingMethod } from '@countersign/contracts'
import { type CellMask, type Gate, scanGate, scanMask, wholeMask } from './cell-mask.ts'
import { isPasswordLike } from './password-like.ts'
import type { MaskingPlan } from './plan.ts'
import { scannerOf } from './scanner.ts'

/** A column of a result, as RowDescription names it. */
export type ResultColumn = {
  readonly name: string
  /** The table that it comes from; 0 for an expression. */
  readonly tableOid: number
  /** The number of the column in that table; 0 where it is a row of the table as a whole, below 0 for system columns. */
  readonly columnAttribute: number
  readonly typeOid: number
  readonly format: 'text' | 'binary'
}

/** The masks of the columns of one result, in their order. */
export type RowMask = readonly ColumnMask[]

export type ColumnMask = {
  /** Null lets every value through. */
  readonly mask: CellMask | null
  /** Lets a value through by a look at its bytes; null where the value must be made first. */
  readonly gate: Gate | null
  /** The reason why values are masked: the tag, or the rule that says so. */
  readonly why: string
}

/**
 * Compiles the plan for the columns of one result. Tainted: the statement touches a tagged column; `plain` are the columns,
 * from 1, that it computes from others all the same.
 */
export function rowMask(
  plan: MaskingPlan,
  columns: readonly ResultColumn[],
  tainted: boolean,
  key: Uint8Array,
  plain: readonly number[] = [],
): RowMask {
  const scanner = scannerOf(plan, key)
  const { byColumn } = taggedIn(plan.columns)
  return columns.map((column, index) => {
    const rule =
      byColumn.get(`${column.tableOid}/${column.columnAttribute}`) ??
      untaggedRule(plan, column, tainted && !plain.includes(index + 1))
    if (rule !== null) return { mask: wholeMask(column, rule, key), gate: null, why: rule.tag }
    // A detector that this version does not know cannot be applied, so nothing passes.
    if (scanner === null)
      return { mask: wholeMask(column, UNKNOWN, key), gate: null, why: UNKNOWN.tag }
    return {
      mask: scanMask(column, scanner, column.name),
      gate: scanGate(column),
      why: 'detectors',
    }
  })
}

/** The cells as the agent may see them; null when they are the same, so that the frame can pass as it is. */
export function maskedCells(
  mask: RowMask,
  cells: readonly (Buffer | null)[],
): readonly (Buffer | null)[] | null {
  // A row of another width than its description has no rule for its cells.
  if (cells.length !== mask.length) return cells.map(() => null)
  let out: (Buffer | null)[] | null = null
  for (let i = 0; i < mask.length; i++) {
    const maskCell = mask[i]?.mask ?? null
    const cell = cells[i] ?? null
    if (maskCell === null || cell === null) continue
    const masked = maskCell(cell)
    if (masked === cell) continue
    out ??= [...cells]
    out[i] = masked
  }
  return out
}

/** True if a value that stands in these bytes passes as it is. In doubt it does not. */
export const passesUnseen = (column: ColumnMask | undefined, ...at: Parameters<Gate>): boolean =>
  column !== undefined && (column.mask === null || column.gate?.(...at) === true)

type Rule = { readonly method: MaskingMethod; readonly tag: string }

/**
 * True if a column is of a table that the plan does not know, or was added to one since: whatever stands in it, no rule
 * could say how to mask it. PostgreSQL's own catalogs are the same everywhere, and not among the relations of a plan.
 */
export function isUnplanned(plan: MaskingPlan, column: ResultColumn): boolean {
  const { relations } = plan
  if (column.tableOid < USER_OID_MIN || plan.masksNothing === true) return false
  let attnums = ATTNUMS.get(relations)
  if (attnums === undefined) {
    attnums = new Map(relations.map(({ oid, attnumMax }) => [oid, attnumMax]))
    ATTNUMS.set(relations, attnums)
  }
  return column.columnAttribute > (attnums.get(column.tableOid) ?? -Infinity)
}

/** Rule for a column without a tag of its own. A row as a whole has the table of its columns, and holds those that are tagged. */
function untaggedRule(plan: MaskingPlan, column: ResultColumn, tainted: boolean): Rule | null {
  if (isUnplanned(plan, column)) return UNKNOWN
  const { tableOid } = column
  const isRow = tableOid !== 0 && column.columnAttribute === 0
  const isTainted =
    ((tableOid === 0 || isRow) && tainted) || (isRow && taggedIn(plan.columns).tables.has(tableOid))
  if (isTainted && plan.masksNothing !== true) return { method: plan.tainted, tag: 'tainted' }
  if (plan.passwordLike !== null && isPasswordLike(column.name))
    return { method: plan.passwordLike, tag: 'password-like' }
  return plan.untagged === 'Redact' ? UNKNOWN : null
}

/** The tagged columns of a plan by table and number, and their tables. Made once, since the sessions of a target share them. */
function taggedIn(columns: MaskingPlan['columns']): TaggedColumns {
  const known = TAGGED.get(columns)
  if (known !== undefined) return known
  const made = {
    byColumn: new Map(columns.map((column) => [`${column.tableOid}/${column.attnum}`, column])),
    tables: new Set(columns.map(({ tableOid }) => tableOid)),
  }
  TAGGED.set(columns, made)
  return made
}

type TaggedColumns = {
  readonly byColumn: ReadonlyMap<string, MaskingPlan['columns'][number]>
  readonly tables: ReadonlySet<number>
}
const TAGGED = new WeakMap<MaskingPlan['columns'], TaggedColumns>()

const UNKNOWN: Rule = { method: 'Redact', tag: 'untagged' }
/** FirstNormalObjectId: below are the objects that every database begins with. */
const USER_OID_MIN = 16_384
const ATTNUMS = new WeakMap<MaskingPlan['relations'], ReadonlyMap<number, number>>()
