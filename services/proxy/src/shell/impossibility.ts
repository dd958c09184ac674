import type { RequestBlocked, RequestReleased, ReviewRequired } from '@countersign/contracts'
import { notUtf8, toServer } from '@countersign/postgres-wire'
import {
  executedName,
  isImpossible,
  nameProbesOf,
  type Obstacle,
  obstaclesOf,
  type Probe,
  probesOf,
  type SyntaxError,
  syntaxErrorIn,
} from '@countersign/statements'
import { type OwnParse, OURS, ownParse, ownPassage } from '../core/own-passage.ts'
import type { Passage } from '../core/passage.ts'
import { isOpaque } from '../core/opaque.ts'
import { noStatement } from '../core/pipeline-plan.ts'
import { unknownName } from './executed.ts'
import { forwardRecorded, withReleases } from './forward.ts'
import { lastsWhenSent } from './lasts-when-sent.ts'
import { answersOrCancel, ownQuery } from './own-query.ts'
import { ownRequest } from './own-request.ts'
import { postgresError, type RequestRefusal } from './refuse.ts'
import type { Pending } from './requests.ts'
import { ownUnderWay, type Session } from './session-state.ts'

type TargetError = ReadonlyMap<string, string>

/**
 * Asks the target to parse a statement, or for the names in it, before people are asked about it, and gives the refusal where
 * it cannot run: an unknown table, column or type is told at once, in the target's words. Where parsing may run code (types
 * may, when a literal of theirs is read) only the names are asked for, and nothing is asked inside a pipeline, which an error
 * would end.
 * Statements that policy blocks are looked at too: a misspelled function is opaque to policy, and so is an EXECUTE of a name
 * that the session does not have.
 */
export async function impossibility(
  session: Session,
  { ask, decisionId }: Pending,
  decision: ReviewRequired | RequestBlocked,
): Promise<RequestRefusal | null> {
  const syntax = decision.type === 'RequestBlocked' ? decision.syntaxError : null
  if (syntax !== null && ask.sql !== null) return noSql(ask.sql, syntax, decisionId)
  const isUnread = decision.type === 'RequestBlocked' && decision.code === 'CS_REQUEST_UNKNOWN'
  const wrong = isUnread && ask.sql === null ? notUtf8(ask.text) : null
  if (wrong !== null) return refusedAsText({ code: '22021', position: 0, words: wrong }, decisionId)
  if (session.status === 'E' || session.isPipelineOpen) return null
  const isExecute = executedName(ask.sql) !== null
  const probes = probesFor(ask.sql, decision)
  const obstacles = decision.type === 'ReviewRequired' ? obstaclesOf(ask.sql) : []
  if (!isExecute && probes.length + obstacles.length === 0) return null
  const isInTransaction = session.status === 'T'
  if (isInTransaction) await ownQuery(session, `savepoint ${session.ownName}`)
  const unknown = isExecute ? await unknownName(session, ask.sql) : null
  if (unknown !== null) return noStatementOf(unknown, decisionId)
  let mayRun: boolean | null = null
  const isUncertain = async ({ isBehindCode }: Pick<Probe, 'isBehindCode'>): Promise<boolean> =>
    isBehindCode && (mayRun ??= await mayRunCode(session))
  for (const probe of probes) {
    if (session.isCancelled || (await isUncertain(probe))) break
    const error = await errorOf(session, probe, probe.sql === ask.sql ? ask.parameterTypes : [])
    if (error === null) continue
    // The transaction has failed, as it would have with the statement itself.
    if (isImpossible(probe, error.get('C') ?? '')) return refusalOf(error, { probe, decisionId })
    // A right that only the raised session has: the statement may run all the same.
    if (isInTransaction) await ownQuery(session, `rollback to savepoint ${session.ownName}`)
  }
  for (const obstacle of obstacles) {
    if (session.isCancelled) break
    const rows = await ownQuery(session, obstacle.sql)
    const [row] = rows ?? []
    if (row !== undefined)
      return refusalOf(errorBy(obstacle, row[0]?.toString()), { probe: null, decisionId })
    // A right that only the raised session has, or a lock: nothing is known.
    if (rows === null && isInTransaction)
      await ownQuery(session, `rollback to savepoint ${session.ownName}`)
  }
  if (!isInTransaction) return null
  // Parsing took locks, which nothing should wait for while people think.
  await ownQuery(session, `rollback to savepoint ${session.ownName}`)
  await ownQuery(session, `release savepoint ${session.ownName}`)
  return null
}

/** True if a change of data or of the schema may run a trigger or a rule, but for those of Countersign. */
async function mayRunCode(session: Session): Promise<boolean> {
  const rows = await ownQuery(session, TRIGGERS)
  return rows?.[0]?.[0]?.toString() !== 'f'
}

/** PostgreSQL's own objects have smaller OIDs. */
const FIRST_OID_OF_USERS = 16384

