import { keepNewest } from '@countersign/kernel'
import {
  type Column,
  columnsOf,
  commandTagOf,
  errorFieldsOf,
  parameterTypesOf,
  rowCountOf,
  type ServerFrame,
  type TransactionStatus,
  transactionStatusOf,
} from '@countersign/postgres-wire'

/** A message that was forwarded and that the target will answer. */
export type Step = {
  readonly tag: 'Query' | 'Parse' | 'Bind' | 'Describe' | 'Execute' | 'Close' | 'Sync'
  /** The request that it runs, by its place in the exchange's list; null when it runs none. */
  readonly request: number | null
  /** The name that it is about: a portal for Bind, Describe and Execute. */
  readonly portal: string | null
  /** Countersign asked itself; the client must not see the answer. */
  readonly isOurs: boolean
  /** Countersign asked on behalf of what the agent sent next: the answer is hidden, but its error is the agent's. */
  readonly isForAgent?: boolean
  /** Called when the target confirmed it. */
  confirmed?(): void
  /** Called with the types of the parameters, as the target describes them. */
  typed?(types: readonly number[]): void
  /** Gives the message that the agent gets instead of the target's error at this step; null where it gets that. */
  instead?(fields: ReadonlyMap<string, string>): Buffer | null
  /** Called with the fields of the error with which the target failed at it. */
  failed?(fields: ReadonlyMap<string, string>): void
}

/** The end of a request: its outcome, and the size of its answer. */
export type Ended = {
  readonly request: number
  readonly outcome: 'Succeeded' | 'Failed' | 'Aborted'
  readonly commandTag: string | null
  readonly sqlState: string | null
  readonly rows: number
  readonly resultBytes: number
}

/** The verdict on a frame of the target: whether it is passed on, masked, dropped or replaced, and what it means. */
export type Verdict =
  | { readonly do: 'pass' }
  | { readonly do: 'drop' }
  | { readonly do: 'row'; readonly columns: readonly Column[] | null }
  | { readonly do: 'ourRow' }
  | { readonly do: 'message' }
  /** The agent is told this instead. */
  | { readonly do: 'instead'; readonly bytes: Buffer }
  | { readonly do: 'setting' }
  /** The target asks for data; `syncs` are those that it ignores meanwhile, and no longer answers. */
  | { readonly do: 'copyIn'; readonly syncs: readonly Step[] }
  | { readonly do: 'copyOut' }
  | { readonly do: 'copyRow' }
  | { readonly do: 'copyEnd' }
  | { readonly do: 'ready'; readonly status: TransactionStatus; readonly isOurs: boolean }
  | { readonly do: 'violation'; readonly why: string }

/**
 * Follows the answers of the target to what was forwarded, so that each row, error and end is known to belong to a
 * request. Mutable: it is on the path of every row.
 */
export type Exchange = {
  readonly steps: Step[]
  /** The ends of requests that nothing has taken out yet. */
  readonly ended: Ended[]
  /** The columns of each portal, as described last. Those of a simple query stand under null. */
  readonly columns: Map<string | null, readonly Column[] | null>
  /** The columns that were described before, by the bytes of their description. */
  readonly descriptions: Map<string, readonly Column[]>
  /** The target takes data now. */
  copyIn: boolean
  /** An error came: what was forwarded up to Sync is skipped by the target. */
  skipping: boolean
  sqlState: string | null
  commandTag: string | null
  rows: number
  /** Rows that the agent was sent in this transaction, by whichever messages; the caller resets it at its end. */
  rowsSent: number
  resultBytes: number
}

export const newExchange = (): Exchange => ({
  steps: [],
  ended: [],
  // bound: COLUMNS_MAX
  columns: new Map(),
  // bound: DESCRIPTIONS_MAX
  descriptions: new Map(),
  copyIn: false,
  skipping: false,
  sqlState: null,
  commandTag: null,
  rows: 0,
  rowsSent: 0,
  resultBytes: 0,
})

/** True if everything that was forwarded is answered. After an error the target still waits for Sync: see `skipping`. */
export const isSettled = (exchange: Exchange): boolean => exchange.steps.length === 0

