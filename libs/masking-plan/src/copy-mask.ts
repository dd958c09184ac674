import { hidesHit } from './encoded.ts'
import { REDACTED } from './methods.ts'
import type { MaskingPlan } from './plan-for.ts'
import {
  detectorMethods,
  maskedSpans,
  type ResultColumn,
  type RowMask,
  rowMask,
  maskedCells,
} from './row-mask.ts'

/** Masks copied rows as they stream by. Mutable: it holds the row that is not complete yet. */
export type CopyMask = {
  readonly plan: MaskingPlan
  readonly options: CopyOptions
  readonly key: Uint8Array
  readonly cells: RowMask | null
  pending: Buffer
  /** A row that is larger than the limit is thrown away up to its end. */
  isSkipping: boolean
  hasHeader: boolean
}

export type CopyOptions = {
  readonly binary: boolean
  readonly columnCount: number
  /** The statement touches a tagged column. */
  readonly tainted: boolean
  /** What the columns are, where that is known. */
  readonly columns: readonly ResultColumn[] | null
}

export function copyMask(plan: MaskingPlan, options: CopyOptions, key: Uint8Array): CopyMask {
  return {
    plan,
    options,
    key,
    cells: options.columns === null ? null : rowMask(plan, options.columns, options.tainted, key),
    pending: Buffer.alloc(0),
    isSkipping: false,
    hasHeader: false,
  }
}

/** The next bytes of the copy; gives the complete rows, masked. */
export function maskCopyChunk(mask: CopyMask, chunk: Buffer): Buffer[] {
  mask.pending = mask.pending.length === 0 ? chunk : Buffer.concat([mask.pending, chunk])
  return mask.options.binary ? binaryRows(mask) : textRows(mask)
}

/** What is left at the end: a row without its end is masked like any other. */
export function maskCopyEnd(mask: CopyMask): Buffer[] {
  const rest = mask.pending
  mask.pending = Buffer.alloc(0)
  if (rest.length === 0 || mask.isSkipping || mask.options.binary) return []
  return [maskedLine(mask, rest, Buffer.alloc(0))]
}

/** Text and CSV cannot be told apart on the wire. A line of either is a unit; a quoted newline of CSV only cuts it in two. */
function textRows(mask: CopyMask): Buffer[] {
  const rows: Buffer[] = []
  let start = 0
  for (
    let end = mask.pending.indexOf(NEWLINE);
    end >= 0;
    end = mask.pending.indexOf(NEWLINE, start)
  ) {
    if (!mask.isSkipping) rows.push(maskedLine(mask, mask.pending.subarray(start, end), END))
    mask.isSkipping = false
    start = end + 1
  }
  mask.pending = mask.pending.subarray(start)
  if (mask.pending.length > COPY_ROW_BYTES_MAX) {
    mask.pending = Buffer.alloc(0)
    if (!mask.isSkipping) rows.push(Buffer.from(`${REDACTED}\n`))
    mask.isSkipping = true
  }
  return rows.length === 0 ? [] : [Buffer.concat(rows)]
}

function maskedLine(mask: CopyMask, line: Buffer, end: Buffer): Buffer {
  const text = line.toString('utf8')
  if (text === '\\.') return Buffer.concat([line, end])
  if (mask.options.tainted || mask.plan.untagged === 'Redact') {
    const separator = text.includes('\t') ? '\t' : ','
    const fields = text
      .split(separator)
      .map((field) => (field === '\\N' || field === '' ? field : REDACTED))
    return Buffer.from(fields.join(separator) + end.toString())
  }
  const found = detectorMethods(mask.plan)
  const masked = maskedSpans(text, found, mask.key)
  const isHidden =
    masked === null || hidesHit(Buffer.from(masked.replaceAll('\\\\x', '\\x')), [...found.keys()])
  if (isHidden) return Buffer.from(REDACTED + end.toString())
  return masked === text ? Buffer.concat([line, end]) : Buffer.from(masked + end.toString())
}

/** COPY BINARY: a header of 19 bytes and its extension, then rows of Int16 count and (Int32 length, bytes) each. */
function binaryRows(mask: CopyMask): Buffer[] {
  const rows: Buffer[] = []
  if (!mask.hasHeader) {
    if (mask.pending.length < HEADER_BYTES) return rows
    const header = HEADER_BYTES + mask.pending.readUInt32BE(HEADER_BYTES - 4)
    if (mask.pending.length < header) return rows
    rows.push(mask.pending.subarray(0, header))
    mask.pending = mask.pending.subarray(header)
    mask.hasHeader = true
  }
  for (let row = binaryRow(mask.pending); row !== null; row = binaryRow(mask.pending)) {
    mask.pending = mask.pending.subarray(row.bytes)
    rows.push(maskedBinaryRow(mask, row.cells))
  }
  if (mask.pending.length > COPY_ROW_BYTES_MAX)
    throw new RangeError('a copied row is larger than the limit')
  return rows
}

type BinaryRow = { readonly cells: readonly (Buffer | null)[] | null; readonly bytes: number }

function binaryRow(bytes: Buffer): BinaryRow | null {
  if (bytes.length < 2) return null
  const count = bytes.readInt16BE(0)
  if (count < 0) return { cells: null, bytes: 2 }
  const cells: (Buffer | null)[] = []
  let at = 2
  for (let index = 0; index < count; index++) {
    if (bytes.length < at + 4) return null
    const length = bytes.readInt32BE(at)
    at += 4
    if (length > COPY_ROW_BYTES_MAX) throw new RangeError('a copied value is larger than the limit')
    if (length < 0) cells.push(null)
    else if (bytes.length < at + length) return null
    else cells.push(bytes.subarray(at, at + length))
    at += Math.max(0, length)
  }
  return { cells, bytes: at }
}

function maskedBinaryRow(mask: CopyMask, cells: readonly (Buffer | null)[] | null): Buffer {
  if (cells === null) return Buffer.from([0xff, 0xff])
  const names = [...detectorMethods(mask.plan).keys()]
  const isWhole = mask.options.tainted || mask.plan.untagged === 'Redact'
  const masked =
    mask.cells !== null
      ? (maskedCells(mask.cells, cells) ?? cells)
      : cells.map((cell) => (cell === null || isWhole || hidesHit(cell, names) ? null : cell))
  const count = Buffer.alloc(2)
  count.writeInt16BE(masked.length)
  return Buffer.concat([
    count,
    ...masked.flatMap((cell) => [lengthOf(cell), cell ?? Buffer.alloc(0)]),
  ])
}

function lengthOf(cell: Buffer | null): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(cell === null ? -1 : cell.length)
  return length
}

/** The largest row that is held to be masked as a whole. */
export const COPY_ROW_BYTES_MAX = 16 * 1024 * 1024
const HEADER_BYTES = 19
const NEWLINE = 0x0a
const END = Buffer.from('\n')
