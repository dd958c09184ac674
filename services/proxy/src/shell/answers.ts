import type { RequestCompleted, RequestPart } from '@countersign/contracts'
import type { AnswersTo } from '@countersign/masking-plan'
import {
  cellsOf,
  type Column,
  commandTagOf,
  parameterStatusOf,
  type RunsNothing,
  type ServerFrame,
  toServer,
  type Violation,
} from '@countersign/postgres-wire'
import { READ_UNDER } from '@countersign/statements'
import type { Unlinked } from '../core/chain.ts'
import {
  type AnswerTaint,
  cursorAnswered,
  IN_DOUBT,
  outlasts,
  transactionCursorsEnded,
  UNTAINTED,
} from '../core/answer-taint.ts'
import { accept, isSettled, type Step } from '../core/exchange.ts'
import type { CopyProgress } from '../core/result-filter.ts'
import { namesAnother } from '../core/session-name.ts'
import { forgetPortals } from '../core/statement-names.ts'
import { before, OVER } from './before.ts'
import { noteReportedSetting } from './changed-settings.ts'
import { forwardRecorded } from './forward.ts'
import { STATUS_NAMES } from './requests.ts'
import { type CopyMessage, gone, takenOfCopy } from './inbox.ts'
import type { Uncited } from './journal.ts'
import { admitLarge } from './large-rows.ts'
import { isLong, maskedLongRow } from './long-rows.ts'
import { agentInTime } from './raised-idle.ts'
import { hasNoRoom, roomFor } from './room.ts'
import { noteCommand } from './own-changes.ts'
import { noteReported, reportsPath } from './search-path.ts'
import { type Answered, patienceOf, tellLong, tellNow } from './seen.ts'
import {
  dropHeldData,
  during,
  type Ending,
  endSession,
  type HeldData,
  over,
  type Session,
  type UnderWay,
} from './session-state.ts'
import type { Outgoing } from './target.ts'
import { keepsBack, takeWithheld } from './withheld.ts'

/** Waits until the target answered everything that was forwarded; feeds it data while it asks for some (COPY). */
export async function answers(session: Session): Promise<void> {
  while (!isSettled(session.exchange)) {
    if (session.exchange.copyIn) await feed(session)
    else if ((await during(session, signalOrGone(session))) === 'gone') gone(session)
  }
}

/** Waits for news from the target, or for the end of the agent's connection, and says which came first. */
const signalOrGone = async (session: Session): Promise<'news' | 'gone'> =>
  (await before(session.client.closed, signal(session))) === OVER ? 'gone' : 'news'

const signal = (session: Session): Promise<void> =>
  new Promise((resolve) => (session.wake = resolve))

/** Takes the filter of a plan that came in the middle of answers: that plan alone counts from here on. */
function takeNextFilter(session: Session): void {
  if (session.nextFilter === null) return
  session.filter = session.nextFilter
  session.nextFilter = null
}

