import { isMessageType, SCHEMAS } from '@countersign/contracts'
import { isUuid, Problem } from '@countersign/kernel'
import type { LogRecord, Span } from '@countersign/log'
import { agentSessions, SESSIONS } from '../agent-sessions.ts'
import { auditLog } from '../audit-log.ts'
import type { Context } from '../context.ts'
import { type EventObject, eventLine, eventObject, typeOf } from '../event-line.ts'
import { type Reading, readingOf } from '../log-reading.ts'
import { SCHEMAS_TOPIC } from '../extract.ts'
import { oneLine, printableJson } from '../printable.ts'

export type EventsOptions = {
  readonly topic?: readonly string[]
  readonly type?: readonly string[]
  readonly session?: string
  readonly agent?: string
  readonly since?: string
  readonly until?: string
  readonly limit?: number
  readonly follow?: boolean
  readonly all?: boolean
}

/** Prints records of the log, read from Kafka itself and decoded here. */
export async function events(
  context: Context,
  options: EventsOptions,
  open: typeof auditLog = auditLog,
): Promise<void> {
  const { session, agent, follow = false, until } = options
  if (session !== undefined && !isUuid(session)) {
    throw new Problem('CS_BAD_REQUEST', 'a session is named by its whole id here', {
      hint: 'See `countersign sessions --json`.',
    })
  }
  const unknown = options.type?.find((type) => !isMessageType(type))
  if (unknown !== undefined)
    throw new Problem('CS_NOT_FOUND', `there is no message ${oneLine(unknown)}`, {
      hint: `These are there: ${Object.keys(SCHEMAS).join(', ')}.`,
    })
  if (follow && until !== undefined)
    throw new Problem('CS_BAD_REQUEST', '--follow has no end, so there is no --until')
  await using log = await open(context)
  const topics = await wantedTopics(await log.topics(), options)
  const agents = agent === undefined ? null : await agentSessions(log, agent)
  const limit = options.limit ?? LIMIT
  const newest = newestOf(limit)
  const opened = Promise.withResolvers<Reading>()
  // A follower without --limit prints each record at once; otherwise the newest are held back to be put in order.
  let isLive = follow && options.limit === undefined
  // The topic of the sessions tells which sessions are of an agent, so it is read whether it is wanted or not.
  const read = agents === null || topics.includes(SESSIONS) ? topics : [...topics, SESSIONS]
  await using reading = await readingOf(log, {
    topics: read,
    sinceMs: beginningOf(options, context.io.nowMs()),
    onRecords: take,
  })
  opened.resolve(reading)
  await reading.caughtUp()
  const { found, leftOut } = newest.taken()
  isLive = true
  for (const event of found) print(event)
  if (leftOut > 0)
    context.io.err(`${leftOut} older events are left out: see --limit, --since, or export.\n`)
  if (follow) await reading.failed

  async function take(records: readonly LogRecord[], { end }: Span): Promise<void> {
    for (const record of records) {
      agents?.note(record)
      if (!isWanted(record, options, topics)) continue
      if (agents !== null && !(await agents.isOf(record, await opened.promise))) continue
      // Without --follow, records that came while the beginning was read belong to it.
      if (!follow && record.position.offset >= end) continue
      if (isLive) print(eventObject(record))
      else newest.add(eventObject(record))
    }
    await context.io.drained?.()
  }

  function print(event: EventObject): void {
    context.io.out(
      context.settings.json ? `${printableJson(event)}\n` : eventLine(event, context.paint),
    )
  }
}

/** The topics that were named; else all that may be read but the schemas, which tell how to read, not what happened. */
async function wantedTopics(
  readable: readonly string[],
  { topic: named = [] }: EventsOptions,
): Promise<readonly string[]> {
  const missing = named.find((one) => !readable.includes(one))
  if (missing !== undefined) {
    throw new Problem(
      'CS_NOT_FOUND',
      `there is no topic ${oneLine(missing)} that this user may read`,
      {
        hint: `These are there: ${readable.join(', ')}.`,
      },
    )
  }
  return named.length > 0 ? [...new Set(named)] : readable.filter((one) => one !== SCHEMAS_TOPIC)
}

/** Without --since a listing begins a day before its end, and following begins now. */
function beginningOf({ since, until, follow, limit }: EventsOptions, nowMs: number): number | null {
  if (since !== undefined) return Date.parse(since)
  if (follow === true && limit === undefined) return null
  return (until === undefined ? nowMs : Date.parse(until)) - DAY_MS
}

function isWanted(record: LogRecord, options: EventsOptions, topics: readonly string[]): boolean {
  const { type: types = [], session, since, until, all = false } = options
  const type = typeOf(record)
  if (!topics.includes(record.position.topic)) return false
  if (types.length > 0 ? !types.includes(type ?? '') : !all && HEARTBEATS.has(type ?? ''))
    return false
  if (session !== undefined && record.key !== session.toLowerCase()) return false
  // The clocks of several machines differ: a later record may have an earlier time.
  if (since !== undefined && record.timestampMs < Date.parse(since)) return false
  return until === undefined || record.timestampMs < Date.parse(until)
}

/** Keeps the newest of the added events, by their times. */
function newestOf(max: number): {
  add(event: EventObject): void
  taken(): { found: readonly EventObject[]; leftOut: number }
} {
  // bound: EVENTS_MAX, twice
  let kept: EventObject[] = []
  let count = 0
  return {
    add(event) {
      kept.push(event)
      count++
      if (kept.length >= 2 * max + SLACK) kept = kept.sort(byTime).slice(-max)
    },
    taken: () => {
      const found = kept.sort(byTime).slice(-max)
      kept = []
      return { found, leftOut: count - found.length }
    },
  }
}

const byTime = (a: EventObject, b: EventObject): number =>
  compared(a.time, b.time) ||
  compared(a.topic, b.topic) ||
  a.partition - b.partition ||
  a.offset - b.offset

const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Messages that only say that a service is alive, several times a second. */
const HEARTBEATS: ReadonlySet<string> = new Set(['CoverageAlive', 'LeaseRenewed'])
const LIMIT = 1_000
const DAY_MS = 86_400_000
const SLACK = 1_000
