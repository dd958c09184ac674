import { toServer } from '@countersign/postgres-wire'
import type { Step } from './exchange.ts'
import type { Passage } from './passage.ts'

/** A text that Countersign itself has the target parse. */
export type OwnParse = {
  /** A name of our own: the agent's unnamed statement stays as it is. */
  readonly name: string
  readonly sql: string
  readonly parameterTypes?: readonly number[]
  /** Its number in the exchange. */
  readonly request: number
  /** Goes into its steps; with `request` where that request ends with the Parse. */
  readonly step: Partial<Pick<Step, 'request' | 'portal' | 'isForAgent' | 'instead' | 'failed'>>
}

/** The only maker of a Parse of Countersign itself. It closes the name first, which one that failed still has. */
export function ownParse({ name, sql, parameterTypes, request, step }: OwnParse): Passage {
  return {
    outbound: [
      { request: null, bytes: toServer.close('statement', name) },
      { request, bytes: toServer.parse(name, sql, parameterTypes) },
    ],
    steps: [
      { ...OURS, ...step, request: null, tag: 'Close' },
      { ...OURS, ...step, tag: 'Parse' },
    ],
  }
}

/** A statement of Countersign itself. */
export type OwnStatement = {
  /** Its name and that of its portal: the agent's unnamed statement and portal stay as they are. */
  readonly name: string
  readonly sql: string
  readonly resultFormats: readonly number[]
  /** Its number in the exchange. */
  readonly request: number
  readonly step: Pick<Step, 'isForAgent' | 'instead' | 'failed'>
  /** Called when the target has run it. */
  confirmed?(): void
}

/** The messages of a statement of Countersign itself, without the Sync or Flush at their end. */
export function ownPassage(own: OwnStatement): Passage {
  const { name, sql, resultFormats, request } = own
  const step = { ...OURS, portal: name, ...own.step }
  const parse = ownParse({ name, sql, request, step })
  return {
    outbound: [
      ...parse.outbound,
      { request, bytes: toServer.bind({ portal: name, statement: name, resultFormats }) },
      { request, bytes: toServer.execute(name) },
      { request: null, bytes: toServer.close('portal', name) },
      { request: null, bytes: toServer.close('statement', name) },
    ],
    steps: [
      ...parse.steps,
      { ...step, tag: 'Bind' },
      { ...step, tag: 'Execute', request, confirmed: () => own.confirmed?.() },
      { ...step, tag: 'Close' },
      { ...step, tag: 'Close' },
    ],
  }
}

/** A step of Countersign's own. */
export const OURS = { request: null, portal: null, isOurs: true } as const