/** Takes the frames of the target: masks, passes on, records, and notes what ended. */
export function takeFrames(session: Session, frames: readonly (ServerFrame | Violation)[]): void {
  // Frames after the end of the session are dropped: the agent is told goodbye, and gets no more rows.
  if (session.isEnding) return
  const { framesBehind } = session
  if (framesBehind !== null) {
    for (const frame of frames) framesBehind.push(frame)
    return
  }
  const { searchTurns: turns } = session.proxy
  const out: Buffer[] = []
  for (const [index, frame] of frames.entries()) {
    if (frame.tag === 'Violation')
      return frame.reason === 'FrameTooLarge' ? tooLarge(session) : broken(session, frame.detail)
    if (SEARCHED.has(frame.tag) && turns.isOver()) {
      flushSeen(session, out)
      return takeLater(session, turns.next(), frames.slice(index))
    }
    // Looked up before `accept` takes away the step that the frame answers.
    const asked = taintOf(session)
    const running = session.underWay.get(session.exchange.steps[0]?.request ?? -1)
    const answersTo = answersToOf(session.exchange.steps[0], running)
    const verdict = accept(session.exchange, frame)
    if (session.exchange.rowsSent > session.profile.rowsMax) {
      flushSeen(session, out)
      return tooManyRows(session)
    }
    const answer = verdict.do === 'message' ? asked : taintOf(session)
    const { isTainted } = answer
    if (!KEEPS_BACK.has(verdict.do)) out.push(...takeWithheld(session.withheld))
    switch (verdict.do) {
      case 'pass':
        if (frame.tag === 'C' || frame.tag === 's') out.push(...session.filter.statementEnds())
        if (frame.tag === 'C') {
          noteCommand(session, frame, running?.changesBeside === true)
          if (running !== undefined && endsTransaction(running, frame)) transactionEnded(session)
          // In a failed transaction nothing succeeds but its end, and ROLLBACK TO.
          if (session.status === 'E') session.status = 'T'
        }
        if (isKeptBack(session, frame)) break
        out.push(...takeWithheld(session.withheld))
        out.push(frame.raw)
        break
      case 'drop':
        break
      case 'setting':
        if (!isReadAsDecided(session, frame)) return broken(session, UNREADABLE)
        out.push(session.filter.setting(frame, isTainted))
        break
      case 'row':
        if (isLong(frame.raw.length)) {
          out.push(...session.filter.noticesFor(verdict.columns, answer))
          flushSeen(session, out)
          const masking = longRow(session, { frame, columns: verdict.columns, answer, copy: null })
          return takeLater(session, masking, frames.slice(index + 1))
        }
        turns.searched(frame.raw.length)
        out.push(session.filter.row(frame, verdict.columns, answer))
        break
      case 'ourRow': {
        const cells = cellsOf(frame)
        if (cells.ok) session.ownRows.push(cells.value)
        break
      }
      case 'message':
        // Rows that came before an error are told of before it.
        if (frame.tag === 'E') out.push(...session.filter.statementEnds())
        out.push(
          session.filter.message(
            frame,
            isTainted || answer.writesTagged || session.mayQuoteAtEnd || hasJustOutlasted(session),
            session.described.relations,
            // An end of the transaction behind a text may read what was held or deferred.
            answersTo === 'Setting' && (session.mayQuoteAtEnd || hasJustOutlasted(session))
              ? 'Any'
              : answersTo,
          ),
        )
        break
      case 'instead':
        out.push(verdict.bytes)
        break
      case 'copyIn':
        // A request that takes no data is failed by `feed`, and then the agent's Sync counts.
        if (running?.takesCopyData !== true) session.exchange.steps.push(...verdict.syncs)
        // Held data are here already: the agent was asked for them before people were asked about it.
        else if (running.heldData === null) out.push(frame.raw)
        break
      case 'copyOut':
        session.filter.copyBegins(frame, answer)
        out.push(frame.raw)
        break
      case 'copyRow':
        if (isLong(session.filter.searchedBytes(frame))) {
          flushSeen(session, out)
          const copy = session.filter.copyProgress()
          const masking = longRow(session, { frame, columns: null, answer, copy })
          return takeLater(session, masking, frames.slice(index + 1))
        }
        turns.searched(frame.raw.length)
        out.push(...session.filter.copy(frame))
        break
      case 'copyEnd':
        out.push(...session.filter.copyEnds(), frame.raw)
        break
      case 'ready':
        noteCursors(session)
        takeNextFilter(session)
        if (verdict.status === 'I') {
          transactionEnded(session)
          // The end of a transaction may undo its changes of the session, which is a change too.
          if (session.hasChangedState) session.stateVersion++
          session.hasChangedState = false
        }
        session.status = verdict.status
        session.isPipelineOpen = false
        // It may have ended a transaction, with SET LOCAL and triggers that wait for it. Of one that is open all was noted that ran:
        // behind a mere BEGIN a question would take its snapshot, and SET TRANSACTION would come too late.
        if (reportsPath(session)) session.isPathUnheard = false
        else if (!verdict.isOurs && verdict.status === 'I') session.isPathUnheard = true
        session.hasEndedRaised = false
        // Inside a transaction nothing is given to its owner yet, so the end of the answer need not wait.
        if (!verdict.isOurs && !(verdict.status === 'I' && isKeptBack(session, frame)))
          out.push(...takeWithheld(session.withheld), frame.raw)
        flushSeen(session, out)
        complete(session, 0)
        break
      case 'violation':
        return broken(session, verdict.why)
    }
    if (session.exchange.ended.length > ENDED_MAX) {
      flushSeen(session, out)
      noteCursors(session)
      complete(session, 1)
    }
  }
  flushSeen(session, out)
  admitLarge(session, frames.length)
  if (hasNoRoom(session)) slowDown(session)
  session.wake()
}

