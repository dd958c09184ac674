import { scanMask } from './cell-mask.ts'
import { BINARY_TRAILER, binaryPart, binaryRow } from './copy-binary.ts'
import { type CopyFormat, escaped, fieldFrom, fieldsOf, unescaped } from './copy-line.ts'
import { mayHoldHit } from './detect.ts'
import { privateKeyEnd } from './detectors/private-key.ts'
import { MASKED } from './method.ts'
import type { MaskingPlan } from './plan.ts'
import { maskedCells, type ResultColumn, type RowMask, rowMask } from './row.ts'
import { type Scanner, scannerOf } from './scanner.ts'

export type { CopyFormat } from './copy-line.ts'

/** The facts that are known about a COPY OUT. */
export type CopyOptions = {
  readonly binary: boolean
  readonly columnCount: number
  readonly tainted: boolean
  /** Null when it is not known which columns are copied: then a tainted copy is masked whole. */
  readonly columns: readonly ResultColumn[] | null
  /** The protocol does not tell the format; without it a line is looked at as a whole, whatever its format. */
  readonly format?: CopyFormat | null
}

/** The masking of one COPY OUT; it changes with each chunk. */
export type CopyMask = {
  readonly options: CopyOptions
  readonly rowBytesMax: number
  maskLine: (line: Buffer) => Buffer
  readonly maskRow: (cells: readonly (Buffer | null)[]) => readonly (Buffer | null)[]
  pending: Buffer[]
  pendingBytes: number
  /** The header of a binary copy, until something follows it. */
  header: Buffer | null
  /** A binary row cannot be complete before so many bytes are there. */
  neededBytes: number
  /** `skipping`: within a row that is too large; `closed`: nothing more comes out. */
  phase: 'start' | 'rows' | 'skipping' | 'closed'
  isQuoted: boolean
  isEscaped: boolean
  /** Within a private key that began in a line before. */
  isInKey: boolean
  /** True if anything was masked so far. */
  hasMasked: boolean
}

/** The state that changes with each chunk; with it another thread can go on. */
export type CopyState = Omit<CopyMask, 'options' | 'rowBytesMax' | 'maskLine' | 'maskRow'>

/** A row that is larger than this is not held but masked whole. */
export const copyRowBytesMax = 16 * 1024 * 1024

/** Begins to mask a COPY OUT. */
export function copyMask(
  plan: MaskingPlan,
  options: CopyOptions,
  key: Uint8Array,
  rowBytesMax = copyRowBytesMax,
): CopyMask {
  const scanner = scannerOf(plan, key)
  const { columns, tainted } = options
  const isWhole = scanner === null || (columns === null && (tainted || plan.untagged === 'Redact'))
  const cells =
    columns === null ? null : rowMask(plan, inFormat(columns, options.binary), tainted, key)
  const mask: CopyMask = {
    options,
    rowBytesMax,
    maskLine: (line) => line,
    maskRow: binaryRowMask(isWhole ? null : scanner, cells),
    pending: [],
    pendingBytes: 0,
    header: null,
    neededBytes: 0,
    phase: 'start',
    isQuoted: false,
    isEscaped: false,
    isInKey: false,
    hasMasked: false,
  }
  mask.maskLine = lineMask(mask, isWhole ? null : scanner, cells)
  return mask
}

/** True if a COPY is masked whole, whatever its rows hold. */
export const isMaskedWhole = ({ options }: CopyMask, plan: MaskingPlan): boolean =>
  options.columns === null && (options.tainted || plan.untagged === 'Redact')

/** The number of bytes that are searched when a chunk is taken: none, as long as it completes no row. */
export function searchedBytes(mask: CopyMask, chunk: Buffer): number {
  const bytes = mask.pendingBytes + chunk.length
  const completes = mask.options.binary ? bytes >= mask.neededBytes : chunk.includes(NEWLINE)
  return completes ? bytes : 0
}

/** The state so far, without the parts that belong to the plan; the pending bytes are joined. */
export const copyState = (mask: CopyMask): CopyState => ({
  pending: [Buffer.concat(mask.pending)],
  pendingBytes: mask.pendingBytes,
  header: mask.header,
  neededBytes: mask.neededBytes,
  phase: mask.phase,
  isQuoted: mask.isQuoted,
  isEscaped: mask.isEscaped,
  isInKey: mask.isInKey,
  hasMasked: mask.hasMasked,
})

/** Goes on from a state that `copyState` gave. Bytes that come from another thread are no Buffers any more. */
export function resumeCopy(mask: CopyMask, state: CopyState): void {
  Object.assign(mask, {
    ...state,
    pending: state.pending.map((piece) => bufferOf(piece)),
    header: state.header === null ? null : bufferOf(state.header),
  })
}

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Takes the payload of a CopyData; gives the rows that are complete, masked, each for a CopyData of its own. */
export function maskCopyChunk(mask: CopyMask, chunk: Buffer): Buffer[] {
  return mask.options.binary ? binaryRows(mask, chunk) : lines(mask, chunk)
}

