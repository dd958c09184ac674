import type {
  ChangedSetting,
  MaskingPlanned,
  Profile,
  Recording,
  RequestReleased,
} from '@countersign/contracts'
import { type ErrorCode, messageOf, type RequestId, type SessionId } from '@countersign/kernel'
import type { DataKey } from '@countersign/identity'
import type { Recorded } from '@countersign/log'
import type {
  Bind,
  ServerFrame,
  Request,
  TransactionStatus,
  Violation,
} from '@countersign/postgres-wire'
import type { PathRules } from '@countersign/statements'
import type { Covers } from '../core/coverage.ts'
import {
  type AnswerTaint,
  type Cursors,
  cursorUsed,
  type PortalAnswer,
  UNTAINTED,
} from '../core/answer-taint.ts'
import type { Exchange } from '../core/exchange.ts'
import type { Described } from '../core/name-meaning.ts'
import type { PathGuard } from '../core/path-guard.ts'
import type { ResultFilter } from '../core/result-filter.ts'
import type { StatementNames } from '../core/statement-names.ts'
import { before } from './before.ts'
import type { Client } from './client.ts'
import type { Expiry } from './expiry.ts'
import type { GrantedPortal } from './granted-portals.ts'
import type { Journal } from './journal.ts'
import type { LargeRow } from './large-rows.ts'
import type { Mailbox } from './mailbox.ts'
import type { OwnState } from './own-changes.ts'
import type { ProxyContext } from './proxy-context.ts'
import type { Target } from './target.ts'
import type { Withheld } from './withheld.ts'

