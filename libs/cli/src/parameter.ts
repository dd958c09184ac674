import { isUtf8 } from 'node:buffer'
import { postgresType, postgresValue, type TargetTypes } from './postgres-value.ts'
import { oneLine, printable } from './printable.ts'

/** A parameter of a statement, as it is shown. */
export type Parameter = {
  /** The OID that was declared; 0 leaves it to the target. */
  readonly type: number
  /** The name of the type; null where it is not known. */
  readonly typeName: string | null
  readonly format: 'binary' | 'text'
  /** The text that PostgreSQL gives for the value; its bytes where that is not known. */
  readonly value: string | null
  /** True if `value` is what the bytes stand for, or only the bytes. */
  readonly isRead: boolean
}

/** The parameter that these bytes of a Bind are. */
export function parameterOf(
  { type, isBinary, bytes }: { type: number; isBinary: boolean; bytes: Buffer | null },
  types?: TargetTypes,
): Parameter {
  const known = { type, typeName: postgresType(type, types) }
  if (bytes === null)
    return { ...known, format: isBinary ? 'binary' : 'text', value: null, isRead: true }
  if (!isBinary)
    return { ...known, format: 'text', value: shownBytes(bytes), isRead: isUtf8(bytes) }
  const { text } = postgresValue(type, bytes, types)
  return { ...known, format: 'binary', value: text ?? hex(bytes), isRead: text !== null }
}

/** Each parameter on a line of its own: its place, its type and its value. */
export function parametersText(parameters: readonly Parameter[]): string {
  return parameters
    .map((parameter, index) => {
      const { type, typeName, format, isRead } = parameter
      const declared = typeName ?? (type === 0 ? null : `type ${type}`)
      const bytes = isRead ? null : `${format}, its bytes`
      const said = [declared, bytes].filter((each) => each !== null).join(', ')
      return `    $${index + 1}${said === '' ? '' : ` ${said}`} = ${shownValue(parameter)}\n`
    })
    .join('')
}

/** Numbers and truth values as they are; all else in quotes, so that its end is seen. */
function shownValue({ value, typeName, isRead }: Parameter): string {
  if (value === null) return 'NULL'
  return isRead && BARE_TYPES.has(typeName ?? '') ? oneLine(value) : quoted(printable(value))
}

/** The types whose values are shown without quotes. */
export const BARE_TYPES: ReadonlySet<string> = new Set([
  ...['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'boolean', 'oid'],
])

/** Text as it is; bytes that are not UTF-8 in hexadecimal, since a replacement character could stand for anything. */
export const shownBytes = (bytes: Buffer): string =>
  isUtf8(bytes) ? bytes.toString('utf8') : hex(bytes)

const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

/** A line feed in a value must not look like the next parameter. */
export const quoted = (text: string): string =>
  `'${text.replaceAll('\n', '\\n').replaceAll('\t', '\\t')}'`
