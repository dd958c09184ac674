import type {
  Bind,
  Describe,
  Execute,
  Fault,
  Parse,
  Query,
  Request,
} from '@countersign/postgres-wire'
import type { RequestKind } from '@countersign/contracts'
import { borrowsColumns, type NamedStatement, seemsToUseName } from '@countersign/statements'
import { isOutdated, mayRedefine, type StatementNames, tentative } from './statement-names.ts'

/** A request inside a pipeline: what is decided on, and which messages carry it. */
export type Ask = {
  readonly kind: RequestKind
  readonly text: Buffer
  /** The text as a string; null when it is not UTF-8. */
  readonly sql: string | null
  readonly parameterTypes: readonly number[]
  /** The types of the parameters as the target described them; empty where it did not. */
  readonly valueTypes: readonly number[]
  /** The statement that the text executes by its name, as the target has it; empty where that is not known. */
  readonly executes: readonly NamedStatement[]
  /** The data of a COPY FROM STDIN that is held with them; null where none are. */
  readonly copyData: Buffer | null
  readonly rowsMax: number
  /** The Bind that made the portal that it executes, or makes it, with all values; null where there is none. */
  readonly bind: Bind | null
  /** The first message that belongs to it: privileges are checked at Bind, so the group is held as one. */
  readonly firstStep: number
  /** The message that runs it. */
  readonly lastStep: number
}

/** The values that are asked with. They are decoded for whoever asks, and kept by nobody: see `Bind`. */
export const boundOf = (bind: Pick<Bind, 'formats' | 'values'> | null): Bound => ({
  parameterFormats: bind?.formats ?? [],
  parameters: bind?.values ?? [],
})

type Bound = {
  readonly parameterFormats: Bind['formats']
  readonly parameters: Bind['values']
}

/** The messages of a client up to where it waits for answers, and the requests in them. */
export type PipelinePlan = {
  readonly messages: readonly Request[]
  /**
   * The requests in their order. No two share a message, and every Query, Parse, Bind and Execute belongs to one: what
   * carries words or values of the client goes out with the request that it is recorded with.
   */
  readonly asks: readonly Ask[]
  /** The first message that cannot be served, with why; what follows it is not planned. */
  readonly stop: Stop | null
  /**
   * The end of what is planned. Messages behind a statement that may redefine names are planned when the target has answered it, and
   * what follows many requests when those are done: each of them takes time in which nobody else is served.
   */
  readonly end: number
}

export type Stop = {
  readonly step: number
  readonly code: StopCode
  readonly why: string
  /** PostgreSQL's own answer to a malformed message; null for any other. */
  readonly fault: Fault | null
}
export type StopCode =
  'CS_STATEMENT_UNKNOWN' | 'CS_PORTAL_UNKNOWN' | 'CS_REQUEST_UNKNOWN' | 'CS_PROTOCOL_VIOLATION'

/** Messages next to each other that are about one statement, and that nothing has executed yet. */
type Group = {
  readonly firstStep: number
  readonly lastStep: number
  readonly parse: Parse
  readonly bind: Bind | null
}

/**
 * Finds the requests in a pipeline, from a message on, and no more than `requestsMax`. A Parse and a Bind right before their
 * Execute are part of that request.
 */
export function planned(
  messages: readonly Request[],
  names: StatementNames,
  { from = 0, requestsMax = REQUESTS_MAX }: { from?: number; requestsMax?: number } = {},
): PipelinePlan {
  const scope = tentative(names)
  // bound: REQUESTS_MAX
  const asks: Ask[] = []
  let group: Group | null = null
  const close = (): void => {
    if (group !== null) asks.push(group.bind === null ? prepareAsk(group) : bindAsk(names, group))
    group = null
  }
  const plan = (end: number, stop: Stop | null = null): PipelinePlan => {
    close()
    return { messages, asks, stop, end }
  }
  let textBytes = 0
  let last: Buffer | null = null
  /** Counts a text that is looked into; one that is executed again was looked into already. */
  const took = (text: Buffer): void => {
    if (text !== last) textBytes += text.length
    last = text
  }
  /** True if no further request fits. One whose first message was planned already (not `begins`) stays whole, whatever its text takes. */
  const isFull = (begins: boolean): boolean =>
    asks.length >= requestsMax || (begins && asks.length > 0 && textBytes > TEXT_BYTES_MAX)
  /** True if a text waits: the meaning of a PREPARE or EXECUTE is known when all before it is answered. */
  const waits = ({ sql }: Query | Parse): boolean => asks.length > 0 && seemsToUseName(sql)
  const stopAt = (
    step: number,
    code: StopCode,
    why: string,
    fault: Fault | null = null,
  ): PipelinePlan => plan(step, { step, code, why, fault })
  for (let step = from; step < messages.length; step++) {
    const message = messages[step]
    switch (message?.tag) {
      case undefined:
        break
      case 'Query':
        close()
        if (isFull(true) || waits(message)) return plan(step)
        took(message.text)
        asks.push(queryAsk(message, step))
        break
      case 'Parse':
        close()
        if (isFull(true) || waits(message)) return plan(step)
        took(message.text)
        scope.statements.set(message.name, message)
        group = { firstStep: step, lastStep: step, parse: message, bind: null }
        break
      case 'Bind': {
        const parse = scope.statements.get(message.statement)
        if (parse === undefined)
          return stopAt(step, 'CS_STATEMENT_UNKNOWN', noStatement(message.statement))
        if (message.portal !== '' && borrowsColumns(parse.sql))
          return stopAt(step, 'CS_REQUEST_UNKNOWN', NAMED_PORTAL)
        scope.portals.set(message.portal, { bind: message, parse })
        const firstStep: number = prepares(group, parse)?.firstStep ?? step
        if (firstStep === step) close()
        if (isFull(firstStep === step) || waits(parse)) return plan(step)
        took(parse.text)
        group = { firstStep, lastStep: step, parse, bind: message }
        break
      }
      case 'Execute': {
        const portal = scope.portals.get(message.portal)
        if (portal === undefined || isLeftOver(names, portal.bind))
          return stopAt(step, 'CS_PORTAL_UNKNOWN', `portal "${message.portal}" does not exist`)
        const firstStep: number = binds(group, portal.bind)?.firstStep ?? step
        if (firstStep === step) close()
        if (isFull(firstStep === step) || waits(portal.parse)) return plan(step)
        took(portal.parse.text)
        group = null
        asks.push(executeAsk(names, portal, { message, firstStep, lastStep: step }))
        // Such a portal is not executed further: see `borrowsColumns`.
        if (borrowsColumns(portal.parse.sql)) scope.portals.delete(message.portal)
        if (namesFollow(messages, step) && mayRedefine(names, portal.parse)) return plan(step + 1)
        break
      }
      case 'FunctionCall':
        return stopAt(
          step,
          'CS_REQUEST_UNKNOWN',
          'the function call message is not supported (large objects of drivers, \\lo_import): call the function in a SELECT, such as lo_get or lo_from_bytea, or keep the bytes in a bytea column',
        )
      case 'Close':
        if (message.kind === 'statement') scope.statements.delete(message.name)
        else scope.portals.delete(message.name)
        break
      case 'Describe':
        // SQL makes no unnamed statement, and a simple query that was refused has left an old one at the target.
        if (isUnnamedStatement(message) && !scope.statements.has(''))
          return stopAt(step, 'CS_STATEMENT_UNKNOWN', noStatement(''))
        break
      case 'Malformed': {
        const { of, fault, statement } = message
        if (statement !== null && !scope.statements.has(statement))
          return stopAt(step, 'CS_STATEMENT_UNKNOWN', noStatement(statement))
        return stopAt(step, 'CS_PROTOCOL_VIOLATION', `malformed ${of} (${fault.code})`, fault)
      }
      case 'Sync':
      case 'Flush':
      case 'CopyData':
      case 'CopyDone':
      case 'CopyFail':
      case 'Terminate':
        break
    }
  }
  return plan(messages.length)
}