/** An open session: everything that its parts share. Only the session's own loop changes it. */
export type Session = {
  readonly proxy: ProxyContext
  readonly id: SessionId
  readonly agent: string
  readonly profile: Profile
  readonly expiry: Expiry
  readonly client: Client
  readonly target: Target
  readonly journal: Journal
  readonly mailbox: Mailbox
  readonly dataKey: DataKey
  readonly names: StatementNames
  readonly covers: Covers
  /** The grants of people for portals, by the Bind that made them. */
  readonly grantedPortals: WeakMap<Bind, GrantedPortal>
  readonly exchange: Exchange
  readonly salt: Buffer
  /**
   * The name of what Countersign itself prepares, binds or saves at the target. An agent that knew it could take it first,
   * so each session has another one.
   */
  readonly ownName: string
  /** Requests that were forwarded and not completed, by their number in the exchange. */
  readonly underWay: Map<number, UnderWay>
  nextNumber: number
  requestCount: number
  /** The status of the transaction at the target. */
  status: TransactionStatus
  /** Something was forwarded since the last ReadyForQuery. */
  isPipelineOpen: boolean
  /** A request that was taken from the agent and belongs to what is served next. */
  untaken: Request | null
  /** A refusal inside a pipeline: everything up to Sync is thrown away. */
  isSkipping: boolean
  /** Something ran in the open transaction or pipeline. */
  hasRun: boolean
  /** The open transaction changed the state of the session. */
  hasChangedState: boolean
  /** The open transaction wrote where tagged columns are, or holds cursors over them: what is said at its end may quote them. */
  mayQuoteAtEnd: boolean
  /** Frames that wait until a long row is masked, or until others had their turn; null when none have to. */
  framesBehind: (ServerFrame | Violation)[] | null
  /** Settles when the row is masked or the turns are over; the memory of the row is needed until then. */
  masking: Promise<void>
  /** Messages that wait for the end of a long row of which the agent has a part; null when there is no such row. */
  behindRow: (() => void)[] | null
  /** The taint of portals, as policy decided when they were bound. */
  readonly portalAnswers: WeakMap<Bind, PortalAnswer>
  /** The cursors of the session, with the taint of what they show. */
  readonly cursors: Cursors
  stateVersion: number
  /** The settings that can change what a text means and that are not the target's own; as of `settingsVersion`. */
  settings: readonly ChangedSetting[]
  /** The `stateVersion` at which the settings were asked for. */
  settingsVersion: number
  /** The settings as the target reported them last. */
  readonly reported: Map<string, string>
  /** Settings of applications that this session has set; bounded where they are noted. */
  readonly customSettings: Set<string>
  /** The session may have set other such settings, whose names are not known. */
  hasUnknownSettings: boolean
  /** The path along which names of this session are decided on now. */
  searchPath: readonly string[]
  /** The paths that the session may have. */
  readonly pathRules: PathRules
  /** The path may be another one, and the end of the transaction may change it again. */
  isPathInDoubt: boolean
  /** Something ran since the path was asked for, or since a target that reports it last did: a trigger may have set it. */
  isPathUnheard: boolean
  readonly pathGuard: PathGuard
  policyVersion: string
  /** The newest description of the target that the broker made for this session. */
  targetVersion: string
  /** That description; sessions of one target share it. */
  described: Described
  /** The newest request that may have changed the target by itself, until the broker has looked at it. */
  undescribed: RequestId | null
  /**
   * A statement that the session may create with changed the schema, and the target was not described since its transaction
   * ended. The broker sees nothing of an open one, so names may mean what nobody knows.
   */
  isSchemaInDoubt: boolean
  /** The description that `undescribed` waits for did not come within the limit: nobody waits for it any more. */
  isDescriptionLate: boolean
  /** The changes of the schema that the session made, as its own transaction sees them. */
  readonly own: OwnState
  plan: MaskingPlanned
  filter: ResultFilter
  /** The filter of a plan that came in the middle of answers; taken when they have ended. */
  nextFilter: ResultFilter | null
  /** The number of plans that came and mask otherwise than the one before. */
  planChanges: number
  /** The privilege that is raised until the transaction ends; null for none. */
  raised: Raised | null
  /** The transaction of the raised privilege was ended in the open pipeline. */
  hasEndedRaised: boolean
  /** The end of an answer that waits until the raised privilege is taken back. */
  readonly withheld: Withheld
  /** The agent cancelled what is served now, before it ran. */
  isCancelled: boolean
  /** Tells whoever waits that the agent cancelled. */
  onCancel: () => void
  /** Wakes whoever waits for answers of the target. */
  wake: () => void
  /** Rows of queries that Countersign itself made. */
  readonly ownRows: (readonly (Buffer | null)[])[]
  readonly largeRow: LargeRow
  /** The end of the session; the first one counts. */
  readonly ending: PromiseWithResolvers<Ending>
  isEnding: boolean
}

export type UnderWay = {
  readonly requestId: RequestId
  readonly releasedAtMs: number
  answer: AnswerTaint
  /** The extent to which the agent's answer goes into the transcript. */
  readonly recording: Recording
  /** Its text ends a transaction, as far as that is known before the target is ready. */
  readonly endsTransaction: boolean
  /** It changes the schema, and does something else, which may be behind it in the same text. */
  readonly changesBeside: boolean
  /** Its text is one SHOW, SET or RESET, so the name of a setting in an error of it is from the text. */
  readonly isOfSetting: boolean
  /** The target gets data of the agent when it asks for some; held ones it gets once. */
  takesCopyData: boolean
  /** Data that the agent sent before it was released, until the target has them; null where they stream in. */
  heldData: HeldData | null
  /** The number of pieces of data that have streamed into it. */
  streamed: number
}

/** Data of a COPY, with the proof that they are on record: what was released has them in its digest. */
export type HeldData = {
  readonly bytes: Buffer
  readonly released: Recorded<RequestReleased>
}