/** Ends the COPY; a row without its end is masked like the others, half a binary row is dropped. */
export function maskCopyEnd(mask: CopyMask): Buffer[] {
  const rest = Buffer.concat(mask.pending)
  const { phase, options } = mask
  mask.pending = []
  mask.pendingBytes = 0
  mask.phase = 'closed'
  if (options.binary) return phase === 'closed' ? [] : [behindHeader(mask, BINARY_TRAILER)]
  return rest.length === 0 || phase === 'skipping' ? [] : [maskedLine(mask, rest)]
}

function lines(mask: CopyMask, chunk: Buffer): Buffer[] {
  const out: Buffer[] = []
  let start = 0
  for (let end = lineEnd(mask, chunk, 0); end >= 0; end = lineEnd(mask, chunk, start)) {
    const piece = chunk.subarray(start, end)
    start = end + 1
    if (mask.phase === 'skipping' || mask.pendingBytes + piece.length > mask.rowBytesMax) {
      mask.hasMasked = true
      out.push(withEnd(maskedWhole(mask.options)))
    } else out.push(lineOut(mask, mask.pendingBytes === 0 ? piece : joined(mask, piece)))
    mask.pending = []
    mask.pendingBytes = 0
    mask.phase = 'rows'
  }
  const rest = chunk.subarray(start)
  if (mask.phase === 'skipping' || rest.length === 0) return out
  if (mask.pendingBytes + rest.length > mask.rowBytesMax) {
    mask.pending = []
    mask.pendingBytes = 0
    mask.phase = 'skipping'
    return out
  }
  // A copy, so that a small rest does not keep a large chunk alive.
  mask.pending.push(Buffer.from(rest))
  mask.pendingBytes += rest.length
  return out
}

// The names of the columns in the header are no data.
function lineOut(mask: CopyMask, line: Buffer): Buffer {
  const isHeader = mask.phase === 'start' && mask.options.format?.header === true
  return withEnd(isHeader ? line : maskedLine(mask, line))
}

// In text format a newline of a value is escaped; in CSV it stands between quotes.
function lineEnd(mask: CopyMask, chunk: Buffer, from: number): number {
  const { format } = mask.options
  if (format?.kind !== 'csv') return chunk.indexOf(NEWLINE, from)
  const quote = format.quote.charCodeAt(0)
  const escape = format.escape.charCodeAt(0)
  for (let i = from; i < chunk.length; i++) {
    const byte = chunk[i]
    if (mask.isEscaped) mask.isEscaped = false
    else if (byte === escape && escape !== quote && mask.isQuoted) mask.isEscaped = true
    else if (byte === quote) mask.isQuoted = !mask.isQuoted
    else if (byte === NEWLINE && !mask.isQuoted) return i
  }
  return -1
}

function joined(mask: CopyMask, piece: Buffer): Buffer {
  return Buffer.concat([...mask.pending, piece])
}

function maskedLine(mask: CopyMask, line: Buffer): Buffer {
  const shown = mask.maskLine(line)
  if (shown !== line) mask.hasMasked = true
  return shown
}

function maskedRow(mask: CopyMask, cells: readonly (Buffer | null)[]): Buffer {
  const shown = mask.maskRow(cells)
  if (shown.some((cell, index) => cell !== cells[index])) mask.hasMasked = true
  return binaryRow(shown)
}

const withEnd = (line: Buffer): Buffer => Buffer.concat([line, END])

function lineMask(
  state: CopyMask,
  scanner: Scanner | null,
  cells: RowMask | null,
): (line: Buffer) => Buffer {
  const { options } = state
  const whole = maskedWhole(options)
  const format = options.format ?? null
  const byField = scanner !== null && cells !== null && format !== null
  const mask = byField
    ? fieldsMask({
        format,
        cells,
        whole,
        passes: passesWhole(cells, unknownLineMask(state, scanner)),
      })
    : scanner !== null && !isTaggedLine(options, cells)
      ? unknownLineMask(state, scanner)
      : () => whole
  return (line) => {
    try {
      return mask(line)
    } catch {
      return whole
    }
  }
}

// Without the format the fields of tagged columns cannot be told from the others.
const isTaggedLine = (options: CopyOptions, cells: RowMask | null): boolean =>
  cells !== null || options.tainted

/** A line passes without a look at its fields where nothing but detectors masks them, and these find nothing in all of it. */
function passesWhole(cells: RowMask, inLine: (line: Buffer) => Buffer): (line: Buffer) => boolean {
  const isSearched = cells.every(({ why }) => why === 'detectors')
  return (line) => isSearched && inLine(line) === line
}

type Fields = {
  readonly format: CopyFormat
  readonly cells: RowMask
  readonly whole: Buffer
  passes(line: Buffer): boolean
}

