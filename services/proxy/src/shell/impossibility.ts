import type { RequestBlocked, RequestReleased, ReviewRequired } from '@countersign/contracts'
import { toServer } from '@countersign/postgres-wire'
import { nameProbesOf, probesOf, type SyntaxError, syntaxErrorIn } from '@countersign/statements'
import { OURS, ownParse } from '../core/own-passage.ts'
import { answers } from './answers.ts'
import { forwardRecorded, withReleases } from './forward.ts'
import { lastsWhenSent } from './lasts-when-sent.ts'
import { ownQuery } from './own-query.ts'
import { ownRequest } from './own-request.ts'
import type { RequestRefusal } from './refuse.ts'
import { isOpaque, type Pending } from './requests.ts'
import { cancelAtTarget, ownUnderWay, type Session } from './session-state.ts'

type TargetError = ReadonlyMap<string, string>

/**
 * Asks the target to parse a statement before people are asked about it, and gives the refusal where it cannot: an unknown
 * table, column or type is told at once, in the target's words. Where parsing may run code (types may, when a literal
 * of theirs is read) only the names are asked for, and nothing is asked inside a pipeline, which an error would end.
 * Statements that policy blocks are looked at too: a misspelled function is opaque to policy.
 */
export async function impossibility(
  session: Session,
  { ask, decisionId }: Pending,
  decision: ReviewRequired | RequestBlocked,
): Promise<RequestRefusal | null> {
  const syntax = decision.type === 'RequestBlocked' ? decision.syntaxError : null
  if (syntax !== null && ask.sql !== null) return noSql(ask.sql, syntax, decisionId)
  if (session.status === 'E' || session.isPipelineOpen) return null
  const probes = mayBeParsed(decision) ? probesOf(ask.sql) : nameProbesOf(ask.sql)
  if (probes.length === 0) return null
  const isInTransaction = session.status === 'T'
  if (isInTransaction) await ownQuery(session, `savepoint ${session.ownName}`)
  for (const probe of probes) {
    if (session.isCancelled) break
    const isTheirs = probe === ask.sql
    const error = await parsedByTarget(session, probe, isTheirs ? ask.parameterTypes : [])
    if (error === null) continue
    // The transaction has failed, as it would have with the statement itself.
    if (isCertain(error, isTheirs)) return refusalOf(error, { isTheirs, decisionId })
    // A right that only the raised session has: the statement may run all the same.
    if (isInTransaction) await ownQuery(session, `rollback to savepoint ${session.ownName}`)
  }
  if (!isInTransaction) return null
  // Parsing took locks, which nothing should wait for while people think.
  await ownQuery(session, `rollback to savepoint ${session.ownName}`)
  await ownQuery(session, `release savepoint ${session.ownName}`)
  return null
}

/** True if parsing runs nothing. Of a statement that policy blocks it is only known that it must not pass. */
const mayBeParsed = (decision: ReviewRequired | RequestBlocked): boolean =>
  decision.type === 'ReviewRequired'
    ? !decision.runsWhenPrepared && !isOpaque(decision)
    : // Of a COPY only its relation and columns are looked for.
      decision.code === 'CS_COPY_DATA_NEEDED'

/** Has the target parse a text under a name of ours, and gives the error with which it failed. */
async function parsedByTarget(
  session: Session,
  sql: string,
  parameterTypes: readonly number[],
): Promise<TargetError | null> {
  const request = ownRequest(session, sql, { decisionId: null, kind: 'Prepare' })
  const [released] = await session.journal.record<RequestReleased>([request])
  if (released === undefined) return null
  let error: TargetError | null = null
  const number = ownUnderWay(session, request.requestId)
  const { outbound, steps } = ownParse({
    ...{ name: session.ownName, sql, parameterTypes, request: number },
    step: { request: number, failed: (fields) => (error = fields) },
  })
  session.exchange.steps.push(...steps, { ...OURS, tag: 'Close' }, { ...OURS, tag: 'Sync' })
  session.isPipelineOpen = true
  forwardRecorded(session, [
    ...withReleases(outbound, () => released),
    { runs: null, bytes: toServer.close('statement', session.ownName) },
    { runs: null, bytes: toServer.sync() },
  ])
  // A lock on a relation that it names can let it wait for long.
  session.onCancel = () => cancelAtTarget(session)
  // It may have come while this was recorded.
  if (session.isCancelled) cancelAtTarget(session)
  using _lasts = lastsWhenSent(session)
  await answers(session)
  session.onCancel = () => undefined
  return error
}

/** True if the statement could not run for anybody: a name or type is wrong, or the text is. */
function isCertain(error: TargetError, isTheirs: boolean): boolean {
  const sqlState = error.get('C') ?? ''
  if (sqlState === INSUFFICIENT_PRIVILEGE) return false
  // A name alone does not say which of several functions is meant.
  if (sqlState === AMBIGUOUS_FUNCTION && !isTheirs) return false
  return sqlState.startsWith('42') || sqlState.startsWith('22') || sqlState === UNDEFINED_SCHEMA
}

function refusalOf(
  error: TargetError,
  { isTheirs, decisionId }: { isTheirs: boolean; decisionId: Pending['decisionId'] },
): RequestRefusal {
  const byTarget = new Map(error)
  // A place in a text of ours means nothing to the agent.
  if (!isTheirs) byTarget.delete('P')
  return {
    code: 'CS_REQUEST_IMPOSSIBLE',
    // Its words may quote the statement, which stands nowhere in clear.
    reason: `the target cannot run it (${error.get('C') ?? 'no SQLSTATE'})`,
    hint: null,
    decisionId,
    byTarget,
  }
}

/** The refusal of a text that is no SQL, in PostgreSQL's words, whose grammar read it; the target never sees it. */
const noSql = (
  sql: string,
  error: SyntaxError,
  decisionId: Pending['decisionId'],
): RequestRefusal => ({
  code: 'CS_REQUEST_UNKNOWN',
  reason: 'it is no SQL (42601)',
  hint: null,
  decisionId,
  byTarget: new Map([
    ['S', 'ERROR'],
    ['V', 'ERROR'],
    ['C', '42601'],
    ['M', syntaxErrorIn(sql, error)],
    ['P', String(error.position)],
  ]),
})

const INSUFFICIENT_PRIVILEGE = '42501'
const AMBIGUOUS_FUNCTION = '42725'
const UNDEFINED_SCHEMA = '3F000'
