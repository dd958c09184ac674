import { type Execute, type Request, toServer } from '@countersign/postgres-wire'
import type { Step } from './exchange.ts'
import { simpleQueried, type StatementNames } from './statement-names.ts'

/** Messages of a pipeline that go out together: the bytes, and what the target will answer. */
export type Passage = { readonly bytes: readonly Uint8Array[]; readonly steps: readonly Step[] }

export type PassageOptions = {
  messages: readonly Request[]
  from: number
  end: number
  /** The number in the exchange of the request that a message runs; null when it runs none. */
  numberOf(step: number): number | null
}

/** Makes the messages ready to go out. Names are learned and forgotten as the target confirms them. */
export function passage(names: StatementNames, options: PassageOptions): Passage {
  const { messages, from, end } = options
  const bytes: Uint8Array[] = []
  const steps: Step[] = []
  for (let at = from; at < end; at++) {
    const message = messages[at]
    if (message === undefined) continue
    if (message.tag === 'Execute' && !isDescribed(messages, message, from, at)) {
      // The columns decide what is masked, so Countersign asks for them where the client does not.
      bytes.push(toServer.describe('portal', message.portal))
      steps.push(ourDescribe(message))
    }
    bytes.push(message.raw)
    const step = stepOf(names, message, options.numberOf(at))
    if (step !== null) steps.push(step)
  }
  return { bytes, steps }
}

/**
 * Whether the client itself asks for the columns right before it executes the portal. A description from before a Bind, or
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

function stepOf(names: StatementNames, message: Request, number: number | null): Step | null {
  const base = { request: number, portal: null, isOurs: false }
  switch (message.tag) {
    case 'Query':
      return { ...base, tag: 'Query', confirmed: () => simpleQueried(names) }
    case 'Parse':
      return {
        ...base,
        tag: 'Parse',
        confirmed: () => void names.statements.set(message.name, message),
      }
    case 'Bind':
      return {
        ...base,
        tag: 'Bind',
        portal: message.portal,
        confirmed: () => {
          const parse = names.statements.get(message.statement)
          if (parse !== undefined) names.portals.set(message.portal, { bind: message, parse })
        },
      }
    case 'Describe':
      return {
        ...base,
        tag: 'Describe',
        portal: message.kind === 'portal' ? message.name : STATEMENT,
      }
    case 'Execute':
      return { ...base, tag: 'Execute', portal: message.portal }
    case 'Close':
      return {
        ...base,
        tag: 'Close',
        confirmed: () =>
          void (message.kind === 'statement' ? names.statements : names.portals).delete(
            message.name,
          ),
      }
    case 'Sync':
      return { ...base, tag: 'Sync' }
    case 'Flush':
    case 'CopyData':
    case 'CopyDone':
    case 'CopyFail':
    case 'FunctionCall':
    case 'Terminate':
      return null
  }
}

const ourDescribe = (execute: Execute): Step => ({
  tag: 'Describe',
  request: null,
  portal: execute.portal,
  isOurs: true,
  isForAgent: true,
})

const CHANGES_PORTALS: ReadonlySet<Request['tag']> = new Set(['Bind', 'Close', 'Execute', 'Query'])

/** Describing a statement says nothing about a portal: its columns have no format yet. */
const STATEMENT = '\0statement'