type LongRowFrame = {
  readonly frame: ServerFrame
  readonly columns: readonly Column[] | null
  readonly answer: AnswerTaint
  readonly copy: CopyProgress | null
}

/** Masks a long row on another thread, and tells it. */
async function longRow(session: Session, long: LongRowFrame): Promise<void> {
  const { proxy, filter } = session
  const masked = await maskedLongRow({
    // A COPY goes on under the plan that it began with.
    plan: filter.plan,
    key: proxy.maskingKey,
    columns: long.columns,
    taint: long.answer,
    frame: long.frame,
    copy: long.copy,
    isWanted: () => !session.isEnding,
    net: proxy.net,
  })
  if (masked === null || session.isEnding) return
  const { bytes, notes, copy } = masked
  // Another plan may have come meanwhile.
  session.filter.noteMasked(notes)
  if (copy !== null) session.filter.resumeCopy(copy)
  await tellLong(session, bytes, answeredNow(session))
}

/** Takes frames when `done` resolves; until then the target is paused, and frames that still come wait behind them. */
function takeLater(
  session: Session,
  done: Promise<void>,
  frames: readonly (ServerFrame | Violation)[],
): void {
  const { target, proxy } = session
  session.framesBehind = [...frames]
  session.masking = done
  target.pause()
  const taken = async (): Promise<void> => {
    await done
    const waiting = session.framesBehind ?? []
    session.framesBehind = null
    if (session.isEnding) return
    takeFrames(session, waiting)
    // The row that was masked is done with, also where no frame waited behind it.
    if (waiting.length === 0) admitLarge(session, 1)
    target.resume()
  }
  const failed = (cause: unknown): void => {
    proxy.logger.error({ err: cause, sessionId: session.id }, 'cannot mask an answer')
    broken(session, 'the answer of the target could not be masked')
  }
  proxy.net.detached('frames that wait', taken().catch(failed))
}

/** Notes the end of a transaction and its portals, also where another follows at once (AND CHAIN, `commit; begin`). */
function transactionEnded(session: Session): void {
  session.hasRun = false
  session.exchange.rowsSent = 0
  forgetPortals(session.names)
  session.exchange.columns.clear()
  session.mayQuoteAtEnd = false
  transactionCursorsEnded(session.cursors)
}

/** True if an answer ends a transaction: a rollback, or COMMIT of one that failed, is answered with ROLLBACK. */
function endsTransaction(running: UnderWay, frame: ServerFrame): boolean {
  if (!running.endsTransaction) return false
  const tag = commandTagOf(frame)
  return tag.ok && (tag.value === 'COMMIT' || tag.value === 'ROLLBACK')
}

const isKeptBack = (session: Session, frame: ServerFrame): boolean =>
  session.raised !== null && keepsBack(session.withheld, frame, () => answeredNow(session))

/** Writes to the agent, and records what it saw. */
function flushSeen(session: Session, out: Buffer[]): void {
  if (out.length === 0) return
  const [only] = out
  const bytes = out.length === 1 && only !== undefined ? only : Buffer.concat(out)
  out.length = 0
  tellNow(session, bytes, answeredNow(session))
}

