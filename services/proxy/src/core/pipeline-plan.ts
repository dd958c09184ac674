import type { Bind, Execute, Parse, Query, Request } from '@countersign/postgres-wire'
import type { RequestKind } from '@countersign/contracts'
import { mayRedefine, type StatementNames, tentative } from './statement-names.ts'

/** A request inside a pipeline: what is decided on, and which messages carry it. */
export type Ask = {
  readonly kind: RequestKind
  readonly text: Buffer
  /** The text as a string; null when it is not UTF-8. */
  readonly sql: string | null
  readonly parameterTypes: readonly number[]
  readonly parameterFormats: readonly number[]
  readonly parameters: readonly (Buffer | null)[]
  readonly resultFormats: readonly number[]
  readonly rowsMax: number
  /** The first message that belongs to it: privileges are checked at Bind, so the group is held as one. */
  readonly firstStep: number
  /** The message that runs it. */
  readonly lastStep: number
}

/** The messages of a client up to where it waits for answers, and the requests in them. */
export type PipelinePlan = {
  readonly messages: readonly Request[]
  readonly asks: readonly Ask[]
  /** The first message that cannot be understood, with why; what follows it is not planned. */
  readonly stop: { readonly step: number; readonly why: string } | null
  /** How far it is planned: what follows a statement that may redefine names is planned when the target has answered it. */
  readonly end: number
}

/** Finds the requests in a pipeline, from a message on. A Parse that is executed in the same pipeline is part of that request. */
export function planned(
  messages: readonly Request[],
  names: StatementNames,
  from = 0,
): PipelinePlan {
  const scope = tentative(names)
  const parsedAt = new Map<Parse, number>()
  const boundAt = new Map<Bind, number>()
  const asks: Ask[] = []
  const executed = new Set<Parse>()
  const plan = (end: number, stop: PipelinePlan['stop'] = null): PipelinePlan => {
    for (const [parse, step] of parsedAt)
      if (!executed.has(parse)) asks.push(prepareAsk(parse, step))
    return { messages, asks: asks.toSorted((a, b) => a.lastStep - b.lastStep), stop, end }
  }
  const stopAt = (step: number, why: string): PipelinePlan => plan(step, { step, why })
  for (let step = from; step < messages.length; step++) {
    const message = messages[step]
    switch (message?.tag) {
      case undefined:
        break
      case 'Query':
        asks.push(queryAsk(message, step))
        break
      case 'Parse':
        scope.statements.set(message.name, message)
        parsedAt.set(message, step)
        break
      case 'Bind': {
        const parse = scope.statements.get(message.statement)
        if (parse === undefined) {
          return stopAt(
            step,
            `no prepared statement "${message.statement}" is known in this session`,
          )
        }
        scope.portals.set(message.portal, { bind: message, parse })
        boundAt.set(message, step)
        break
      }
      case 'Execute': {
        const portal = scope.portals.get(message.portal)
        if (portal === undefined)
          return stopAt(step, `no portal "${message.portal}" is known in this session`)
        executed.add(portal.parse)
        const first = firstOf(step, messages, parsedAt.get(portal.parse), boundAt.get(portal.bind))
        asks.push(executeAsk(portal, message, first, step))
        if (namesFollow(messages, step) && mayRedefine(portal.parse.sql)) return plan(step + 1)
        break
      }
      case 'FunctionCall':
        return stopAt(step, 'the function call message is not supported; use SELECT')
      case 'Close':
        if (message.kind === 'statement') scope.statements.delete(message.name)
        else scope.portals.delete(message.name)
        break
      case 'Describe':
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

/** Whether a message behind this one may use a name. A client that waits ends its pipeline with Sync or Flush. */
export function namesFollow(messages: readonly Request[], step: number): boolean {
  const next = messages[step + 1]?.tag
  const isEnd = next === 'Sync' || next === 'Flush'
  return messages.length > step + (isEnd ? 2 : 1)
}

/** The group begins at its Parse or Bind, but never before another request ran. */
function firstOf(
  step: number,
  messages: readonly Request[],
  ...begins: (number | undefined)[]
): number {
  const lastRun = messages
    .slice(0, step)
    .findLastIndex((m) => m.tag === 'Execute' || m.tag === 'Query')
  const starts = begins.filter((begin) => begin !== undefined && begin > lastRun)
  return Math.min(step, ...starts.map(Number))
}

const NOTHING_BOUND = { parameterFormats: [], parameters: [], resultFormats: [], rowsMax: 0 }

const queryAsk = (query: Query, step: number): Ask => ({
  kind: 'Query',
  text: query.text,
  sql: query.sql,
  parameterTypes: [],
  ...NOTHING_BOUND,
  firstStep: step,
  lastStep: step,
})

const prepareAsk = (parse: Parse, step: number): Ask => ({
  kind: 'Prepare',
  text: parse.text,
  sql: parse.sql,
  parameterTypes: parse.parameterTypes,
  ...NOTHING_BOUND,
  firstStep: step,
  lastStep: step,
})

const executeAsk = (
  portal: { bind: Bind; parse: Parse },
  execute: Execute,
  first: number,
  step: number,
): Ask => ({
  kind: 'Execute',
  text: portal.parse.text,
  sql: portal.parse.sql,
  parameterTypes: portal.parse.parameterTypes,
  parameterFormats: portal.bind.formats,
  parameters: portal.bind.values,
  resultFormats: portal.bind.resultFormats,
  rowsMax: execute.maxRows,
  firstStep: first,
  lastStep: step,
})
