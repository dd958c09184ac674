import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Paint } from './paint.ts'
import { printable } from './printable.ts'

export type CopyDataOptions = {
  readonly paint: Paint
  /** Everything, however long it is. */
  readonly isWhole: boolean
  /** The command that shows everything. */
  readonly wholeBy: string
}

/**
 * The data of a COPY that people approve with it: their size and hash, and the first lines, each with its number and wrapped
 * before a terminal does it, so that none can pass for another or for another part of the page. It says what is left out.
 */
export function copyDataText(bytes: Buffer, { paint, isWhole, wholeBy }: CopyDataOptions): string {
  const lines = linesOf(bytes)
  const shown: string[] = []
  let left = isWhole ? Infinity : CHARACTERS_SHOWN_MAX
  for (const line of isWhole ? lines : lines.slice(0, LINES_SHOWN_MAX)) {
    if (left <= 0) break
    const begun = line.length <= left ? line : line.slice(0, left)
    left -= line.length
    shown.push(begun)
  }
  const isCut = left < 0 || shown.length < lines.length
  const head = `  ${paint('dim', 'data'.padEnd(10))}${said(bytes, lines.length)}; the digest is of these too:\n`
  const more = `    ${paint('yellow', 'NOT ALL OF THEM ARE SHOWN')}: ${wholeBy}\n`
  return `${head}${numberedRows(shown)}${isCut ? more : ''}`
}

/** The same for programs, whole. */
export const copyDataJson = (bytes: Buffer): object => ({
  bytes: bytes.length,
  sha256: hashOf(bytes),
  lines: linesOf(bytes).length,
  text: isUtf8(bytes) ? bytes.toString('utf8') : null,
  base64: bytes.toString('base64'),
})

/** Lines of data, each with its number, so that none passes for a line of ours. */
export const numberedRows = (lines: readonly string[]): string =>
  lines.map((line, index) => rowsOf(line, String(index + 1))).join('')

const said = (bytes: Buffer, lines: number): string => {
  const parts = isUtf8(bytes) ? `${lines} lines` : 'no text, in hexadecimal'
  return `${bytes.length} bytes, ${parts}, SHA-256 ${hashOf(bytes)}`
}

/** Lines of text; of other bytes than UTF-8 lines of 32 bytes, as a replacement character could stand for anything. */
function linesOf(bytes: Buffer): string[] {
  if (!isUtf8(bytes)) return bytes.toString('hex').match(/.{1,64}/g) ?? []
  const lines = bytes.toString('utf8').split('\n')
  // The line feed at the end begins no further line.
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** A line of data in rows of a terminal: the first with its number, those that go on with a mark. */
function rowsOf(line: string, number: string): string {
  const rows = ['']
  let columns = 0
  for (const character of printable(
    line.replaceAll(TAB_SHOWN, '\\u21e5').replaceAll('\t', TAB_SHOWN),
  )) {
    // Characters outside of ASCII may be two columns wide.
    const width = character <= '~' ? 1 : 2
    if (columns + width > COLUMNS_MAX) {
      rows.push('')
      columns = 0
    }
    rows[rows.length - 1] += character
    columns += width
  }
  return rows.map((row, at) => `${(at === 0 ? number : '+').padStart(8)}  ${row}\n`).join('')
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const TAB_SHOWN = '\u21e5'
/** So many columns, with the number before them, fit into the 80 of a terminal. */
const COLUMNS_MAX = 68
const LINES_SHOWN_MAX = 20
const CHARACTERS_SHOWN_MAX = 4_000