/**
 * The first request that runs and is recorded in full, under which all is recorded that is answered meanwhile: what ran before
 * it may have been answered unrecorded. Where none is, the first that runs.
 */
function answeredNow({ underWay }: Session): Answered | null {
  let first: Answered | null = null
  for (const running of underWay.values()) {
    if (running.recording === 'Full') return running
    first ??= running
  }
  return first
}

/**
 * Notes what ended. At ReadyForQuery it is known where the transaction stands. In a long pipeline all but the last are
 * noted before, or a client could have millions of them kept by not sending Sync: until then the transaction is open.
 */
function complete(session: Session, keep: 0 | 1): void {
  const nowMs = session.proxy.clock.monotonicMs()
  const { ended: all } = session.exchange
  const transaction = keep === 1 && session.status === 'I' ? 'T' : session.status
  for (const ended of all.splice(0, all.length - keep)) {
    const running = session.underWay.get(ended.request)
    session.underWay.delete(ended.request)
    if (running === undefined) continue
    // At ReadyForQuery (keep 0) `noteCursors` did this before, and the transaction may be over.
    if (keep === 1 && outlasts(running.answer)) session.mayQuoteAtEnd = true
    const completed: Uncited<RequestCompleted> = {
      type: 'RequestCompleted',
      at: session.proxy.clock.now(),
      requestId: running.requestId,
      outcome: ended.outcome,
      commandTag: ended.commandTag,
      sqlState: ended.sqlState,
      rows: ended.rows,
      resultBytes: ended.resultBytes,
      durationMicros: Math.round((nowMs - running.releasedAtMs) * 1_000),
      transactionStatus: STATUS_NAMES[transaction],
    }
    session.journal.complete(completed, patienceOf(session, COMPLETED_LINGER_MS))
  }
}

/** The part of the protocol that an error answers. */
const answersToOf = (step: Step | undefined, running: UnderWay | undefined): AnswersTo => {
  if (step === undefined || step.isOurs) return 'Any'
  if (step.tag === 'Parse') return 'Parse'
  return running?.isOfSetting === true && step.tag !== 'Sync' ? 'Setting' : 'Any'
}

/** The taint of the present answer, by the statement that it belongs to; in doubt all that is computed is masked. */
function taintOf(session: Session): AnswerTaint {
  const [step] = session.exchange.steps
  if (step === undefined || step.isOurs || step.request === null) return anyTaint(session)
  return session.underWay.get(step.request)?.answer ?? IN_DOUBT
}

function anyTaint(session: Session): AnswerTaint {
  let any = UNTAINTED
  for (const { answer } of session.underWay.values()) {
    if (answer.isTainted) return { ...IN_DOUBT, writesTagged: answer.writesTagged }
    if (answer.writesTagged) any = answer
  }
  return any.writesTagged ? { ...UNTAINTED, writesTagged: true } : UNTAINTED
}

/** True if a request that ended, but is not noted yet, has values that the end of its transaction may quote. */
const hasJustOutlasted = ({ exchange, underWay }: Session): boolean =>
  exchange.ended.some(({ request }) => {
    const answer = underWay.get(request)?.answer
    return answer !== undefined && outlasts(answer)
  })

/** Confirms or forgets cursors by the requests that ended, and notes whether the transaction's end may quote values. */
function noteCursors(session: Session): void {
  for (const { request, outcome } of session.exchange.ended) {
    const answer = session.underWay.get(request)?.answer
    if (answer !== undefined && outlasts(answer)) session.mayQuoteAtEnd = true
    if (answer?.cursor !== null) cursorAnswered(session.cursors, request, outcome === 'Succeeded')
  }
}

