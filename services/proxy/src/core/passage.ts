import {
  type Execute,
  type Parse,
  type Query,
  type Request,
  type RunsNothing,
  toServer,
} from '@countersign/postgres-wire'
import { borrowsColumns } from '@countersign/statements'
import type { Step } from './exchange.ts'
import { OURS } from './own-passage.ts'
import {
  forgetPortal,
  forgetRedefined,
  forgetStatement,
  learnDescribed,
  learnPortal,
  learnPrepared,
  learnStatement,
  learnValueTypes,
  type Reading,
  readingNow,
  simpleQueried,
  type StatementNames,
  toldOf,
} from './statement-names.ts'
import { isEndToldBy, NOTHING_TOLD } from './told-text.ts'

/** Bytes of a pipeline: they run nothing, or they belong to the request of this number in the exchange. */
export type Outbound =
  | { readonly request: null; readonly bytes: RunsNothing }
  | { readonly request: number; readonly bytes: Uint8Array }

/** Messages of a pipeline that go out together: the bytes, and what the target will answer. */
export type Passage = { readonly outbound: readonly Outbound[]; readonly steps: readonly Step[] }

export type PassageOptions = {
  messages: readonly Request[]
  from: number
  end: number
  /** The request that a message belongs to; null when none was released for it. */
  requestOf(step: number): Owner | null
  /** The messages that the client had an answer to already; the target's own is hidden from it. */
  answered?: ReadonlySet<Request>
  /** The settings of the session, under which it reads literals. */
  settings(): string
  /** The reading of a message at the target; the present one where this is left out. */
  readingOf?(step: number): Reading
  /** Countersign's own messages that go out right before a message; null for none. */
  guardOf?(step: number): Passage | null
}

/** A request by its number in the exchange, and the message that it ends with. */
export type Owner = { readonly number: number; readonly lastStep: number }

/**
 * Makes the messages ready to go out. Names are learned and forgotten as the target confirms them. Throws where words or
 * values of the client belong to no request.
 */
export function passage(names: StatementNames, options: PassageOptions): Passage {
  const { messages, from, end } = options
  const outbound: Outbound[] = []
  const steps: Step[] = []
  const doubtful = new Set(names.doubtfulStatements)
  /** The statements that the messages prepare, before the target confirms them. */
  // bound: the messages of a pipeline
  const made = new Map<string, Made>()
  const madeAs = (name: string): Made | undefined => {
    const parse = names.statements.get(name)
    return made.get(name) ?? (parse && { parse, reading: names.readings.get(parse) })
  }
  for (let at = from; at < end; at++) {
    const message = messages[at]
    if (message === undefined) continue
    const guard = options.guardOf?.(at) ?? null
    if (guard !== null) {
      outbound.push(...guard.outbound)
      steps.push(...guard.steps)
    }
    const own = runsNothing(message)
    const owner = own === null ? options.requestOf(at) : null
    if (message.tag === 'Execute' && !isDescribed(messages, message, from, at)) {
      // The columns decide what is masked, so Countersign asks for them where the client does not.
      outbound.push({ request: null, bytes: toServer.describe('portal', message.portal) })
      steps.push(ourDescribe(message))
    }
    const request = owner?.lastStep === at ? owner.number : null
    const reading = options.readingOf?.(at) ?? readingNow(names)
    const step = stepOf(names, message, { request, reading, settings: () => options.settings() })
    if (own !== null) outbound.push({ request: null, bytes: own })
    else {
      // Data is sent when the target asks for it; the other messages that have no step are never sent.
      if (step === null) continue
      if (owner === null) throw new Error(`a ${message.tag} belongs to no request`)
      if (message.tag === 'Bind') {
        const name = message.statement
        const known = madeAs(name)
        const isInDoubt = doubtful.has(name)
        if (known !== undefined && (isInDoubt || isReadOtherwise(names, known, reading))) {
          const { parse } = known
          const to = { outbound, steps, reading, request: owner.number }
          if (!isInDoubt) refuseOtherColumns(parse, to)
          prepareAgain(names, parse, to)
          made.set(name, { parse, reading })
        }
      }
      outbound.push({ request: owner.number, bytes: message.raw })
    }
    if (message.tag === 'Parse') {
      doubtful.delete(message.name)
      made.set(message.name, { parse: message, reading })
    }
    if (message.tag === 'Bind') doubtful.delete(message.statement)
    if (step === null) continue
    const isHidden = options.answered?.has(message) === true
    steps.push(isHidden ? { ...step, isOurs: true, isForAgent: true } : step)
  }
  return { outbound, steps }
}

/** A message that carries nothing but names, made anew; null where it carries more. */
function runsNothing(message: Request): RunsNothing | null {
  switch (message.tag) {
    case 'Describe':
      return toServer.describe(message.kind, message.name)
    case 'Close':
      return toServer.close(message.kind, message.name)
    case 'Sync':
      return toServer.sync()
    case 'Flush':
      return toServer.flush()
    default:
      return null
  }
}

/** A statement, and what the target read it under; undefined where that is not known. */
type Made = { readonly parse: Parse; readonly reading: Reading | undefined }

const isReadOtherwise = (names: StatementNames, { parse, reading }: Made, now: Reading): boolean =>
  reading !== now && !isEnd(names, parse)

