import { NO_RULES } from '@countersign/catalog'
import type { MaskingPlanned } from '@countersign/contracts'
import {
  type AnswersTo,
  type ColumnMask,
  type CopyMask,
  copyMask,
  type CopyOptions,
  copyState,
  type CopyState,
  isMaskedWhole,
  isUnplanned,
  maskCopyChunk,
  maskCopyEnd,
  maskedCells,
  maskMessage,
  maskText,
  mayQuoteRows,
  type NamedRelation,
  passesUnseen,
  type RowMask,
  rowMask,
  resumeCopy,
  searchedBytes,
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
import type { AnswerTaint } from './answer-taint.ts'
import type { OwnPlan } from './own-changes.ts'
import { machineFields } from './refusal.ts'
import { NOTICES } from './sql-states.ts'

/** Masks what a target says by the plan of the session, before the agent and the transcript see it. Fails closed. */
export type ResultFilter = {
  readonly plan: MaskingPlanned
  /** Masks a row. `columns` null: nobody described it, so every cell is masked. */
  row(frame: ServerFrame, columns: readonly Column[] | null, taint: Taint): Buffer
  /** The notices that the agent gets before a row that another filter masks with `bareRow`. */
  noticesFor(columns: readonly Column[] | null, taint: Taint): Buffer[]
  /** Masks a row, without notices. */
  bareRow(frame: ServerFrame, columns: readonly Column[] | null, taint: Taint): Buffer
  /**
   * Masks an error, a notice or a notification. `isClosed`: it may quote values of masked columns. `relations`: those of
   * the target, by whose names it may show that it does.
   */
  message(
    frame: ServerFrame,
    isClosed: boolean,
    relations: readonly NamedRelation[],
    answersTo?: AnswersTo,
  ): Buffer
  /** The notice for a statement that ends, fails, or whose portal is suspended: what was masked since the last such notice, and why. */
  statementEnds(): Buffer[]
  /** Notes of what this filter masked of the statement, for `noteMasked` of another one. */
  maskedNotes(): readonly string[]
  noteMasked(notes: readonly string[]): void
  /** Masks the value that the target reports of a setting of the session (ParameterStatus). */
  setting(frame: ServerFrame, isTainted: boolean): Buffer
  copyBegins(frame: ServerFrame, answer: Pick<AnswerTaint, 'isTainted' | 'copyOut'>): void
  /** Masks a piece of copied data; a row that is not complete waits for the next piece. */
  copy(frame: ServerFrame): Buffer[]
  /** The number of bytes that `copy` would search for this frame. */
  searchedBytes(frame: ServerFrame): number
  /** The progress of the copy, so that another filter can go on with it; null when there is none. */
  copyProgress(): CopyProgress | null
  resumeCopy(progress: CopyProgress): void
  /** Ends the copy, and gives the data that still waited, masked. */
  copyEnds(): Buffer[]
}

/** A copy and how far it was read. */
export type CopyProgress = { readonly options: CopyOptions; readonly state: CopyState }

/**
 * True if the computed columns of a result are masked, the columns, from 1, that stay plain even so, views whose columns count
 * as computed, and relations that the plan lacks.
 */
export type Taint = Pick<AnswerTaint, 'isTainted' | 'plainColumns' | 'viewsInDoubt' | 'own'>

/** The columns, those of views in doubt as computed ones. */
const shownBy = (columns: readonly Column[], { viewsInDoubt }: Taint): readonly Column[] =>
  viewsInDoubt.size === 0
    ? columns
    : columns.map((one) => (viewsInDoubt.has(one.tableOid) ? { ...one, tableOid: 0 } : one))

/** The plan with what it lacks of the relations of the session itself. It never has less than the plan. */
function planWith(plan: MaskingPlanned, own: OwnPlan): MaskingPlanned {
  if (own.relations.length === 0) return plan
  const known = WITH_OWN.get(plan)
  if (known?.version === own.version) return known.plan
  const relations = new Map(plan.relations.map((relation) => [relation.oid, relation]))
  for (const relation of own.relations) relations.set(relation.oid, relation)
  const both = {
    ...plan,
    relations: [...relations.values()],
    columns: [...plan.columns, ...own.columns],
  }
  WITH_OWN.set(plan, { version: own.version, plan: both })
  return both
}

const WITH_OWN = new WeakMap<MaskingPlanned, { version: string; plan: MaskingPlanned }>()

/** The filter of a plan. `environment` is named to the agent where no masking rules are for it. */
export function resultFilter(
  plan: MaskingPlanned,
  key: Uint8Array,
  environment: string | null = null,
): ResultFilter {
  /** By the columns, and by the set of relations in doubt, which requests share until the changes are asked for anew. */
  const compiled = new WeakMap<
    readonly Column[],
    WeakMap<ReadonlySet<number>, Map<string, RowMask>>
  >()
  /** Columns that the plan does not know and the agent was not told of, and the tables that it was told of. */
  // bound: one per column of the rows that were not told of yet
  const unplanned: Column[] = []
  // bound: one per table of the target
  const told = new Set<number>()
  let copying: CopyMask | null = null
  const hasNoRules = plan.rulesVersion === NO_RULES
  /** Rows of the statement that were too long to be searched: whether there are some, and whether the agent knows. */
  let tooLongRows: 'none' | 'some' | 'told' = 'none'
  // bound: one per column of a result
  const notes = new Set<string>()
  /** The columns whose notes are there already. */
  // bound: one per column of a result
  let noted = new Set<ColumnMask>()

  const maskOf = (columns: readonly Column[], taint: Taint): RowMask => {
    const { isTainted, plainColumns, viewsInDoubt, own } = taint
    let ofColumns = compiled.get(columns)
    if (ofColumns === undefined) {
      ofColumns = new WeakMap()
      compiled.set(columns, ofColumns)
      unplanned.push(...columns.filter((column) => isUnplanned(planWith(plan, own), column)))
    }
    const masks = ofColumns.get(viewsInDoubt) ?? new Map<string, RowMask>()
    ofColumns.set(viewsInDoubt, masks)
    const name = `${isTainted ? plainColumns.join() : 'untainted'} ${own.version}`
    let mask = masks.get(name)
    if (mask === undefined) {
      const shown = shownBy(columns, taint)
      mask = rowMask(planWith(plan, own), shown, isTainted, key, plainColumns)
      masks.set(name, mask)
    }
    return mask
  }

  /** The mask of a row that is too long to be searched: it is masked whole. */
  const tooLong = (columns: readonly Column[], taint: Taint): RowMask => {
    if (tooLongRows === 'none') tooLongRows = 'some'
    return rowMask({ ...plan, untagged: 'Redact' }, shownBy(columns, taint), taint.isTainted, key)
  }

  const rowOf = (frame: ServerFrame, columns: readonly Column[] | null, taint: Taint): Buffer => {
    const isTooLong = frame.raw.length > DETECTED_ROW_BYTES_MAX && plan.detectors.length > 0
    if (columns !== null && !isTooLong && passesWhole(frame, maskOf(columns, taint)))
      return frame.raw
    const cells = cellsOf(frame)
    if (!cells.ok) return toClient.dataRow([])
    if (columns === null || columns.length !== cells.value.length)
      return toClient.dataRow(cells.value.map(() => null))
    const mask = isTooLong ? tooLong(columns, taint) : maskOf(columns, taint)
    const masked = maskedCells(mask, cells.value)
    if (masked === null) return frame.raw
    for (let i = 0; i < masked.length; i++) {
      const column = columns[i]
      const by = mask[i]
      if (masked[i] === cells.value[i] || by === undefined || noted.has(by)) continue
      noted.add(by)
      const name = column?.name ?? '?'
      // Without rules one reason holds for every column.
      notes.add(hasNoRules ? name : `${name} (${by.why})`)
    }
    return toClient.dataRow(masked)
  }

  const noticeOf = (notice: ErrorFields, code: string): Buffer =>
    toClient.noticeResponse({
      ...notice,
      ...machineFields({ code, requestId: null, sessionId: plan.sessionId }),
    })

  /** Says once for each table why it is masked. */
  const reasons = (): Buffer[] => {
    const columns = unplanned.splice(0).filter(({ tableOid }) => !told.has(tableOid))
    for (const { tableOid } of columns) told.add(tableOid)
    return columns.length === 0 ? [] : [noticeOf(unplannedNotice(columns), 'CS_TABLE_NOT_PLANNED')]
  }

  const noteCopy = (): void => {
    if (copying?.hasMasked !== true) return
    const whole = hasNoRules ? 'every column of the COPY' : COPY_MASKED_WHOLE
    notes.add(isMaskedWhole(copying, plan) ? whole : COPY_MASKED)
  }

  return {
    plan,
    row(frame, columns, taint) {
      const row = rowOf(frame, columns, taint)
      if (tooLongRows === 'some') {
        tooLongRows = 'told'
        return Buffer.concat([noticeOf(TOO_LONG, 'CS_ROW_TOO_LONG'), ...reasons(), row])
      }
      return unplanned.length === 0 ? row : Buffer.concat([...reasons(), row])
    },
    bareRow: rowOf,
    noticesFor(columns, taint) {
      if (columns !== null) maskOf(columns, taint)
      return reasons()
    },
    maskedNotes: () => [...notes],
    noteMasked(others) {
      for (const note of others) notes.add(note)
    },
    statementEnds() {
      tooLongRows = 'none'
      // A COPY that fails has no end of its own.
      noteCopy()
      if (notes.size === 0) return []
      const masked: ErrorFields = {
        severity: 'NOTICE',
        code: NOTICES.masked,
        message: `countersign: masked ${listed([...notes])}${hasNoRules ? ` (${noRulesFor(environment)})` : ''}`,
        ...(hasNoRules ? { hint: NO_RULES_HINT } : {}),
      }
      notes.clear()
      noted = new Set()
      return [noticeOf(masked, 'CS_MASKED')]
    },
    message(frame, isClosed, relations, answersTo) {
      if (frame.tag === 'A') return notification(plan, frame)
      // A COPY that fails is over: nothing ends it any more.
      if (frame.tag === 'E') copying = null
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
      const quotes = isClosed || mayQuoteRows(plan, relations, fields.value)
      return toClient.errorFrame(tag, maskMessage(plan, fields.value, quotes, answersTo))
    },
    setting(frame, isTainted) {
      const status = parameterStatusOf(frame)
      if (!status.ok) return Buffer.alloc(0)
      const { name, value } = status.value
      if (CLOSED_SETTINGS.has(name)) return frame.raw
      // A setting holds one value and no words around it, so nothing tells which part of it was computed.
      const masked = isTainted ? MASKED : maskText(plan, value)
      return masked === value ? frame.raw : toClient.parameterStatus(name, masked)
    },
    copyBegins(frame, { isTainted, copyOut }) {
      const formats = copyFormatsOf(frame)
      const options = formats.ok
        ? {
            binary: formats.value.format === 'binary',
            columnCount: formats.value.columnFormats.length,
          }
        : { binary: false, columnCount: 0 }
      copying = copyMask(
        plan,
        {
          ...options,
          ...fieldsOf(options, isTainted || plan.untagged === 'Redact' ? null : copyOut),
          tainted: isTainted || !formats.ok,
        },
        key,
      )
    },
    copy(frame) {
      const data = copyDataOf(frame)
      if (copying === null || !data.ok) return []
      return maskCopyChunk(copying, data.value).map(toClient.copyData)
    },
    searchedBytes(frame) {
      const data = copyDataOf(frame)
      return copying === null || !data.ok ? 0 : searchedBytes(copying, data.value)
    },
    copyProgress: () =>
      copying === null ? null : { options: copying.options, state: copyState(copying) },
    resumeCopy({ options, state }) {
      copying ??= copyMask(plan, options, key)
      resumeCopy(copying, state)
    },
    copyEnds() {
      if (copying === null) return []
      const rest = maskCopyEnd(copying).map(toClient.copyData)
      noteCopy()
      copying = null
      return rest
    },
  }
}

const noRulesFor = (environment: string | null): string =>
  `no masking rules for ${environment === null ? 'this environment' : `environment ${environment}`}: everything is masked`

/** The columns and the format of a COPY, where they are known and fit what the target says of it. */
function fieldsOf(
  { binary, columnCount }: Pick<CopyOptions, 'binary' | 'columnCount'>,
  copyOut: AnswerTaint['copyOut'],
): Pick<CopyOptions, 'columns' | 'format'> {
  const kind = copyOut?.format
  if (copyOut === null || binary || (kind !== 'text' && kind !== 'csv')) return { columns: null }
  if (copyOut.columns.length !== columnCount) return { columns: null }
  const columns = copyOut.columns.map((column) => ({ ...COMPUTED, ...column }))
  return { columns, format: { ...COPY_FORMATS[kind], kind, header: copyOut.header } }
}

const NO_RULES_HINT =
  'Ask those who keep the catalog for MaskingRules of this environment; open sessions get them at once.'
const COMPUTED = { tableOid: 0, columnAttribute: 0, format: 'text' } as const
/** The signs that PostgreSQL gives the formats. */
const COPY_FORMATS = {
  text: { delimiter: '\t', quote: '"', escape: '"', nullString: '\\N' },
  csv: { delimiter: ',', quote: '"', escape: '"', nullString: '' },
} as const

const unplannedNotice = (columns: readonly Column[]): ErrorFields => ({
  severity: 'NOTICE',
  code: NOTICES.tableNotPlanned,
  message: `countersign: masked whole, because the masking plan of this session does not know the table: ${columns.map(({ name }) => name).join(', ')}`,
  hint: 'It was made or changed since: end the transaction, or connect again. Temporary tables stay masked.',
})

/** True if a row passes as it is: most rows hold nothing to mask, which their bytes show. */
function passesWhole(frame: ServerFrame, masks: RowMask): boolean {
  const { raw } = frame
  return everyCell(frame, masks.length, (column, start, end) =>
    passesUnseen(masks[column], raw, start, end),
  )
}

/** A notification carries what some other session wrote: it is searched as text is. Moving masked columns into one is blocked. */
function notification(plan: MaskingPlanned, frame: ServerFrame): Buffer {
  const read = notificationOf(frame)
  if (!read.ok) return Buffer.alloc(0)
  const { processId, channel, payload } = read.value
  return toClient.notificationResponse(processId, channel, maskText(plan, payload))
}

/** The longest row that is searched by detectors, in bytes; a longer one is masked whole. */
export const DETECTED_ROW_BYTES_MAX = 64 * 1024 * 1024

const TOO_LONG: ErrorFields = {
  severity: 'NOTICE',
  code: NOTICES.rowTooLong,
  message: `countersign: masked whole, because a row of more than ${DETECTED_ROW_BYTES_MAX} bytes is not searched for secrets`,
  hint: 'Ask for a part of the value, with substring().',
}

/** The notes as the agent is told them: not all of a result with hundreds of columns. */
function listed(notes: readonly string[]): string {
  const more = notes.length - NOTES_MAX
  const named = notes.slice(0, NOTES_MAX).join(', ')
  return more <= 0 ? named : `${named} and ${more} more ${more === 1 ? 'column' : 'columns'}`
}

/** The most columns that the notice of a statement names. */
const NOTES_MAX = 20

const COPY_MASKED_WHOLE =
  'every column of the COPY (it reads masked columns, and a COPY does not say which of its fields they are: use SELECT)'
const COPY_MASKED = 'fields of the COPY (detectors)'

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