/** Takes the next frame of the target into account, and says what to do with it. */
export function accept(exchange: Exchange, frame: ServerFrame): Verdict {
  exchange.resultBytes += frame.raw.length
  const [step] = exchange.steps
  switch (frame.tag) {
    case 'D':
      if (step?.isOurs === true) return { do: 'ourRow' }
      exchange.rows++
      exchange.rowsSent++
      return { do: 'row', columns: exchange.columns.get(step?.portal ?? null) ?? null }
    case 'N':
      return { do: step?.isOurs === true && isOfItsWork(frame) ? 'drop' : 'message' }
    case 'A':
      return { do: 'message' }
    case 'S':
      return { do: 'setting' }
    case 'T':
      return described(exchange, frame, step)
    case 'n':
      learn(exchange, step, null)
      return answered(exchange, step, 'Describe')
    case 't': {
      const types = parameterTypesOf(frame)
      if (!types.ok) return { do: 'violation', why: types.error.detail }
      step?.typed?.(types.value)
      return { do: step?.isOurs === true ? 'drop' : 'pass' }
    }
    case '1':
      return answered(exchange, step, 'Parse')
    case '2':
      // The columns that are known are those of the portal that had this name before.
      exchange.columns.delete(step?.portal ?? null)
      return answered(exchange, step, 'Bind')
    case '3':
      return answered(exchange, step, 'Close')
    case 'C':
      return completed(exchange, frame, step)
    case 'I':
    case 's':
      if (step?.tag === 'Query') return { do: 'pass' }
      return executed(exchange, step)
    case 'E':
      return failed(exchange, frame)
    case 'Z':
      return ready(exchange, frame, step)
    case 'G':
      exchange.copyIn = true
      // While data flows in, the target ignores a Sync that was sent before.
      return { do: 'copyIn', syncs: step?.tag === 'Execute' ? dropSyncs(exchange) : [] }
    case 'H':
      return { do: 'copyOut' }
    case 'd':
      // The server sends a CopyData for each line, and one for the trailer of binary data, which is no row.
      if (!frame.raw.equals(COPY_TRAILER)) exchange.rowsSent++
      return { do: 'copyRow' }
    case 'c':
      return { do: 'copyEnd' }
    default:
      return {
        do: 'violation',
        why: `the target sent a message of type ${frame.tag} that was not asked for`,
      }
  }
}

function described(exchange: Exchange, frame: ServerFrame, step: Step | undefined): Verdict {
  const columns = columnsIn(exchange, frame)
  if (columns === null) return { do: 'violation', why: 'the target described columns wrongly' }
  learn(exchange, step, columns)
  if (step?.tag === 'Query') return { do: 'pass' }
  return answered(exchange, step, 'Describe')
}

/** Above the bound the portal that was described longest ago goes: its rows have no known columns, and are masked whole. */
function learn(
  { columns }: Exchange,
  step: Step | undefined,
  described: readonly Column[] | null,
): void {
  const portal = step?.portal ?? null
  columns.delete(portal)
  columns.set(portal, described)
  keepNewest(columns, COLUMNS_MAX)
}

/** The same bytes give the same array of columns, so that what is kept for it, such as masks, is found again. */
function columnsIn(exchange: Exchange, frame: ServerFrame): readonly Column[] | null {
  const bytes = frame.raw.toString('latin1')
  const known = exchange.descriptions.get(bytes)
  if (known !== undefined) return known
  const columns = columnsOf(frame)
  if (!columns.ok) return null
  if (exchange.descriptions.size >= DESCRIPTIONS_MAX) exchange.descriptions.clear()
  if (bytes.length <= DESCRIPTION_BYTES_MAX) exchange.descriptions.set(bytes, columns.value)
  return columns.value
}

function answered(exchange: Exchange, step: Step | undefined, tag: Step['tag']): Verdict {
  if (step?.tag !== tag)
    return { do: 'violation', why: `the target answered a ${tag} that was not asked for` }
  exchange.steps.shift()
  step.confirmed?.()
  // A statement that is only prepared is a request too, and ends here.
  if (step.request !== null) end(exchange, step, 'Succeeded')
  return { do: step.isOurs ? 'drop' : 'pass' }
}

