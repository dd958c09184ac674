import type { MaskingMethod } from '@countersign/contracts'
import { detect, type DetectorName, isDetectorName } from './detectors.ts'
import { hidesHit, textHidesHit } from './encoded.ts'
import { maskedText, pseudonymousUuid, REDACTED } from './methods.ts'
import type { MaskingPlan } from './plan-for.ts'
import { classOf, type TypeClass } from './types.ts'

/** A column of a result, as RowDescription names it. */
export type ResultColumn = {
  readonly name: string
  readonly tableOid: number
  readonly columnAttribute: number
  readonly typeOid: number
  readonly format: 'text' | 'binary'
}

type Cell = Buffer | null
type CellMask = (cell: Buffer) => Cell

/** How each column of one result is masked; null leaves a column as it is. */
export type RowMask = readonly (CellMask | null)[]

/** Compiles the plan for the columns of one result. `tainted`: the statement touches a tagged column. */
export function rowMask(
  plan: MaskingPlan,
  columns: readonly ResultColumn[],
  tainted: boolean,
  key: Uint8Array,
): RowMask {
  const found = detectorMethods(plan)
  return columns.map((column) => {
    const type = classOf(column.typeOid)
    const whole = wholeMethod(plan, column, tainted)
    if (whole !== null)
      return guarded((cell) => maskedWhole(cell, column, type, whole.method, whole.tag, key))
    if (found.size === 0 || type === 'other' || type === 'uuid') return null
    if (type === 'number' && column.format === 'binary') return null
    return guarded((cell) => scanned(cell, column, type, found, key))
  })
}

/** The cells as the agent may see them; null when nothing changed, so that the frame can pass as it is. */
export function maskedCells(mask: RowMask, cells: readonly Cell[]): readonly Cell[] | null {
  let out: Cell[] | null = null
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index] ?? null
    if (cell === null) continue
    const maskCell = index < mask.length ? mask[index] : REDACT
    if (maskCell === null || maskCell === undefined) continue
    const masked = maskCell(cell)
    if (masked === cell) continue
    out ??= [...cells]
    out[index] = masked
  }
  return out
}

/** What an error in the mask itself leaves: nothing. */
function guarded(mask: CellMask): CellMask {
  return (cell) => {
    try {
      return mask(cell)
    } catch {
      return null
    }
  }
}

const REDACT: CellMask = () => null

type Whole = { readonly method: MaskingMethod; readonly tag: string }

/** First the tag of the column, then taint, then its name, then the rule for columns without a tag. */
function wholeMethod(plan: MaskingPlan, column: ResultColumn, tainted: boolean): Whole | null {
  const tagged = plan.columns.find(
    (one) =>
      column.tableOid !== 0 &&
      one.tableOid === column.tableOid &&
      one.attnum === column.columnAttribute,
  )
  if (tagged !== undefined) return tagged
  if (column.tableOid === 0 && tainted) return { method: plan.tainted, tag: 'tainted' }
  if (plan.passwordLike !== null && PASSWORD_LIKE.test(column.name))
    return { method: plan.passwordLike, tag: 'secret' }
  return plan.untagged === 'Redact' ? { method: 'Redact', tag: 'untagged' } : null
}

const PASSWORD_LIKE =
  /passw(?:or)?d|passphrase|\bpwd\b|_pwd|^pwd|secret|api_?key|private_?key|access_?key|(?:^|_)token$|credential/i

function maskedWhole(
  cell: Buffer,
  column: ResultColumn,
  type: TypeClass,
  method: MaskingMethod,
  tag: string,
  key: Uint8Array,
): Cell {
  const isBinary = column.format === 'binary'
  switch (type) {
    case 'text':
      return asCell(maskedText(cell.toString('utf8'), method, tag, key))
    case 'json':
    case 'jsonb': {
      if (method === 'Null') return null
      const json = JSON.stringify(
        method === 'Pseudonym' ? maskedText(cell.toString('utf8'), method, tag, key) : REDACTED,
      )
      return Buffer.from(type === 'jsonb' && isBinary ? `\x01${json}` : json)
    }
    case 'uuid': {
      if (method !== 'Pseudonym') return null
      const bytes = isBinary
        ? cell
        : Buffer.from(cell.toString('latin1').replaceAll('-', ''), 'hex')
      const uuid = pseudonymousUuid(bytes, tag, key)
      return isBinary ? uuid : Buffer.from(uuidText(uuid))
    }
    case 'bytea':
    case 'number':
    case 'other':
    case 'unknown':
      return null
  }
}

type Found = ReadonlyMap<DetectorName, MaskingMethod>

function scanned(
  cell: Buffer,
  column: ResultColumn,
  type: TypeClass,
  found: Found,
  key: Uint8Array,
): Cell {
  const names = [...found.keys()]
  if (type === 'bytea') return byteaHides(cell, column, names) ? null : cell
  if (type === 'unknown' && column.format === 'binary') return hidesHit(cell, names) ? null : cell
  const prefix = type === 'jsonb' && column.format === 'binary' ? 1 : 0
  const text = cell.toString('utf8', prefix)
  if (type === 'number') return detect(text, names).length > 0 ? null : cell
  const masked = maskedSpans(text, found, key)
  if (masked === null || textHidesHit(masked, names))
    return maskedWhole(cell, column, hitClass(type), 'Redact', '', key)
  if (masked === text) return cell
  return prefix === 1
    ? Buffer.concat([cell.subarray(0, 1), Buffer.from(masked)])
    : Buffer.from(masked)
}

/** A value of an unknown type that holds a hit cannot be rewritten faithfully. */
const hitClass = (type: TypeClass): TypeClass => (type === 'unknown' ? 'other' : type)

/** The text with each hit masked; null when a hit takes the whole value with it. */
export function maskedSpans(text: string, found: Found, key: Uint8Array): string | null {
  const hits = detect(text, [...found.keys()])
  if (hits.length === 0) return text
  let out = ''
  let at = 0
  for (const hit of hits) {
    const method = found.get(hit.name) ?? 'Redact'
    const span =
      method === 'Redact'
        ? `[${hit.name}]`
        : maskedText(text.slice(hit.start, hit.end), method, hit.name, key)
    if (span === null) return null
    out += text.slice(at, hit.start) + span
    at = hit.end
  }
  return out + text.slice(at)
}

/** The detectors of a plan that this version knows. One that it does not know masks as all of them would: not at all is no choice. */
export const detectorMethods = (plan: MaskingPlan): Found =>
  new Map(
    plan.detectors.flatMap(({ name, method }) =>
      isDetectorName(name) ? [[name, method] as const] : [],
    ),
  )

function byteaHides(cell: Buffer, column: ResultColumn, names: readonly DetectorName[]): boolean {
  if (column.format === 'binary') return hidesHit(cell, names)
  const text = cell.toString('latin1')
  return hidesHit(text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex') : cell, names)
}

const asCell = (text: string | null): Cell => (text === null ? null : Buffer.from(text))

const uuidText = (uuid: Buffer): string =>
  uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