function fieldsMask({ format, cells, whole, passes }: Fields): (line: Buffer) => Buffer {
  return (line) => {
    if (passes(line)) return line
    const fields = fieldsOf(format, line.toString('latin1'))
    if (fields.length !== cells.length) return whole
    const values = fields.map(({ value }) => (value === null ? null : Buffer.from(value, 'latin1')))
    const masked = maskedCells(cells, values)
    if (masked === null) return line
    const out = fields.map(({ raw }, i) => {
      const value = masked[i] ?? null
      return value === values[i] ? raw : fieldFrom(format, value?.toString('latin1') ?? null)
    })
    return Buffer.from(out.join(format.delimiter), 'latin1')
  }
}

/**
 * Masks lines of an unknown format. Method: the detectors over the line as it stands, then over its
 * fields without escapes, as in the text format. Limits: a secret that CSV breaks over lines is not
 * found, except for private keys; NULL is written as [masked].
 */
function unknownLineMask(state: CopyMask, scanner: Scanner): (line: Buffer) => Buffer {
  return (line) => {
    if (!state.isInKey && !line.includes(BACKSLASH) && !mayHoldHit(line)) return line
    const text = line.toString('utf8')
    if (state.isInKey) {
      const end = privateKeyEnd(text)
      state.isInKey = end === null
      return Buffer.from(end === null ? MASKED : MASKED + (scanner.mask(text.slice(end)) ?? ''))
    }
    state.isInKey = scanner.names.includes('api-key') && opensKey(text)
    const masked = scanner.mask(text) ?? MASKED
    const shown = masked.includes('\\') ? maskedEscapes(masked, scanner) : masked
    return shown === text ? line : Buffer.from(shown)
  }
}

const opensKey = (text: string): boolean => {
  const begin = text.lastIndexOf('-----BEGIN')
  return (
    begin >= 0 && text.includes('PRIVATE KEY', begin) && privateKeyEnd(text.slice(begin)) === null
  )
}

function maskedEscapes(line: string, scanner: Scanner): string {
  return line
    .split('\t')
    .map((field) => {
      const plain = unescaped(field)
      const masked = scanner.mask(plain)
      return masked === plain ? field : escaped(masked ?? MASKED, '\t')
    })
    .join('\t')
}

function maskedWhole(options: CopyOptions): Buffer {
  const format = options.format ?? null
  const cell = format === null ? MASKED : fieldFrom(format, MASKED)
  const count = Math.max(1, options.columns?.length ?? options.columnCount)
  return Buffer.from(
    Array(count)
      .fill(cell)
      .join(format?.delimiter ?? '\t'),
    'latin1',
  )
}

function binaryRows(mask: CopyMask, chunk: Buffer): Buffer[] {
  const out: Buffer[] = []
  if (mask.phase === 'closed') return out
  mask.pending.push(Buffer.from(chunk))
  mask.pendingBytes += chunk.length
  // Pieces are joined only when they may complete a row, so that the work stays linear.
  if (mask.pendingBytes < mask.neededBytes) return out
  let bytes = Buffer.concat(mask.pending)
  for (;;) {
    const next = binaryPart(bytes, mask.phase === 'start')
    if (typeof next === 'number') {
      // A row that is too large ends the copy: its cells cannot be masked without holding it.
      if (mask.phase === 'rows' && next > mask.rowBytesMax) return closed(mask, out)
      mask.pending = [Buffer.from(bytes)]
      mask.pendingBytes = bytes.length
      mask.neededBytes = next
      return out
    }
    const { part, size } = next
    if (part.type === 'row' && size > mask.rowBytesMax) return closed(mask, out)
    if (part.type === 'trailer' || part.type === 'malformed') return closed(mask, out)
    if (part.type === 'header') mask.header = Buffer.from(part.bytes)
    else out.push(behindHeader(mask, maskedRow(mask, part.cells)))
    bytes = bytes.subarray(size)
    mask.phase = 'rows'
  }
}

function closed(mask: CopyMask, out: Buffer[]): Buffer[] {
  mask.pending = []
  mask.pendingBytes = 0
  mask.phase = 'closed'
  return [...out, behindHeader(mask, BINARY_TRAILER)]
}

/** Bytes behind the header: PostgreSQL sends it in one message with the next part, and drivers count on that. */
function behindHeader(mask: CopyMask, bytes: Buffer): Buffer {
  const { header } = mask
  mask.header = null
  return header === null ? bytes : Buffer.concat([header, bytes])
}

function binaryRowMask(
  scanner: Scanner | null,
  cells: RowMask | null,
): (row: readonly (Buffer | null)[]) => readonly (Buffer | null)[] {
  if (scanner === null) return (row) => row.map(() => null)
  if (cells !== null) return (row) => maskedCells(cells, row) ?? row
  const scan = scanMask({ typeOid: 0, format: 'binary' }, scanner)
  return scan === null
    ? (row) => row
    : (row) => row.map((cell) => (cell === null ? null : scan(cell)))
}

const inFormat = (columns: readonly ResultColumn[], binary: boolean): readonly ResultColumn[] =>
  columns.map((column) => ({ ...column, format: binary ? 'binary' : 'text' }))

const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const END = Buffer.from('\n')
