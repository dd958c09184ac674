import { isUtf8 } from 'node:buffer'
import {
  cellsOf,
  type Column,
  columnsOf,
  commandTagOf,
  copyDataOf,
  errorFieldsOf,
  receiveServer,
  type ServerFrame,
  serverSide,
} from '@countersign/postgres-wire'
import type { RequestResult } from './entry.ts'

/** One result in the answers of a target, with the number of all its rows, and whether its end is here too. */
export type Answer = {
  readonly result: RequestResult
  readonly rows: number
  readonly isEnded: boolean
}

/**
 * The results that the agent saw, from the bytes of the transcript, each with its first rows: one for each statement that
 * ended with a tag or an error, that was empty, or that stopped at a limit of rows. Known limits, exercised by tests:
 * bytes that are no frame hide all after them; where different descriptions come before rows, their columns are not known.
 */
export function answersIn(chunks: readonly Buffer[], answersMax: number): readonly Answer[] {
  // bound: answersMax
  const answers: Answer[] = []
  let seen = newSeen()
  let engine = serverSide()
  for (const chunk of chunks) {
    const [next, frames] = receiveServer(engine, chunk)
    engine = next
    for (const frame of frames) {
      if (!('raw' in frame)) continue
      see(seen, frame)
      if (!ENDS.has(frame.tag)) continue
      answers.push(answerOf(seen, true))
      if (answers.length === answersMax) return answers
      seen = newSeen()
    }
  }
  if (seen.count > 0 || seen.rows.length > 0) answers.push(answerOf(seen, false))
  return answers
}

const answerOf = (seen: Seen, isEnded: boolean): Answer => ({
  result: {
    columns: (seen.columns ?? []).map(({ name }) => name),
    rows: seen.rows,
    truncated: seen.truncated || !isEnded,
    tag: seen.tag,
    error: seen.error,
  },
  rows: seen.count,
  isEnded,
})

const newSeen = (): Seen => ({
  description: null,
  columns: null,
  rows: [],
  count: 0,
  truncated: false,
  tag: null,
  error: null,
})

type Seen = {
  /** The description of the columns that came last. */
  description: Buffer | null
  /** Null when they are not known. */
  columns: readonly Pick<Column, 'name' | 'format'>[] | null
  rows: (readonly (string | null)[])[]
  /** The rows, without those of a COPY. */
  count: number
  truncated: boolean
  tag: string | null
  error: string | null
}

function see(seen: Seen, frame: ServerFrame): void {
  switch (frame.tag) {
    case 'T': {
      const columns = columnsOf(frame)
      if (!columns.ok) return
      // A description of a statement can be of another one than is executed next.
      const isOther = seen.description !== null && !seen.description.equals(frame.raw)
      seen.description = frame.raw
      seen.columns = isOther ? null : columns.value
      return
    }
    case 'D': {
      seen.count++
      const cells = cellsOf(frame)
      if (!cells.ok) return
      if (seen.columns?.length !== cells.value.length) seen.columns = null
      const { columns } = seen
      keep(
        seen,
        cells.value.map((cell, index) => textOf(cell, columns?.[index])),
      )
      return
    }
    case 'd': {
      const data = copyDataOf(frame)
      if (data.ok) keep(seen, [data.value.toString('utf8').replace(/\n$/, '')])
      return
    }
    case 'C': {
      const tag = commandTagOf(frame)
      if (tag.ok) seen.tag = tag.value
      return
    }
    case 'E': {
      const fields = errorFieldsOf(frame)
      if (!fields.ok) return
      const [severity, message, code] = ['S', 'M', 'C'].map((letter) => fields.value.get(letter))
      seen.error = `${severity ?? 'ERROR'}: ${message ?? 'unknown'} (${code ?? 'XX000'})`
      return
    }
    default:
    // All other frames say nothing about the result.
  }
}

function keep(seen: Seen, row: readonly (string | null)[]): void {
  if (seen.rows.length < ROWS_MAX) seen.rows.push(row)
  else seen.truncated = true
}

function textOf(cell: Buffer | null, column: Pick<Column, 'format'> | undefined): string | null {
  if (cell === null) return null
  const isText = column === undefined ? isUtf8(cell) : column.format === 'text'
  return isText ? cell.toString('utf8') : `\\x${cell.toString('hex')}`
}

/** CommandComplete, EmptyQueryResponse, PortalSuspended and ErrorResponse end the answer of one statement. */
const ENDS: ReadonlySet<string> = new Set(['C', 'I', 's', 'E'])
const ROWS_MAX = 50