function completed(exchange: Exchange, frame: ServerFrame, step: Step | undefined): Verdict {
  exchange.copyIn = false
  const tag = commandTagOf(frame)
  if (!tag.ok) return { do: 'violation', why: tag.error.detail }
  exchange.commandTag =
    exchange.commandTag === null ? tag.value : `${exchange.commandTag}; ${tag.value}`
  if (exchange.rows === 0) exchange.rows = rowCountOf(tag.value) ?? 0
  // The next statement of the same text is described before its rows.
  if (step?.tag === 'Query') exchange.columns.delete(null)
  return step?.tag === 'Query' ? { do: 'pass' } : executed(exchange, step)
}

function executed(exchange: Exchange, step: Step | undefined): Verdict {
  if (step?.tag !== 'Execute')
    return { do: 'violation', why: 'the target ended what was not asked for' }
  exchange.steps.shift()
  step.confirmed?.()
  end(exchange, step, 'Succeeded')
  return { do: step.isOurs ? 'drop' : 'pass' }
}

/** True if a notice tells of Countersign's own statements: with a low client_min_messages it shows texts and plans. */
function isOfItsWork(frame: ServerFrame): boolean {
  const fields = errorFieldsOf(frame)
  return !fields.ok || WORK_SEVERITIES.has(fields.value.get('V') ?? '')
}

function failed(exchange: Exchange, frame: ServerFrame): Verdict {
  exchange.copyIn = false
  const fields = errorFieldsOf(frame)
  if (!fields.ok) return { do: 'violation', why: fields.error.detail }
  exchange.sqlState = fields.value.get('C') ?? null
  const [step] = exchange.steps
  step?.failed?.(fields.value)
  const isHidden = step?.isOurs === true && step.isForAgent !== true
  if (step === undefined || step.tag === 'Query') return { do: isHidden ? 'drop' : 'message' }
  exchange.skipping = true
  const sync = exchange.steps.findIndex((one) => one.tag === 'Sync')
  const skipped = exchange.steps.splice(0, sync < 0 ? exchange.steps.length : sync)
  // A Parse or Bind that fails takes the request of its Execute with it: the first request skipped is the one that failed.
  const [first, ...others] = skipped.filter((one) => one.request !== null)
  if (first !== undefined) end(exchange, first, 'Failed')
  for (const other of others) end(exchange, other, 'Aborted')
  const instead = step.instead?.(fields.value) ?? null
  if (instead !== null) return { do: 'instead', bytes: instead }
  return { do: isHidden ? 'drop' : 'message' }
}

function ready(exchange: Exchange, frame: ServerFrame, step: Step | undefined): Verdict {
  exchange.copyIn = false
  const status = transactionStatusOf(frame)
  if (!status.ok) return { do: 'violation', why: status.error.detail }
  if (step === undefined || (step.tag !== 'Query' && step.tag !== 'Sync')) {
    return { do: 'violation', why: 'the target is ready although it still owes answers' }
  }
  exchange.steps.shift()
  step.confirmed?.()
  if (step.tag === 'Query') end(exchange, step, exchange.sqlState === null ? 'Succeeded' : 'Failed')
  exchange.skipping = false
  exchange.sqlState = null
  return { do: 'ready', status: status.value, isOurs: step.tag === 'Sync' && step.isOurs }
}

function end(exchange: Exchange, step: Step, outcome: Ended['outcome']): void {
  if (step.request !== null) {
    exchange.ended.push({
      request: step.request,
      outcome,
      commandTag: outcome === 'Succeeded' ? exchange.commandTag : null,
      sqlState: outcome === 'Failed' ? exchange.sqlState : null,
      rows: exchange.rows,
      resultBytes: exchange.resultBytes,
    })
  }
  exchange.commandTag = null
  exchange.rows = 0
  exchange.resultBytes = 0
}

function dropSyncs(exchange: Exchange): readonly Step[] {
  const dropped = exchange.steps.filter((step) => step.tag === 'Sync')
  const kept = exchange.steps.filter((step) => step.tag !== 'Sync')
  exchange.steps.splice(0, exchange.steps.length, ...kept)
  return dropped
}

/** CopyData with the file trailer of the binary format: Int16(-1). */
const COPY_TRAILER = Buffer.from([0x64, 0, 0, 0, 6, 0xff, 0xff])
const COLUMNS_MAX = 5_000
const DESCRIPTIONS_MAX = 100
const DESCRIPTION_BYTES_MAX = 4_096

/** DEBUG1 to DEBUG5 are all called DEBUG in the protocol. */
const WORK_SEVERITIES: ReadonlySet<string> = new Set(['DEBUG', 'LOG'])
