import { isUtf8 } from 'node:buffer'
import { decodeSubject, digestOf, type RequestSubject } from '@countersign/contracts'
import { messageOf } from '@countersign/kernel'
import type { Context } from './context.ts'
import { copyDataJson, type CopyDataOptions, copyDataText } from './copy-data.ts'
import { answerOf } from './http.ts'
import { json } from './json.ts'
import type { Paint } from './paint.ts'
import {
  BARE_TYPES,
  type Parameter,
  parameterOf,
  parametersText,
  quoted,
  shownBytes,
} from './parameter.ts'
import type { TargetTypes } from './postgres-value.ts'
import { oneLine, printable } from './printable.ts'

/** The bytes that a request asks for, decoded, or why they cannot be shown. */
export type Exact =
  | { readonly status: 'seen'; readonly subject: RequestSubject; readonly types: TargetTypes }
  | { readonly status: 'missing' | 'different'; readonly why: string }

/**
 * The statement and parameters of a request, from replay. They are decoded from the very bytes that the digest of the
 * request is computed over here, so that neither replay nor the console can show something else.
 */
export async function exactRequest(context: Context, request: unknown): Promise<Exact> {
  const sessionId = encodeURIComponent(json.text(request, 'sessionId'))
  const requestId = encodeURIComponent(json.text(request, 'requestId'))
  try {
    const url = `${context.replayUrl()}/v1/sessions/${sessionId}/requests/${requestId}`
    const subject = json.textOrNull(
      await answerOf({ url, token: await context.token(), limitMs: FOUND_MS_MAX }),
      'subject',
    )
    if (subject === null) return { status: 'missing', why: 'the key of its session was erased' }
    return checked(Buffer.from(subject, 'base64'), request)
  } catch (thrown) {
    return { status: 'missing', why: messageOf(thrown) }
  }
}

function checked(bytes: Buffer, request: unknown): Exact {
  const found = digestOf(bytes)
  if (found === json.text(request, 'digest'))
    return { status: 'seen', subject: decodeSubject(bytes), types: typesOf(request) }
  return { status: 'different', why: `replay has other bytes; their digest is ${found}` }
}

/** The types of the target that the values have. */
const typesOf = (request: unknown): TargetTypes =>
  new Map(
    json.list(request, 'valueTypes').map((type) => [
      json.number(type, 'oid') ?? 0,
      {
        name: oneLine(json.text(type, 'name')),
        kind: json.text(type, 'kind'),
        of: json.number(type, 'of') ?? 0,
      },
    ]),
  )

/** The statement and its parameters, whole, and the data of a COPY; or loudly that they cannot be shown. */
export function exactText(
  exact: Exact,
  paint: Paint,
  data: Omit<CopyDataOptions, 'paint'> = { isWhole: true, wholeBy: '' },
): string {
  if (exact.status !== 'seen') {
    const what = exact.status === 'different' ? 'IS NOT WHAT WAITS' : 'CANNOT BE SHOWN'
    return `  ${paint('red', `THE EXACT STATEMENT ${what}`)}: ${oneLine(exact.why)}\n`
  }
  const { text, kind, rowsMax, copyData } = exact.subject
  const limit = rowsMax === 0 ? '' : `, ${rowsMax} rows at a time`
  const head = `  ${paint('dim', 'exactly'.padEnd(10))}${kind}, ${text.length} bytes${limit}; the digest is of this:\n`
  const rendered = renderedText(exact)
  const values =
    rendered === null
      ? ''
      : `  ${paint('dim', 'rendered'.padEnd(10))}with the values in place, to read only:\n${indented(rendered)}`
  const copied = copyData === null ? '' : copyDataText(copyData, { paint, ...data })
  return `${head}${indented(shownBytes(text))}${executesText(exact.subject, paint)}${parametersText(parametersOf(exact))}${values}${settingsText(exact.subject.settings, paint)}${copied}`
}

/** The statement that an EXECUTE runs. */
const executesText = ({ executes }: RequestSubject, paint: Paint): string =>
  executes.map(({ text }) => `  ${paint('dim', 'executes'.padEnd(10))}\n${indented(text)}`).join('')

/** The settings under which the text is read, where they are not the target's own. */
const settingsText = (settings: RequestSubject['settings'], paint: Paint): string =>
  settings
    .map(
      ({ name, value }) =>
        `  ${paint('dim', 'under'.padEnd(10))}${oneLine(name)} = ${quoted(printable(value))}\n`,
    )
    .join('')

/** The same for programs. */
export const exactJson = (exact: Exact): object =>
  exact.status === 'seen'
    ? {
        status: exact.status,
        kind: exact.subject.kind,
        text: shownBytes(exact.subject.text),
        parameters: parametersOf(exact),
        rendered: renderedText(exact),
        rowsMax: exact.subject.rowsMax,
        settings: exact.subject.settings,
        copyData: exact.subject.copyData === null ? null : copyDataJson(exact.subject.copyData),
        executes: exact.subject.executes,
      }
    : exact

type Seen = Extract<Exact, { status: 'seen' }>

/** One format stands for all parameters, as in Bind. */
const parametersOf = ({ subject, types }: Seen): readonly Parameter[] =>
  subject.parameters.map((bytes, index) => {
    const formats = subject.parameterFormats
    const isBinary = (formats.length === 1 ? formats[0] : formats[index]) === 1
    // The target keeps a type that the client declared, and chooses the others.
    const type = subject.parameterTypes[index] || (subject.valueTypes[index] ?? 0)
    return parameterOf({ type, isBinary, bytes }, types)
  })

/**
 * The statement with the values in the places of the parameters, for people to read; it is not what runs, and nothing is
 * decided on it. Method: `$1` outside of literals, names and comments. Null where there are no values, and where it would be
 * much longer than the statement: a long value may stand in many places.
 */
function renderedText(exact: Seen): string | null {
  const { subject } = exact
  const values = parametersOf(exact).map(inPlace)
  if (values.length === 0 || !isUtf8(subject.text)) return null
  const text = subject.text.toString('utf8')
  let left = RENDERED_MORE_MAX
  const rendered = text.replace(
    PARAMETERS,
    (found: string, _tag: unknown, number: string | undefined) => {
      const value = number === undefined ? undefined : values[Number(number) - 1]
      if (value === undefined || left < 0) return found
      left -= value.length
      return left < 0 ? found : value
    },
  )
  return rendered === text || left < 0 ? null : rendered
}

/** The values may add at most so many characters to the statement. */
const RENDERED_MORE_MAX = 1_048_576

function inPlace(parameter: Parameter): string {
  const { value, typeName } = parameter
  if (value === null) return 'NULL'
  if (parameter.isRead && BARE_TYPES.has(typeName ?? '')) return oneLine(value)
  return `'${value.replaceAll("'", "''")}'`
}

/** A literal, a name or a comment, which are left as they are, or a parameter. */
const PARAMETERS =
  /[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n\r]*|\/\*[^]*?\*\/|\$([A-Za-z_]\w*)?\$[^]*?\$\1?\$|[A-Za-z_][\w$]*|\$(\d+)/g

const indented = (text: string): string =>
  printable(text)
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('')

/** Longer than replay looks for a request in a long session. */
const FOUND_MS_MAX = 75_000
