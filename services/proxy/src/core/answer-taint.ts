import type { RequestAllowed, ReviewRequired } from '@countersign/contracts'
import type { Bind, Request } from '@countersign/postgres-wire'
import { NOTHING_OWN, type OwnPlan } from './own-changes.ts'

/** The parts of policy's decision on a request that count for the masking of its answer. */
export type AnswerTaint = Pick<
  RequestAllowed,
  'writesTagged' | 'plainColumns' | 'cursor' | 'cursorUse' | 'copyOut'
> & {
  readonly isTainted: boolean
  /** The OIDs of views, and of other relations, that may show other columns or rows than when the target was described: theirs count as computed. */
  readonly viewsInDoubt: ReadonlySet<number>
  /** The relations of the session itself that are masked by this, beside the masking plan. */
  readonly own: OwnPlan
  /** Its decision on masking may not hold. */
  readonly isInDoubt: boolean
}

const NO_VIEWS: ReadonlySet<number> = new Set()

/** The taint of a request that reads and writes nothing that is masked. */
export const UNTAINTED: AnswerTaint = {
  isTainted: false,
  viewsInDoubt: NO_VIEWS,
  own: NOTHING_OWN,
  isInDoubt: false,
  writesTagged: false,
  plainColumns: [],
  cursor: null,
  cursorUse: null,
  copyOut: null,
}

/** The taint of an answer in doubt: everything that was computed is masked. */
export const IN_DOUBT: AnswerTaint = { ...UNTAINTED, isTainted: true }

/** The taint of an answer as its decision says; where the request uses a cursor, see `cursorUsed`. */
export const answerTaint = ({
  tainted,
  writesTagged,
  plainColumns,
  cursor,
  cursorUse,
  copyOut,
}: RequestAllowed | ReviewRequired): AnswerTaint => ({
  isTainted: tainted,
  viewsInDoubt: NO_VIEWS,
  own: NOTHING_OWN,
  isInDoubt: false,
  writesTagged,
  plainColumns,
  cursor,
  cursorUse,
  copyOut,
})

/** The same answer with the strictest taint, where the decision on its masking may not hold any more. */
export const inDoubt = (answer: AnswerTaint): AnswerTaint => ({
  ...answer,
  isTainted: true,
  writesTagged: true,
  plainColumns: [],
  copyOut: null,
  own: NOTHING_OWN,
  isInDoubt: true,
})

/** The answer of a portal, with the two counts of changes of its session when it was asked about. */
export type PortalAnswer = {
  readonly answer: AnswerTaint
  /** `changes` of `StatementNames`: how often texts had come to be read otherwise. */
  readonly changes: number
  readonly planChanges: number
}

/**
 * The taint of a portal that is executed, from what policy said of it now. It shows what it was bound to: where texts are
 * read otherwise since its Bind, or it was in doubt then, it is masked as it was at the Bind too.
 */
export function portalAnswer(
  known: WeakMap<Bind, PortalAnswer>,
  bind: Bind,
  now: PortalAnswer,
): AnswerTaint {
  const bound = known.get(bind)
  if (bound === undefined) known.set(bind, now)
  if (bound === undefined) return now.answer
  if (bound.changes === now.changes && !bound.answer.isInDoubt) return now.answer
  const then = bound.planChanges === now.planChanges ? bound.answer : inDoubt(bound.answer)
  return {
    ...now.answer,
    isTainted: now.answer.isTainted || then.isTainted,
    writesTagged: now.answer.writesTagged || then.writesTagged,
    viewsInDoubt: then.isInDoubt ? then.viewsInDoubt : now.answer.viewsInDoubt,
    isInDoubt: now.answer.isInDoubt || then.isInDoubt,
    copyOut: null,
    plainColumns: now.answer.plainColumns.filter((column) => then.plainColumns.includes(column)),
  }
}

/**
 * True if the end of the transaction may still quote masked columns: deferred checks run there, and the queries of held
 * cursors run to their end there. Code that policy could not look into may have declared such cursors.
 */
export const outlasts = ({ isTainted, writesTagged, cursorUse }: AnswerTaint): boolean =>
  writesTagged || (isTainted && (cursorUse === 'hold' || cursorUse === 'clear'))

/** The cursors that a session declared, by their names. A name that is not here, or not confirmed, is in doubt. */
export type Cursors = Map<string, Cursor>

type Cursor = { readonly answer: AnswerTaint; readonly request: number; isConfirmed: boolean }

/**
 * Notes what a request does to cursors when it goes out, in the order of the target, and gives its taint: a FETCH shows
 * what the query of its cursor shows. Policy counts every FETCH as tainted, unless nothing is masked at all.
 */
export function cursorUsed(cursors: Cursors, answer: AnswerTaint, request: number): AnswerTaint {
  const { cursor, cursorUse } = answer
  if (cursorUse === 'clear') cursors.clear()
  if (cursorUse === 'commit') transactionCursorsEnded(cursors)
  if (cursor === null) return answer
  if (cursorUse === 'fetch') {
    const known = cursors.get(cursor)
    if (known?.isConfirmed !== true) return { ...answer, plainColumns: [] }
    const { isTainted, plainColumns, viewsInDoubt } = known.answer
    return {
      ...answer,
      isTainted: answer.isTainted && isTainted,
      viewsInDoubt: viewsInDoubt.size > 0 ? viewsInDoubt : answer.viewsInDoubt,
      plainColumns,
    }
  }
  cursors.delete(cursor)
  if ((cursorUse === 'declare' || cursorUse === 'hold') && cursors.size < CURSORS_MAX)
    cursors.set(cursor, { answer, request, isConfirmed: false })
  return answer
}

/** Forgets cursors whose names a Bind gives to a portal, or a Close takes away: cursors are portals too. */
export function portalsNamed(cursors: Cursors, messages: readonly Request[]): void {
  for (const message of messages) {
    if (message.tag === 'Bind') cursors.delete(message.portal)
    if (message.tag === 'Close' && message.kind === 'portal') cursors.delete(message.name)
  }
}

/** Notes whether a request succeeded at the target: its cursors are confirmed then, and else forgotten. */
export function cursorAnswered(cursors: Cursors, request: number, hasSucceeded: boolean): void {
  for (const [name, cursor] of cursors) {
    if (cursor.request !== request) continue
    if (hasSucceeded) cursor.isConfirmed = true
    else cursors.delete(name)
  }
}

/** Forgets the cursors that end with their transaction: only those WITH HOLD outlive it. */
export function transactionCursorsEnded(cursors: Cursors): void {
  for (const [name, { answer }] of cursors) if (answer.cursorUse !== 'hold') cursors.delete(name)
}

/** The most cursors that a session remembers; any other one is in doubt. */
export const CURSORS_MAX = 1_000