/** True if the target has a portal that was made when texts were read otherwise, and that would begin only now. */
const isLeftOver = (names: StatementNames, bind: Bind): boolean =>
  names.portals.get(bind.portal)?.bind === bind && isOutdated(names, bind)

/** The most requests that are decided on, recorded and sent at once. */
export const REQUESTS_MAX = 2_000
/** The most bytes of different texts before no further request is planned: each is parsed where others wait. */
export const TEXT_BYTES_MAX = 16 * 1024

/** The group where it only prepares this statement. */
const prepares = (group: Group | null, parse: Parse): Group | null =>
  group?.parse === parse && group.bind === null ? group : null

/** The group where it ends with this Bind. */
const binds = (group: Group | null, bind: Bind): Group | null =>
  group?.bind === bind ? group : null

const NAMED_PORTAL =
  'EXECUTE and FETCH cannot be bound to a named portal, which would be described by what their name stands for later'

const isUnnamedStatement = ({ kind, name }: Describe): boolean =>
  kind === 'statement' && name === ''

/** As PostgreSQL says it. */
export const noStatement = (name: string): string =>
  name === ''
    ? 'unnamed prepared statement does not exist'
    : `prepared statement "${name}" does not exist`

/** True if a message behind this one may use a name. A client that waits ends its pipeline with Sync or Flush. */
export function namesFollow(messages: readonly Request[], step: number): boolean {
  const next = messages[step + 1]?.tag
  const isEnd = next === 'Sync' || next === 'Flush'
  return messages.length > step + (isEnd ? 2 : 1)
}

const NOTHING_BOUND = {
  valueTypes: [],
  executes: [],
  copyData: null,
  rowsMax: 0,
  bind: null,
}

const queryAsk = (query: Query, step: number): Ask => ({
  kind: 'Query',
  text: query.text,
  sql: query.sql,
  parameterTypes: [],
  ...NOTHING_BOUND,
  firstStep: step,
  lastStep: step,
})

const prepareAsk = ({ parse, firstStep, lastStep }: Group): Ask => ({
  kind: 'Prepare',
  text: parse.text,
  sql: parse.sql,
  parameterTypes: parse.parameterTypes,
  ...NOTHING_BOUND,
  firstStep,
  lastStep,
})

/** Values that nothing executes yet. The target plans with them, which runs code, so they are decided on as if executed. */
const bindAsk = (names: StatementNames, { parse, bind, firstStep, lastStep }: Group): Ask => ({
  kind: 'Execute',
  text: parse.text,
  sql: parse.sql,
  parameterTypes: parse.parameterTypes,
  valueTypes: names.valueTypes.get(parse) ?? [],
  executes: [],
  copyData: null,
  rowsMax: 0,
  bind,
  firstStep,
  lastStep,
})

const executeAsk = (
  names: StatementNames,
  portal: { bind: Bind; parse: Parse },
  { message, ...steps }: { message: Execute; firstStep: number; lastStep: number },
): Ask => ({
  kind: 'Execute',
  text: portal.parse.text,
  sql: portal.parse.sql,
  parameterTypes: portal.parse.parameterTypes,
  valueTypes: names.valueTypes.get(portal.parse) ?? [],
  executes: [],
  copyData: null,
  rowsMax: message.maxRows,
  bind: portal.bind,
  ...steps,
})