/** True if it ends a transaction: such a text reads nothing, and may run in a transaction that failed. */
const isEnd = (names: StatementNames, parse: Parse): boolean =>
  parse.sql !== null && isEndToldBy(parse.sql, toldOf(names, parse) ?? NOTHING_TOLD)

/**
 * Gives a name its own text again, as part of the request that uses it: that is decided on and recorded with just this text and
 * these types. The name may stand for another text by now, or the target may have read its text otherwise than it would now.
 */
function prepareAgain(names: StatementNames, parse: Parse, to: To): void {
  const { name } = parse
  const step = FOR_AGENT
  to.outbound.push(
    { request: null, bytes: toServer.close('statement', name) },
    { request: to.request, bytes: parse.raw },
  )
  to.steps.push(
    // If the Parse behind it fails, the target has no statement by this name.
    { ...step, tag: 'Close', confirmed: () => names.doubtfulStatements.add(name) },
    { ...step, tag: 'Parse', confirmed: () => learnStatement(names, parse, to.reading) },
  )
}

/**
 * Lets the target refuse a statement that would have other columns by now than those that the client knows: PostgreSQL does not
 * execute it (0A000), and drivers then prepare it again themselves.
 */
function refuseOtherColumns({ name }: Parse, to: To): void {
  to.outbound.push({ request: null, bytes: toServer.describe('statement', name) })
  to.steps.push({ ...FOR_AGENT, tag: 'Describe', portal: STATEMENT })
}

/** The place for messages that Countersign adds to a pipeline, with their reading and their request. */
type To = {
  readonly outbound: Outbound[]
  readonly steps: Step[]
  readonly reading: Reading
  readonly request: number
}

/**
 * True if the client itself asks for the columns right before it executes the portal. A description from before a Bind, or
 * from before something else ran, may be of another statement.
 */
function isDescribed(
  messages: readonly Request[],
  execute: Execute,
  from: number,
  at: number,
): boolean {
  for (let before = at - 1; before >= from; before--) {
    const message = messages[before]
    if (message === undefined || CHANGES_PORTALS.has(message.tag)) return false
    if (message.tag !== 'Describe' || message.kind !== 'portal') continue
    if (message.name === execute.portal) return true
  }
  return false
}

type OfStep = { readonly request: number | null; readonly reading: Reading; settings(): string }

function stepOf(
  names: StatementNames,
  message: Request,
  { request, reading, settings }: OfStep,
): Step | null {
  const base = { request, portal: null, isOurs: false }
  const isAsNow = (): boolean => reading === readingNow(names)
  switch (message.tag) {
    case 'Query': {
      let hasFailed = false
      return {
        ...base,
        tag: 'Query',
        failed: () => (hasFailed = true),
        confirmed: () => {
          queried(names, message)
          if (!hasFailed && isAsNow()) learnPrepared(names, message, settings())
        },
      }
    }
    case 'Parse':
      return { ...base, tag: 'Parse', confirmed: () => learnStatement(names, message, reading) }
    case 'Bind':
      return {
        ...base,
        tag: 'Bind',
        portal: message.portal,
        confirmed: () => learnPortal(names, message, reading),
      }
    case 'Describe':
      return {
        ...base,
        tag: 'Describe',
        portal: message.kind === 'portal' ? message.name : STATEMENT,
        typed: (types) => learnValueTypes(names, message.name, types),
        confirmed: () => {
          if (message.kind === 'statement') learnDescribed(names, message.name, reading)
        },
      }
    case 'Execute':
      return {
        ...base,
        tag: 'Execute',
        portal: message.portal,
        // A statement that failed redefined nothing.
        confirmed: () => {
          const portal = names.portals.get(message.portal)
          if (portal !== undefined) names.begun.add(portal.bind)
          const sql = portal?.parse.sql ?? null
          forgetRedefined(names, portal?.parse ?? null)
          if (isAsNow()) learnPrepared(names, portal?.parse ?? null, settings())
          if (borrowsColumns(sql)) forgetPortal(names, message.portal)
        },
      }
    case 'Close':
      return {
        ...base,
        tag: 'Close',
        confirmed: () =>
          message.kind === 'statement'
            ? forgetStatement(names, message.name)
            : forgetPortal(names, message.name),
      }
    case 'Sync':
      return { ...base, tag: 'Sync' }
    case 'Flush':
    case 'CopyData':
    case 'CopyDone':
    case 'CopyFail':
    case 'FunctionCall':
    case 'Terminate':
    case 'Malformed':
      return null
  }
}

/** Forgets the names that a simple query redefined, also where it failed: some of its statements may have run. */
function queried(names: StatementNames, query: Query): void {
  simpleQueried(names)
  forgetRedefined(names, query)
}

const ourDescribe = ({ portal }: Execute): Step => ({ ...FOR_AGENT, tag: 'Describe', portal })

/** A step of Countersign's own whose error is the agent's. */
const FOR_AGENT = { ...OURS, isForAgent: true } as const

const CHANGES_PORTALS: ReadonlySet<Request['tag']> = new Set(['Bind', 'Close', 'Execute', 'Query'])

/** Stands for no portal: the description of a statement says nothing about one, as its columns have no format yet. */
const STATEMENT = '\0statement'