/** True if statements are still read as they are decided on, by a reported setting; if not, the session ends. */
function isReadAsDecided(session: Session, frame: ServerFrame): boolean {
  const status = parameterStatusOf(frame)
  if (!status.ok) return false
  const { name, value } = status.value
  noteReportedSetting(session, name, value)
  // PostgreSQL 18 and later report it; see `search-path.ts` for the others.
  if (name === 'search_path') return noteReported(session, value) === 'allowed'
  // A statement may set it to a value that it computes; in the log of the target it would pass for another session.
  if (name === 'application_name') return !namesAnother(session.id, value)
  const expected = READ_UNDER.get(name)
  return expected === undefined || expected === value
}

function slowDown(session: Session): void {
  session.target.pause()
  const resumed = roomFor(session).then(() => session.target.resume())
  session.proxy.net.detached('slowing a target down', resumed, () => session.target.close())
}

const broken = (session: Session, why: string): void => endSession(session, failure(why))

const failure = (words: string): Ending => ({ reason: 'Failed', code: 'CS_TARGET_FAILED', words })

function tooLarge(session: Session): void {
  const { CS_ROW_BYTES_MAX } = session.proxy.config
  const words = `a row of the target has more than ${CS_ROW_BYTES_MAX} bytes, which is CS_ROW_BYTES_MAX of the proxy`
  endSession(session, { reason: 'LimitReached', code: 'CS_FRAME_TOO_LARGE', words })
}

function tooManyRows(session: Session): void {
  const words =
    `more than ${session.profile.rowsMax} rows were read in one transaction, which is rowsMax of the ` +
    `profile "${session.profile.name}" (spec.limits.rowsMax)`
  void session.target.cancel().catch(() => undefined)
  endSession(session, { reason: 'LimitReached', code: 'CS_SESSION_LIMIT', words })
}

/** Data that streams into a released request: recorded, then forwarded, piece by piece. */
async function feed(session: Session): Promise<void> {
  const { client, exchange } = session
  const [step] = exchange.steps
  const number = step?.request ?? -1
  const running = session.underWay.get(number)
  if (step === undefined || running === undefined)
    return over(session, failure('the target asks for data that no request sends'))
  if (!running.takesCopyData) return giveUpCopy(session, step)
  const { heldData } = running
  if (heldData !== null) {
    dropHeldData(session, number)
    return sendHeld(session, step, heldData)
  }
  const messages: CopyMessage[] = []
  let size = 0
  while (size < STREAM_BYTES && !isEnd(messages.at(-1))) {
    const message = takenOfCopy(session)
    if (message === undefined) break
    messages.push(message)
    size += message.raw.length
  }
  if (messages.length === 0) {
    // Then the target loses its connection in the middle of the data, and inserts nothing.
    if (client.isGone()) gone(session)
    client.lasts()
    await during(session, agentInTime(session, Promise.race([client.arrival(), signal(session)])))
    return
  }
  // Only a few pieces are copied at a time, and the target may wait for long, for a lock or in a trigger.
  client.lasts()
  const data = pieces(messages.flatMap((one) => (one.tag === 'CopyData' ? [one.data] : [])))
  // Of one message, which may be large, a few pieces are under way at a time.
  for (let at = 0; at === 0 || at < data.length; at += PIECES_MAX) {
    const last = at + PIECES_MAX < data.length ? undefined : messages.at(-1)
    const isTaken = await streamed(
      session,
      { step, running },
      data.slice(at, at + PIECES_MAX),
      last,
    )
    if (!isTaken) break
  }
  client.done(...messages)
}

