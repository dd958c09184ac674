import { toServer } from '@countersign/postgres-wire'
import type { Step } from './exchange.ts'
import type { Passage } from './passage.ts'

/** A statement of Countersign itself. */
export type OwnStatement = {
  /** Its name and that of its portal: the agent's unnamed statement and portal stay as they are. */
  readonly name: string
  readonly sql: string
  readonly resultFormats: readonly number[]
  /** Its number in the exchange. */
  readonly request: number
  readonly step: Pick<Step, 'isForAgent' | 'instead'>
  /** Called when the target has run it. */
  confirmed?(): void
}

/** The messages of a statement of Countersign itself, without the end. */
export function ownPassage(own: OwnStatement): Passage {
  const { name, sql, resultFormats, request } = own
  const step = { request: null, portal: name, isOurs: true, ...own.step }
  const close = toServer.close('statement', name)
  return {
    outbound: [
      // One that failed when it ran is still there.
      { request: null, bytes: close },
      { request, bytes: toServer.parse(name, sql) },
      { request, bytes: toServer.bind({ portal: name, statement: name, resultFormats }) },
      { request, bytes: toServer.execute(name) },
      { request: null, bytes: toServer.close('portal', name) },
      { request: null, bytes: close },
    ],
    steps: [
      { ...step, tag: 'Close' },
      { ...step, tag: 'Parse' },
      { ...step, tag: 'Bind' },
      { ...step, tag: 'Execute', request, confirmed: () => own.confirmed?.() },
      { ...step, tag: 'Close' },
      { ...step, tag: 'Close' },
    ],
  }
}
