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

/**
 * The answer to a request as the agent saw it, from the bytes of its transcript. Of several results the last one with
 * columns is shown, with its first rows. Known limit, exercised by a test: bytes that are no frame hide all after them.
 */
export function resultOf(chunks: readonly Buffer[]): RequestResult | null {
  if (chunks.length === 0) return null
  const seen: Seen = { columns: [], rows: [], truncated: false, tag: null, error: null }
  let engine = serverSide()
  for (const chunk of chunks) {
    const [next, frames] = receiveServer(engine, chunk)
    engine = next
    for (const frame of frames) if ('raw' in frame) see(seen, frame)
  }
  return { ...seen, columns: seen.columns.map(({ name }) => name) }
}

type Seen = {
  columns: readonly Pick<Column, 'name' | 'format'>[]
  rows: (readonly (string | null)[])[]
  truncated: boolean
  tag: string | null
  error: string | null
}

function see(seen: Seen, frame: ServerFrame): void {
  switch (frame.tag) {
    case 'T': {
      const columns = columnsOf(frame)
      if (!columns.ok) return
      seen.columns = columns.value
      seen.rows = []
      seen.truncated = false
      return
    }
    case 'D': {
      const cells = cellsOf(frame)
      if (cells.ok)
        keep(
          seen,
          cells.value.map((cell, index) => textOf(cell, seen.columns[index])),
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
  return column?.format === 'binary' ? `\\x${cell.toString('hex')}` : cell.toString('utf8')
}

const ROWS_MAX = 50
