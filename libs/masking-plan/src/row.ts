import type { MaskingMethod } from '@countersign/contracts'
import { withContentMasked } from './content.ts'
import { type Kind, kindOf } from './kind.ts'
import type { Masking } from './method.ts'
import { isPasswordLike } from './password-like.ts'
import type { MaskingPlan } from './plan.ts'
import { type Detection, detectionOf } from './span-masking.ts'
import { type Format, maskedValue } from './value.ts'

/** A column of a result, as RowDescription gives it. */
export type ResultColumn = {
  readonly name: string
  readonly tableOid: number
  readonly columnAttribute: number
  readonly typeOid: number
  readonly format: Format
}

/** How the rows of one result are masked. */
export type RowMask = { readonly columns: readonly ColumnMask[] }

type ColumnMask = {
  readonly kind: Kind
  readonly format: Format
  /** How the whole value is masked; null leaves it to the detectors. */
  readonly whole: Masking | null
  readonly detection: Detection
}

/** The plan, made ready for the columns of a result; tainted says that the statement touches a tagged column. */
export function rowMask(
  plan: MaskingPlan,
  columns: readonly ResultColumn[],
  tainted: boolean,
  key: Uint8Array,
): RowMask {
  const detection = detectionOf(plan, key)
  const tags = new Map(plan.columns.map((each) => [`${each.tableOid}.${each.attnum}`, each]))
  return {
    columns: columns.map((column) => {
      const tagged = tags.get(`${column.tableOid}.${column.columnAttribute}`)
      const whole = tagged ?? untagged(plan, column, tainted)
      return {
        kind: kindOf(column.typeOid),
        format: column.format,
        whole: whole === null ? null : { method: whole.method, tag: whole.tag, key },
        detection,
      }
    }),
  }
}

/** The cells of a row, masked; null when nothing changes, so that the frame can go on as it is. */
export function maskedCells(
  mask: RowMask,
  cells: readonly (Buffer | null)[],
): readonly (Buffer | null)[] | null {
  // A row of another shape than it was described with is not one that we know how to mask.
  if (cells.length !== mask.columns.length) return cells.map(() => null)
  let result: (Buffer | null)[] | null = null
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] ?? null
    const column = mask.columns[i]
    if (cell === null || column === undefined) continue
    const masked = maskedCell(column, cell)
    if (masked === cell) continue
    result ??= [...cells]
    result[i] = masked
  }
  return result
}

// Whatever goes wrong with a value, it must not go out.
function maskedCell(column: ColumnMask, cell: Buffer): Buffer | null {
  try {
    return column.whole === null
      ? withContentMasked(column.detection, column, cell)
      : maskedValue(column.whole, column, cell)
  } catch {
    return null
  }
}

function untagged(
  plan: MaskingPlan,
  column: ResultColumn,
  tainted: boolean,
): { readonly method: MaskingMethod; readonly tag: string } | null {
  if (tainted && column.tableOid === 0) return { method: plan.tainted, tag: 'derived' }
  if (plan.passwordLike !== null && isPasswordLike(column.name))
    return { method: plan.passwordLike, tag: 'password-like' }
  return plan.untagged === 'Redact' ? { method: 'Redact', tag: 'untagged' } : null
}

/** Whether any column of the result is masked whole. */
export function masksWhole(mask: RowMask): boolean {
  return mask.columns.some(({ whole }) => whole !== null)
}