const TRIGGERS = `select exists (select from pg_catalog.pg_trigger where not tgisinternal)
  or exists (select from pg_catalog.pg_rewrite where rulename operator(pg_catalog.<>) '_RETURN'
    and ev_class operator(pg_catalog.>=) ${FIRST_OID_OF_USERS}::pg_catalog.oid)
  or exists (select from pg_catalog.pg_event_trigger t
    join pg_catalog.pg_proc p on p.oid operator(pg_catalog.=) t.evtfoid
    join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) p.pronamespace
    where n.nspname operator(pg_catalog.<>) 'countersign')`

function probesFor(
  sql: string | null,
  decision: ReviewRequired | RequestBlocked,
): readonly Probe[] {
  if (decision.type === 'ReviewRequired')
    // If parsing runs code, only people let it run.
    return decision.runsWhenPrepared || isOpaque(decision) ? nameProbesOf(sql) : probesOf(sql)
  // Of a COPY only its relation and columns are looked for.
  if (decision.code === 'CS_COPY_DATA_NEEDED') return probesOf(sql)
  // It is known only that it must not pass: a name that the target does not know may be the reason.
  return isOpaque(decision) ? nameProbesOf(sql).filter(({ of }) => MADE_OPAQUE.has(of)) : []
}

/** Names that are opaque to policy where the target does not know them. */
const MADE_OPAQUE: ReadonlySet<Probe['of']> = new Set(['function', 'call', 'type'])

/** Puts a probe to the target, under names of ours, and gives the error with which it failed. */
async function errorOf(
  session: Session,
  { sql, of }: Probe,
  parameterTypes: readonly number[],
): Promise<TargetError | null> {
  const kind = of === 'text' ? 'Prepare' : 'Query'
  const request = ownRequest(session, sql, { decisionId: null, kind })
  const [released] = await session.journal.record<RequestReleased>([request])
  if (released === undefined) return null
  let error: TargetError | null = null
  const failed = (fields: TargetError): void => void (error = fields)
  const number = ownUnderWay(session, request.requestId)
  const name = session.ownName
  const { outbound, steps } =
    of === 'text'
      ? parseOnly({ name, sql, parameterTypes, request: number, step: { request: number, failed } })
      : ownPassage({ name, sql, resultFormats: [], request: number, step: { failed } })
  session.exchange.steps.push(...steps, { ...OURS, tag: 'Sync' })
  session.isPipelineOpen = true
  session.ownRows.length = 0
  forwardRecorded(session, [
    ...withReleases(outbound, () => released),
    { runs: null, bytes: toServer.sync() },
  ])
  using _lasts = lastsWhenSent(session)
  await answersOrCancel(session)
  return error
}

/** The error with which PostgreSQL refuses a statement that this stands in the way of. */
const errorBy = ({ sqlState, message, hints }: Obstacle, kind = ''): TargetError =>
  new Map([
    ...postgresError(sqlState, message),
    ...(hints[kind] === undefined ? [] : [['H', hints[kind]] as const]),
  ])

/** A Parse that nothing follows. */
function parseOnly(parse: OwnParse): Passage {
  const { outbound, steps } = ownParse(parse)
  const bytes = toServer.close('statement', parse.name)
  return {
    outbound: [...outbound, { request: null, bytes }],
    steps: [...steps, { ...OURS, tag: 'Close' }],
  }
}

function refusalOf(
  error: TargetError,
  { probe, decisionId }: { probe: Probe | null; decisionId: Pending['decisionId'] },
): RequestRefusal {
  const byTarget = new Map(error)
  const place = byTarget.get('P')
  // A place in a text of ours means nothing to the agent.
  byTarget.delete('P')
  if (place !== undefined && probe?.of === 'text')
    byTarget.set('P', String(Number(place) + probe.from))
  if (probe?.sqlState !== undefined) byTarget.set('C', probe.sqlState)
  return {
    code: 'CS_REQUEST_IMPOSSIBLE',
    // Its words may quote the statement, which stands nowhere in clear.
    reason: `the target cannot run it (${byTarget.get('C') ?? 'no SQLSTATE'})`,
    hint: null,
    decisionId,
    byTarget,
  }
}

/** The refusal of an EXECUTE of a name that the session does not have, as that of a Bind. */
const noStatementOf = (name: string, decisionId: Pending['decisionId']): RequestRefusal => ({
  code: 'CS_STATEMENT_UNKNOWN',
  reason: noStatement(name),
  hint: null,
  decisionId,
})

/** The refusal of a text that is no SQL, in PostgreSQL's words, whose grammar read it; the target never sees it. */
const noSql = (
  sql: string,
  error: SyntaxError,
  decisionId: Pending['decisionId'],
): RequestRefusal => refusedAsText({ ...error, words: syntaxErrorIn(sql, error) }, decisionId)

const refusedAsText = (
  {
    code,
    position,
    words,
  }: { readonly code: string; readonly position: number; readonly words: string },
  decisionId: Pending['decisionId'],
): RequestRefusal => ({
  code: 'CS_REQUEST_UNKNOWN',
  reason: `it is no SQL (${code})`,
  hint: null,
  decisionId,
  byTarget: new Map([
    ['S', 'ERROR'],
    ['V', 'ERROR'],
    ['C', code],
    ['M', words],
    ...(position === 0 ? [] : ([['P', String(position)]] as const)),
  ]),
})
