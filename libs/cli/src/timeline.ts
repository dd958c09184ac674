import { numberedRows } from './copy-data.ts'
import { json } from './json.ts'
import { type Paint, styleOf } from './paint.ts'
import { parameterOf, parametersText } from './parameter.ts'
import { oneLine, printable } from './printable.ts'
import { shortId } from './short-id.ts'
import { cut, table } from './table.ts'
import { momentOf, offset, span } from './time.ts'

export type TimelineOptions = { paint: Paint; startedMs: number; rowsMax: number }

/** One entry of a session's timeline: its time, what happened, who did it, and the results as the agent saw them. */
export function timelineText(entry: unknown, options: TimelineOptions): string {
  const { paint, startedMs } = options
  const kind = json.text(entry, 'kind')
  const at = offset(startedMs, momentOf(json.member(entry, 'at')))
  const who = json.textOrNull(entry, 'who')
  const detail = json.textOrNull(entry, 'detail')
  const durationMs = json.number(entry, 'durationMs')
  // The statements of a pipeline are told together, and their ends too: the id says which is whose.
  const requestId = json.textOrNull(entry, 'requestId')
  const facts = [
    ...(who === null ? [] : [`by ${oneLine(who)}`]),
    ...(detail === null ? [] : [oneLine(detail)]),
    ...(durationMs === null ? [] : [span(durationMs)]),
    ...(requestId === null ? [] : [`request ${shortId(oneLine(requestId))}`]),
  ]
  const head = [at.padStart(11), paint(styleOf(kind), kind.padEnd(13)), facts.join(' · ')]
    .join('  ')
    .trimEnd()
  const text = json.textOrNull(entry, 'text')
  const results = json
    .list(entry, 'results')
    .map((result) => resultText(result, options))
    .join('')
  const statement = text === null ? '' : indented(paint('bold', printable(text)))
  return `${head}\n${statement}${boundText(entry)}${heldDataText(entry, options)}${cutText(entry, options)}${results}${resultsNoteText(entry, options)}`
}

/** The values of the parameters, with their types where these are known. */
function boundText(entry: unknown): string {
  const types = json.list(entry, 'parameterTypes')
  const values = json.list(entry, 'parameters')
  const parameters = values.map((value, index) => {
    const isBinary = json.textOrNull(types[index], 'format') === 'binary'
    const bytes =
      typeof value !== 'string'
        ? null
        : isBinary
          ? Buffer.from(value.slice('\\x'.length), 'hex')
          : Buffer.from(value)
    return parameterOf({ type: json.number(types[index], 'oid') ?? 0, isBinary, bytes })
  })
  return parameters.length === 0 ? '' : indented(parametersText(parameters).trimEnd())
}

/** The note that results are missing, or are not known for certain. */
function resultsNoteText(entry: unknown, { paint }: TimelineOptions): string {
  const note = json.textOrNull(entry, 'resultsNote')
  if (note === null) return ''
  return indented(paint('yellow', `NOT ALL RESULTS ARE SHOWN: ${oneLine(note)}`))
}

/** The note that a statement or its values are too long for a timeline. */
function cutText(entry: unknown, { paint }: TimelineOptions): string {
  const whole = json.textOrNull(entry, 'whole')
  if (whole === null) return ''
  return indented(paint('yellow', `NOT ALL OF IT IS SHOWN: replay has it at ${oneLine(whole)}`))
}

/** The first lines of the data of a COPY that people saw, each with its number. */
function heldDataText(entry: unknown, { paint, rowsMax }: TimelineOptions): string {
  const data = json.textOrNull(entry, 'copyData')
  if (data === null) return ''
  const lines = data.replace(/\n$/, '').split('\n')
  const shown = numberedRows(lines.slice(0, rowsMax).map((line) => cut(line, LINE_MAX)))
  const left = lines.length - rowsMax
  const more = left > 0 ? indented(paint('dim', `… ${left} more lines`)) : ''
  return `${indented(paint('dim', 'with the data'))}${shown}${more}`
}

function resultText(result: unknown, { paint, rowsMax }: TimelineOptions): string {
  if (typeof result !== 'object' || result === null) return ''
  const columns = json.texts(result, 'columns').map(oneLine)
  const rows = json.list(result, 'rows')
  const tag = json.textOrNull(result, 'tag')
  const shown = rows.slice(0, rowsMax).map((row) => (Array.isArray(row) ? row.map(cell) : []))
  const more =
    rows.length > rowsMax ? indented(paint('dim', `… ${rows.length - rowsMax} more rows`)) : ''
  const rules = columns.map((column) => '-'.repeat([...column].length))
  // The columns of a COPY, and of what was described before, have no names here.
  const [first, ...others] = columns.length === 0 ? shown : [columns, rules, ...shown]
  const body = first === undefined ? '' : indented(table(first, others).trimEnd())
  const error = json.textOrNull(result, 'error')
  const ends = [
    ...(tag === null ? [] : [paint('dim', oneLine(tag))]),
    ...(error === null ? [] : [paint('red', oneLine(error))]),
  ]
  return `${body}${more}${ends.map(indented).join('')}`
}

const cell = (value: unknown): string =>
  value === null
    ? '∅'
    : cut(oneLine(typeof value === 'string' ? value : JSON.stringify(value)), CELL_MAX)

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `${' '.repeat(13)}${line}\n`)
    .join('')

const CELL_MAX = 60
const LINE_MAX = 200