/** Sends pieces of data, and the end of them where they end; false where the target asks for none any more. */
async function streamed(
  session: Session,
  { step, running }: { readonly step: Step; readonly running: UnderWay },
  data: readonly Buffer[],
  last: CopyMessage | undefined,
): Promise<boolean> {
  const { client, journal, target, exchange } = session
  const parts: Unlinked<RequestPart>[] = data.map((piece) => ({
    type: 'RequestPart',
    at: session.proxy.clock.now(),
    requestId: running.requestId,
    index: running.streamed++,
    stream: true,
    ciphertext: session.dataKey.encrypt(piece),
    sizeBytes: piece.length,
  }))
  const recorded = parts.length === 0 ? [] : await journal.record<RequestPart>(parts)
  // Meanwhile the target may have failed: then it asks for nothing any more.
  if (!exchange.copyIn || exchange.steps[0] !== step) return false
  forwardRecorded(session, [
    ...recorded.flatMap((runs, index) => {
      const piece = data[index]
      return piece === undefined ? [] : [{ runs, bytes: toServer.copyData(piece) }]
    }),
    ...(isEnd(last) ? endOf(step, endedAs(last)) : []),
  ])
  // The client's Sync arrives as a pipeline of its own.
  if (isEnd(last)) exchange.copyIn = false
  // A target that waits, for a lock or in a trigger, does not read: then nothing more is taken from the agent.
  if (!target.isCongested()) return exchange.copyIn
  const drained = during(session, before(client.closed, target.drained()))
  if ((await drained) === OVER) gone(session)
  return exchange.copyIn && exchange.steps[0] === step
}

const isEnd = (message: CopyMessage | undefined): boolean =>
  message !== undefined && message.tag !== 'CopyData'

const endedAs = (last: CopyMessage | undefined): RunsNothing =>
  last?.tag === 'CopyFail' ? toServer.copyGivenUp(last.fault?.code) : toServer.copyDone()

/** Sends exactly the data that people approved: the agent sent them before people were asked, and sends no more. */
function sendHeld(session: Session, step: Step, { bytes, released: runs }: HeldData): void {
  const sent = pieces([bytes]).map((piece) => ({ runs, bytes: toServer.copyData(piece) }))
  forwardRecorded(session, [...sent, ...endOf(step, toServer.copyDone())])
  session.exchange.copyIn = false
}

/**
 * Fails a COPY of the target for which no data were decided on: the text of an EXECUTE does not say what it runs. The agent is
 * told just that. At a message behind it, other than Sync, the target fails by itself.
 */
function giveUpCopy(session: Session, step: Step): void {
  const { exchange } = session
  const [, next] = exchange.steps
  exchange.copyIn = false
  if (next !== undefined && next.tag !== 'Sync') return
  // The target has ignored the Sync that it got.
  const sync = next === undefined ? [] : [{ runs: null, bytes: toServer.sync() }]
  forwardRecorded(session, [...endOf(step, toServer.copyGivenUp()), ...sync])
}

/** In the extended protocol the target keeps its answer back until Flush or Sync, and the Sync of the client may come later. */
const endOf = ({ tag }: Step, end: RunsNothing): Outgoing[] =>
  [end, ...(tag === 'Execute' ? [toServer.flush()] : [])].map((bytes) => ({ runs: null, bytes }))

function pieces(data: readonly Buffer[]): Buffer[] {
  const [only] = data
  const all = data.length === 1 && only !== undefined ? only : Buffer.concat(data)
  const out: Buffer[] = []
  for (let at = 0; at < all.length; at += STREAM_BYTES)
    out.push(all.subarray(at, at + STREAM_BYTES))
  return out
}

/** Verdicts after which the answer may still be at its end, so that what is kept back stays so; see `withheld.ts`. */
const KEEPS_BACK: ReadonlySet<string> = new Set(['pass', 'ready', 'drop', 'ourRow', 'setting'])
const UNREADABLE = 'the target reads statements in another way than they are decided on'
const COMPLETED_LINGER_MS = 10
/** The most requests of a pipeline without Sync that have ended and whose ends are not noted yet. */
const ENDED_MAX = 100
const STREAM_BYTES = 256 * 1024
const PIECES_MAX = 4
/** The frames that are searched by detectors: rows, and lines of a COPY. */
const SEARCHED: ReadonlySet<string> = new Set(['D', 'd'])
