import type { RequestAllowed, ReviewRequired } from '@countersign/contracts'
import type { Bind, Request } from '@countersign/postgres-wire'

/** What policy said of a request that counts for the masking of its answer. */
export type AnswerTaint = Pick<
  RequestAllowed,
  'writesTagged' | 'plainColumns' | 'cursor' | 'cursorUse'
> & { readonly isTainted: boolean }

/** Of what reads and writes nothing that is masked. */
export const UNTAINTED: AnswerTaint = {
  isTainted: false,
  writesTagged: false,
  plainColumns: [],
  cursor: null,
  cursorUse: null,
}

/** In doubt everything that was computed is masked. */
export const IN_DOUBT: AnswerTaint = { ...UNTAINTED, isTainted: true }

/** What a decision says of the answer, as long as it is about no cursor. */
export const answerTaint = ({
  tainted,
  writesTagged,
  plainColumns,
  cursor,
  cursorUse,
}: RequestAllowed | ReviewRequired): AnswerTaint => ({
  isTainted: tainted,
  writesTagged,
  plainColumns,
  cursor,
  cursorUse,
})

/** The same answer, where what was decided of its masking may not hold any more. */
export const inDoubt = (answer: AnswerTaint): AnswerTaint => ({
  ...answer,
  isTainted: true,
  writesTagged: true,
  plainColumns: [],
})

/** The answer of a portal, with the counts of what changed when it was asked about. */
export type PortalAnswer = {
  readonly answer: AnswerTaint
  /** How often texts had come to be read otherwise. */
  readonly changes: number
  readonly planChanges: number
}

/**
 * The answer of a portal that is executed, and what policy said of it now. It shows what it was bound to: where names stand
 * for others since, it is masked as policy said then too.
 */
export function portalAnswer(
  known: WeakMap<Bind, PortalAnswer>,
  bind: Bind,
  now: PortalAnswer,
): AnswerTaint {
  const bound = known.get(bind)
  if (bound === undefined) known.set(bind, now)
  if (bound === undefined || bound.changes === now.changes) return now.answer
  const then = bound.planChanges === now.planChanges ? bound.answer : inDoubt(bound.answer)
  return {
    ...now.answer,
    isTainted: now.answer.isTainted || then.isTainted,
    writesTagged: now.answer.writesTagged || then.writesTagged,
    plainColumns: now.answer.plainColumns.filter((column) => then.plainColumns.includes(column)),
  }
}

/**
 * Whether the end of the transaction may still quote masked columns: checks that wait for it, and held cursors, whose
 * queries run to their end there. Code that nobody looked into may have declared some.
 */
export const outlasts = ({ isTainted, writesTagged, cursorUse }: AnswerTaint): boolean =>
  writesTagged || (isTainted && (cursorUse === 'hold' || cursorUse === 'clear'))

/** The cursors that a session declared, by their names. A name that is not here, or not confirmed, is in doubt. */
export type Cursors = Map<string, Cursor>

type Cursor = { readonly answer: AnswerTaint; readonly request: number; isConfirmed: boolean }

/**
 * Notes what a request does to cursors when it goes out, in the order of the target, and gives its taint: a cursor shows
 * what the query shows that it was declared for. Policy counts every FETCH as touching, unless nothing is masked at all.
 */
export function cursorUsed(cursors: Cursors, answer: AnswerTaint, request: number): AnswerTaint {
  const { cursor, cursorUse } = answer
  if (cursorUse === 'clear') cursors.clear()
  if (cursorUse === 'commit') transactionCursorsEnded(cursors)
  if (cursor === null) return answer
  if (cursorUse === 'fetch') {
    const known = cursors.get(cursor)
    if (known?.isConfirmed !== true) return { ...answer, plainColumns: [] }
    const { isTainted, plainColumns } = known.answer
    return { ...answer, isTainted: answer.isTainted && isTainted, plainColumns }
  }
  cursors.delete(cursor)
  if ((cursorUse === 'declare' || cursorUse === 'hold') && cursors.size < CURSORS_MAX)
    cursors.set(cursor, { answer, request, isConfirmed: false })
  return answer
}

/** Notes that portals of the protocol get or lose names, which cursors may have had. */
export function portalsNamed(cursors: Cursors, messages: readonly Request[]): void {
  for (const message of messages) {
    if (message.tag === 'Bind') cursors.delete(message.portal)
    if (message.tag === 'Close' && message.kind === 'portal') cursors.delete(message.name)
  }
}

/** Notes that the target did what a request declared, or did not. */
export function cursorAnswered(cursors: Cursors, request: number, hasSucceeded: boolean): void {
  for (const [name, cursor] of cursors) {
    if (cursor.request !== request) continue
    if (hasSucceeded) cursor.isConfirmed = true
    else cursors.delete(name)
  }
}

/** Only those that are held outlive their transaction. */
export function transactionCursorsEnded(cursors: Cursors): void {
  for (const [name, { answer }] of cursors) if (answer.cursorUse !== 'hold') cursors.delete(name)
}

/** More are not remembered. */
export const CURSORS_MAX = 1_000
