/** The form in which a COPY writes its rows as text. */
export type CopyFormat = {
  readonly kind: 'text' | 'csv'
  readonly delimiter: string
  readonly quote: string
  readonly escape: string
  readonly nullString: string
  readonly header: boolean
}

/** One field of a line: its text as it stands there, and its value, null for NULL. Both are latin1 of the bytes. */
export type Field = { readonly raw: string; readonly value: string | null }

/** The fields of a line. The line is latin1, so that each char is a byte. */
export const fieldsOf = (format: CopyFormat, line: string): Field[] =>
  format.kind === 'csv' ? csvFields(format, line) : textFields(format, line)

/** The text of a field for a value. */
export function fieldFrom(format: CopyFormat, value: string | null): string {
  if (value === null) return format.nullString
  if (format.kind === 'text') return escaped(value, format.delimiter)
  const { quote, escape } = format
  const inner = [...value].map((char) => (char === quote || char === escape ? escape + char : char))
  return quote + inner.join('') + quote
}

/** Text as COPY escapes it. */
export const escaped = (value: string, delimiter: string): string =>
  [...value].map((char) => ESCAPES.get(char) ?? (char === delimiter ? `\\${char}` : char)).join('')

/** The value that escaped text stands for. */
export const unescaped = (raw: string): string =>
  raw.includes('\\')
    ? raw.replace(/\\([\s\S])/g, (_all, char: string) => UNESCAPES.get(char) ?? char)
    : raw

function textFields(format: CopyFormat, line: string): Field[] {
  const fields: Field[] = []
  let start = 0
  for (let i = 0; i <= line.length; i++) {
    if (line[i] === '\\') i++
    else if (i === line.length || line[i] === format.delimiter) {
      const raw = line.slice(start, i)
      fields.push({ raw, value: raw === format.nullString ? null : unescaped(raw) })
      start = i + 1
    }
  }
  // No server writes a line that ends in a lone backslash, but such a line is a field all the same.
  if (start <= line.length && line.endsWith('\\') && fields.length === 0)
    return [{ raw: line, value: line }]
  return fields
}

function csvFields(format: CopyFormat, line: string): Field[] {
  const { delimiter, quote, escape, nullString } = format
  // bound: as long as one line
  const fields: Field[] = []
  let raw = ''
  let value = ''
  let isQuoted = false
  let hasQuotes = false
  const close = (): void => {
    fields.push({ raw, value: !hasQuotes && raw === nullString ? null : value })
    raw = ''
    value = ''
    hasQuotes = false
  }
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i)
    const next = line.charAt(i + 1)
    if (!isQuoted && char === delimiter) {
      close()
      continue
    }
    raw += char
    if (isQuoted && char === escape && (next === quote || next === escape)) {
      raw += next
      value += next
      i++
    } else if (char === quote) {
      isQuoted = !isQuoted
      hasQuotes = true
    } else value += char
  }
  close()
  return fields
}

const UNESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
])
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ...[...UNESCAPES].map(([letter, char]): [string, string] => [char, `\\${letter}`]),
])
