import type { MaskingPlanned } from '@countersign/contracts'
import {
  type CopyMask,
  copyMask,
  isUnplanned,
  maskCopyChunk,
  maskCopyEnd,
  maskedCells,
  maskMessage,
  passesUnseen,
  type RowMask,
  rowMask,
} from '@countersign/masking-plan'
import {
  cellsOf,
  type Column,
  copyDataOf,
  copyFormatsOf,
  type ErrorFields,
  errorFieldsOf,
  everyCell,
  notificationOf,
  parameterStatusOf,
  type ServerFrame,
  toClient,
} from '@countersign/postgres-wire'

/** Masks what a target says by the plan of the session, before the agent and the transcript see it. Fails closed. */
export type ResultFilter = {
  /** A row. `columns` null: nobody described it, so every cell is masked. */
  row(frame: ServerFrame, columns: readonly Column[] | null, isTainted: boolean): Buffer
  /** An error, a notice or a notification. */
  message(frame: ServerFrame, isTainted: boolean): Buffer
  /** What the target says of a setting of the session. */
  setting(frame: ServerFrame, isTainted: boolean): Buffer
  copyBegins(frame: ServerFrame, isTainted: boolean): void
  /** A piece of copied data; a row that is not complete waits for the next piece. */
  copy(frame: ServerFrame): Buffer[]
  /** What still waits when the copy ends. */
  copyEnds(): Buffer[]
}

export function resultFilter(plan: MaskingPlanned, key: Uint8Array): ResultFilter {
  const compiled = new WeakMap<readonly Column[], { plain: RowMask; tainted: RowMask }>()
  /** Columns whose mask the agent is not yet told the reason of, and tables that it was told about. */
  const unplanned: Column[] = []
  const told = new Set<number>()
  let copying: CopyMask | null = null

  const maskOf = (columns: readonly Column[], isTainted: boolean): RowMask => {
    let masks = compiled.get(columns)
    if (masks === undefined) {
      masks = {
        plain: rowMask(plan, columns, false, key),
        tainted: rowMask(plan, columns, true, key),
      }
      compiled.set(columns, masks)
      unplanned.push(...columns.filter((column) => isUnplanned(plan, column)))
    }
    return isTainted ? masks.tainted : masks.plain
  }

  const rowOf = (
    frame: ServerFrame,
    columns: readonly Column[] | null,
    isTainted: boolean,
  ): Buffer => {
    if (columns !== null && passesWhole(frame, maskOf(columns, isTainted))) return frame.raw
    const cells = cellsOf(frame)
    if (!cells.ok) return toClient.dataRow([])
    if (columns === null || columns.length !== cells.value.length)
      return toClient.dataRow(cells.value.map(() => null))
    const masked = maskedCells(maskOf(columns, isTainted), cells.value)
    return masked === null ? frame.raw : toClient.dataRow(masked)
  }

  /** Says once for each table why it is masked. */
  const reasons = (): Buffer[] => {
    const columns = unplanned.splice(0).filter(({ tableOid }) => !told.has(tableOid))
    for (const { tableOid } of columns) told.add(tableOid)
    return columns.length === 0 ? [] : [toClient.noticeResponse(unplannedNotice(columns))]
  }

  return {
    row(frame, columns, isTainted) {
      const row = rowOf(frame, columns, isTainted)
      return unplanned.length === 0 ? row : Buffer.concat([...reasons(), row])
    },
    message(frame, isTainted) {
      if (frame.tag === 'A') return notification(plan, frame)
      const fields = errorFieldsOf(frame)
      const tag = frame.tag === 'N' ? 'N' : 'E'
      if (!fields.ok)
        return toClient.errorFrame(
          tag,
          new Map([
            ['S', 'ERROR'],
            ['V', 'ERROR'],
            ['C', 'XX000'],
            ['M', MASKED],
          ]),
        )
      const masked = new Map<string, string>()
      for (const [letter, text] of fields.value) {
        masked.set(letter, FREE_TEXT.has(letter) ? maskMessage(plan, text, isTainted) : text)
      }
      return toClient.errorFrame(tag, masked)
    },
    setting(frame, isTainted) {
      const status = parameterStatusOf(frame)
      if (!status.ok) return Buffer.alloc(0)
      const { name, value } = status.value
      if (CLOSED_SETTINGS.has(name)) return frame.raw
      // A setting holds one value and no words around it, so nothing tells which part of it was computed.
      const masked = isTainted ? MASKED : maskMessage(plan, value, false)
      return masked === value ? frame.raw : toClient.parameterStatus(name, masked)
    },
    copyBegins(frame, isTainted) {
      const formats = copyFormatsOf(frame)
      const options = formats.ok
        ? {
            binary: formats.value.format === 'binary',
            columnCount: formats.value.columnFormats.length,
          }
        : { binary: false, columnCount: 0 }
      copying = copyMask(
        plan,
        { ...options, tainted: isTainted || !formats.ok, columns: null },
        key,
      )
    },
    copy(frame) {
      const data = copyDataOf(frame)
      if (copying === null || !data.ok) return []
      return maskCopyChunk(copying, data.value).map(toClient.copyData)
    },
    copyEnds() {
      if (copying === null) return []
      const rest = maskCopyEnd(copying).map(toClient.copyData)
      copying = null
      return rest
    },
  }
}

const unplannedNotice = (columns: readonly Column[]): ErrorFields => ({
  severity: 'NOTICE',
  code: '00000',
  message: `countersign: masked whole, because the masking plan of this session does not know the table: ${columns.map(({ name }) => name).join(', ')}`,
  hint: 'It was made or changed since: end the transaction, or connect again. Temporary tables stay masked.',
})

/** Most rows hold nothing to mask, which their bytes show. */
function passesWhole(frame: ServerFrame, masks: RowMask): boolean {
  const { raw } = frame
  return everyCell(frame, masks.length, (column, start, end) =>
    passesUnseen(masks[column], raw, start, end),
  )
}

/** A notification carries what some other session wrote: nobody knows what it touched. */
function notification(plan: MaskingPlanned, frame: ServerFrame): Buffer {
  const read = notificationOf(frame)
  if (!read.ok) return Buffer.alloc(0)
  const { processId, channel, payload } = read.value
  return toClient.notificationResponse(processId, channel, maskMessage(plan, payload, true))
}

const MASKED = '[masked]'

/** Settings whose values the target itself limits, or the session ends when they change. Any other may hold any text. */
const CLOSED_SETTINGS: ReadonlySet<string> = new Set([
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'IntervalStyle',
  'is_superuser',
  'scram_iterations',
  'search_path',
  'server_encoding',
  'server_version',
  'session_authorization',
  'standard_conforming_strings',
])

/** Message, Detail, Hint, Where, internal query: text that may quote values. Names of columns and tables stay. */
const FREE_TEXT: ReadonlySet<string> = new Set(['M', 'D', 'H', 'W', 'q'])