/** Counts a request as running, so that its end is recorded; gives its number in the exchange. */
export function underWay(
  session: Session,
  request: Pick<
    UnderWay,
    | 'requestId'
    | 'answer'
    | 'recording'
    | 'endsTransaction'
    | 'changesBeside'
    | 'isOfSetting'
    | 'takesCopyData'
  >,
  heldData: HeldData | null = null,
): number {
  const { requestId, recording, endsTransaction, changesBeside, isOfSetting } = request
  const number = session.nextNumber++
  const releasedAtMs = session.proxy.clock.monotonicMs()
  const answer = cursorUsed(session.cursors, request.answer, number)
  session.underWay.set(number, {
    ...{ requestId, releasedAtMs, answer, recording, endsTransaction, changesBeside },
    isOfSetting,
    takesCopyData: request.takesCopyData,
    heldData,
    streamed: 0,
  })
  return number
}

/** Drops the held data of a request: nothing more is sent to it. */
export function dropHeldData(session: Session, number: number): void {
  const running = session.underWay.get(number)
  if (running === undefined || running.heldData === null) return
  running.takesCopyData = false
  running.heldData = null
}

/** Counts a text of Countersign itself as running: of the answer the agent sees only what the target says unasked. */
export const ownUnderWay = (
  session: Session,
  requestId: RequestId,
  recording: Recording = session.profile.recording,
): number =>
  underWay(session, {
    requestId,
    answer: UNTAINTED,
    recording,
    endsTransaction: false,
    changesBeside: false,
    isOfSetting: false,
    takesCopyData: false,
  })

export type Raised = {
  readonly requestId: RequestId
  readonly raiseId: string
  readonly roles: readonly string[]
  /** The privilege that was raised before it in the same transaction, and is taken back with it. */
  readonly earlier: Raised | null
}

/** The end of a session: for the log, and for the agent where it still listens. */
export type Ending = {
  readonly reason: EndReason
  readonly code: ErrorCode | null
  readonly words: string
}

export type EndReason =
  | 'ClientTerminated'
  | 'ClientDisconnected'
  | 'Drained'
  | 'TargetClosed'
  | 'CredentialRevoked'
  | 'LogUnavailable'
  | 'LeaseLost'
  | 'ProtocolViolation'
  | 'LimitReached'
  | 'PrivilegeMismatch'
  | 'Failed'

/** Ends the session; what waits in it is woken. */
export function endSession(session: Session, ending: Ending): void {
  session.isEnding = true
  session.ending.resolve(ending)
}

/** Ends the session from within its own loop, which goes no further. */
export function over(session: Session, ending: Ending): never {
  endSession(session, ending)
  throw SESSION_ENDED
}

/** Waits for something, but not longer than the session lives. A loop that waits here can never turn after its end. */
export async function during<T>(session: Session, wait: Promise<T>): Promise<T> {
  if (session.isEnding) {
    wait.catch(() => undefined)
    throw SESSION_ENDED
  }
  const first = await before(session.ending.promise, wait, ENDED)
  if (first === ENDED) throw SESSION_ENDED
  return first
}

/** Resolves when the agent cancels what is served now. */
export function cancelled(session: Session): Promise<typeof CANCELLED> {
  if (session.isCancelled) return Promise.resolve(CANCELLED)
  const told = Promise.withResolvers<typeof CANCELLED>()
  session.onCancel = () => told.resolve(CANCELLED)
  return told.promise
}

/**
 * Cancels what is served now: at the target where it was sent there, also behind a question of Countersign's own, else before
 * it gets there.
 */
export function cancel(session: Session): void {
  if (session.exchange.steps.some(({ isOurs }) => !isOurs)) return cancelAtTarget(session)
  session.isCancelled = true
  session.onCancel()
}

/** Cancels what the target runs, without waiting for it to hear of that. */
export function cancelAtTarget(session: Session): void {
  session.target
    .cancel()
    .catch((cause: unknown) =>
      session.proxy.logger.warn({ reason: messageOf(cause) }, 'cannot cancel'),
    )
}

/** The answer of a wait when the session ended, and not only what the wait itself depends on. */
const ENDED = Symbol('ended')

/** The answer of a wait that the agent ended with a cancel. */
export const CANCELLED = Symbol('cancelled')

/** Thrown where something waited and the session ended meanwhile; the ending itself stands in `session.ending`. */
export const SESSION_ENDED = new Error('the session ended')
