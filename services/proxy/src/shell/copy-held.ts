import { literal } from '@countersign/statements'
import { type CopyFail, toClient } from '@countersign/postgres-wire'
import { COPIES, copyData } from '../core/copy-data.ts'
import type { Answered, HeldCopy } from '../core/held-copy.ts'
import { learnStatement, type StatementNames } from '../core/statement-names.ts'
import { gone, takenOfCopy } from './inbox.ts'
import type { Share } from './memory.ts'
import { ownQuery, ownQueryAmidst } from './own-query.ts'
import { agentInTime } from './raised-idle.ts'
import { CANCELLED_BY_AGENT, postgresError, type RequestRefusal } from './refuse.ts'
import { tell } from './seen.ts'
import { whenSilent } from './silence.ts'
import { CANCELLED, cancelled, during, type Session } from './session-state.ts'

/** The number of columns of the data, or the refusal where they cannot be asked for. */
export async function copyColumns(
  session: Session,
  { copy }: HeldCopy,
): Promise<number | RequestRefusal> {
  if (copy.columnCount !== null) return copy.columnCount
  const query = session.isPipelineOpen ? ownQueryAmidst : ownQuery
  const rows = await query(session, columnsSql(copy.relation))
  if (rows === null) return COLUMNS_UNKNOWN
  const [count] = rows[0] ?? []
  return count === undefined ? relationMissing(copy.relation) : Number(count)
}

/**
 * Asks the agent for the data of a COPY, as the target would, and takes them, so that people see what they approve. The target
 * hears of none of it. What cannot be taken is refused as PostgreSQL does it: at once, whatever the agent still sends.
 */
export async function takenCopyData(
  session: Session,
  { copy, answered }: HeldCopy,
  { columns, share }: { columns: number; share: Share },
): Promise<Buffer | RequestRefusal> {
  const { client, names, proxy } = session
  for (const message of answered) {
    if (message.tag !== 'Parse') continue
    // The agent may use the name from now on, whatever becomes of the COPY; the target is given it when that is done.
    learnStatement(names, message)
    names.doubtfulStatements.add(message.name)
  }
  const answers = answered.flatMap((message) => answersOf(message, names))
  tell(session, Buffer.concat([...answers, toClient.copyInResponse(copy.format, columns)]), null)
  const bytesMax = proxy.config.CS_COPY_DATA_BYTES_MAX
  const data = copyData(bytesMax)
  let lastMs = proxy.clock.monotonicMs()
  client.lasts()
  for (;;) {
    const message = takenOfCopy(session)
    if (message === undefined) {
      if (client.isGone()) gone(session)
      // Flush and Sync are no data, however often they come.
      const limit = { limitMs: SILENT_MS_MAX, sinceMs: lastMs, where: 'data of a COPY' }
      const silent = Promise.withResolvers<typeof SILENT>()
      using _limit = whenSilent(session, limit, () => silent.resolve(SILENT))
      const next = Promise.race([client.arrival(), cancelled(session), silent.promise])
      const first = await during(session, agentInTime(session, next))
      if (first === CANCELLED) return CANCELLED_BY_AGENT
      if (first === SILENT) return SENT_NOTHING
      continue
    }
    client.done(message)
    if (message.tag === 'CopyDone') return data.bytes()
    if (message.tag === 'CopyFail') return failedByClient(message)
    lastMs = proxy.clock.monotonicMs()
    if (!data.add(message.data)) return tooLarge(bytesMax)
    const grown = share.grow(message.data.length * COPIES)
    if (grown !== 'taken') return NO_MEMORY[grown]
  }
}

/** The refusal where there is no such relation: in an open pipeline the target was not asked to parse the COPY. */
const relationMissing = (relation: readonly string[]): RequestRefusal => ({
  code: 'CS_REQUEST_IMPOSSIBLE',
  reason: 'the target cannot run it (42P01)',
  hint: null,
  decisionId: null,
  byTarget: postgresError('42P01', `relation "${relation.join('.')}" does not exist`),
})

const COLUMNS_UNKNOWN: RequestRefusal = {
  code: 'CS_COPY_DATA_NEEDED',
  reason: 'The target did not say which columns the relation has, so no data can be asked for.',
  hint: 'Send it again.',
  decisionId: null,
}

const failedByClient = ({ reason, fault }: CopyFail): RequestRefusal => ({
  code: 'CS_REQUEST_CANCELLED',
  reason: 'The agent failed the COPY itself, with CopyFail.',
  hint: null,
  decisionId: null,
  byTarget:
    fault === null
      ? postgresError('57014', `COPY from stdin failed: ${reason}`)
      : postgresError(fault.code, fault.message),
})

const tooLarge = (bytesMax: number): RequestRefusal => ({
  code: 'CS_COPY_DATA_TOO_LARGE',
  reason: `People approve this COPY with its data, which may have ${bytesMax} bytes (CS_COPY_DATA_BYTES_MAX of the proxy).`,
  hint: 'Split the data into several COPYs.',
  decisionId: null,
})

const noMemory = (whose: string, part: string): RequestRefusal => ({
  code: 'CS_COPY_DATA_TOO_LARGE',
  reason: `The data of the COPYs ${whose} that people look at now take ${part} of the memory that there is (CS_MEMORY_BYTES_MAX of the proxy).`,
  hint: 'Send it again when some of them were decided.',
  decisionId: null,
})

const NO_MEMORY = {
  'no room': noMemory('of all agents', 'half'),
  'no room of the owner': noMemory('of this agent', 'an eighth'),
} as const

/** The longest time without data: the agent has memory meanwhile that others want. */
const SILENT_MS_MAX = 60_000
const SILENT = Symbol('silent')

const SENT_NOTHING: RequestRefusal = {
  code: 'CS_COPY_DATA_NEEDED',
  reason: `The agent sent no data of the COPY for ${SILENT_MS_MAX / 1_000} s.`,
  hint: 'Send the data at once: people are asked when they have all come.',
  decisionId: null,
}

/** The answers to a message of a COPY: it has no parameters but those that were declared, and returns no rows. */
function answersOf(message: Answered, { statements }: StatementNames): readonly Buffer[] {
  switch (message.tag) {
    case 'Parse':
      return [toClient.parseComplete()]
    case 'Bind':
      return [toClient.bindComplete()]
    case 'Describe':
      if (message.kind === 'portal') return [toClient.noData()]
      return [
        toClient.parameterDescription(statements.get(message.name)?.parameterTypes ?? []),
        toClient.noData(),
      ]
  }
}

/** The query for the columns that a COPY without a list writes: one row if the relation exists; permissions do not count. */
function columnsSql(relation: readonly string[]): string {
  const [schema, name] = relation.length > 1 ? relation : [null, relation[0]]
  const isMeant =
    schema === null || schema === undefined
      ? 'pg_catalog.pg_table_is_visible(c.oid)'
      : `n.nspname operator(pg_catalog.=) ${literal(schema)}::pg_catalog.name`
  return `select pg_catalog.count(a.attnum) from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
    left join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) c.oid
      and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
      and a.attgenerated operator(pg_catalog.=) ''::pg_catalog."char"
    where c.relname operator(pg_catalog.=) ${literal(name ?? '')}::pg_catalog.name and ${isMeant}
    group by c.oid`
}
