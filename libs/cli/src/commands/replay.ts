import { isUuid, Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { eventStream } from '../event-stream.ts'
import { answerOf, opened, problemIn } from '../http.ts'
import { json } from '../json.ts'
import { counted, cutOff, jsonLines } from '../json-lines.ts'
import { oneLine, printableJson } from '../printable.ts'
import { matchingId } from '../short-id.ts'
import { moment, momentOf } from '../time.ts'
import { timelineText } from '../timeline.ts'
import { sessionsIn } from './sessions.ts'

export type ReplayOptions = { follow?: boolean; internal?: boolean; rows: number }

/** Tells what happened in a session, as it was recorded; with `follow`, also what happens next. */
export async function replay(
  context: Context,
  typed: string,
  options: ReplayOptions,
): Promise<void> {
  const id = await findSession(context, typed)
  const url = `${context.replayUrl()}/v1/sessions/${id}`
  const { head, entries } = await whole(context, url)
  const isLive = options.follow === true && !json.flag(head, 'complete')
  const isShown = (entry: unknown): boolean =>
    options.internal === true || !json.flag(entry, 'internal')
  let startedMs = Number.NaN
  const entryText = (entry: unknown): string => {
    if (Number.isNaN(startedMs)) startedMs = momentOf(json.member(entry, 'at'))
    return timelineText(entry, { paint: context.paint, rowsMax: options.rows, startedMs })
  }
  const { out } = context.io
  if (context.settings.json) {
    // Each entry is written as it comes: a long session is longer than one text can be.
    out(printableJson({ ...Object(head), timeline: [] }, 2).slice(0, -END.length))
    let separator = '['
    if (!isLive)
      for await (const entry of entries) {
        if (!isShown(entry)) continue
        out(`${separator}\n    ${printableJson(entry, 2).replaceAll('\n', '\n    ')}`)
        separator = ','
      }
    out(separator === '[' ? `${END}\n` : '\n  ]\n}\n')
  } else {
    out(headOf(head, id, context))
    if (!isLive) for await (const entry of entries) if (isShown(entry)) out(entryText(entry))
  }
  if (!isLive) return
  // The live stream begins with the past entries, so that none is missed between the two.
  await entries.return(undefined)
  for await (const entry of live(context, url)) {
    if (!isShown(entry)) continue
    out(context.settings.json ? `${printableJson(entry)}\n` : entryText(entry))
    if (json.text(entry, 'kind') === 'ended') return
  }
}

/** A session: its head, and its timeline, however long that is. An older replay sends both as one object. */
async function whole(
  context: Context,
  url: string,
): Promise<{ head: unknown; entries: AsyncGenerator<unknown> }> {
  const accept = 'application/x-ndjson, application/json;q=0.9'
  const token = await context.token()
  const response = await opened({ url, token, accept, limitMs: FIRST_LINE_MS_MAX })
  if (!response.ok)
    throw problemIn({ status: response.status, body: await response.json().catch(() => null) })
  if (response.body === null || !/ndjson/.test(response.headers.get('content-type') ?? '')) {
    const answer: unknown = await response.json()
    return {
      head: { ...Object(answer), timeline: [] },
      entries: each(json.list(answer, 'timeline')),
    }
  }
  const entries = counted(jsonLines(response.body))
  return { head: (await entries.next()).value, entries }
}

async function* each(items: readonly unknown[]): AsyncGenerator<unknown> {
  yield* items
}

/** The entries up to the event that says why there are no more: a stream that was cut does not look whole. */
async function* live(context: Context, url: string): AsyncGenerator<unknown> {
  const response = await opened({
    url: `${url}/live`,
    token: await context.token(),
    accept: 'text/event-stream',
  })
  if (!response.ok)
    throw problemIn({ status: response.status, body: await response.json().catch(() => null) })
  if (response.body === null) throw cutOff(null)
  for await (const data of eventStream(uncut(response.body))) {
    const entry: unknown = JSON.parse(data)
    const over = json.textOrNull(entry, 'over')
    if (over === 'token') throw expired()
    if (over !== null) return
    yield entry
  }
  throw cutOff(null)
}

async function* uncut(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (cause) {
    throw cutOff(cause)
  }
}

const expired = (): Problem =>
  new Problem('CS_AUTH_EXPIRED', 'the token ran out, and the session goes on', {
    hint: 'Follow it again with a new token.',
  })

async function findSession(context: Context, typed: string): Promise<string> {
  const wanted = typed.toLowerCase()
  if (isUuid(wanted)) return wanted
  const answer = await answerOf({
    url: `${context.replayUrl()}/v1/sessions`,
    token: await context.token(),
  })
  const match = matchingId(
    typed,
    sessionsIn(answer).map((session) => json.text(session, 'sessionId')),
  )
  if (match.ok) return match.value
  throw new Problem('CS_NOT_FOUND', `${typed}: ${match.error}`, {
    hint: 'See `countersign sessions`.',
  })
}

/** The fields of the session stand beside the timeline, or under the name `session`. */
function headOf(answer: unknown, id: string, { paint }: Context): string {
  const session = json.member(answer, 'session') ?? answer
  const behalfOf = json.textOrNull(session, 'behalfOf')
  const who = `${oneLine(json.text(session, 'agent'))}${behalfOf === null ? '' : ` for ${oneLine(behalfOf)}`}`
  const where = `${oneLine(json.text(session, 'profile'))} (${oneLine(json.text(session, 'environment'))})`
  const state = stateOf(answer)
  return `${paint('bold', id)}  ${who} → ${where}  ${moment(json.textOrNull(session, 'startedAt'))}${paint('yellow', state)}\n\n`
}

/** A session whose proxy was killed is cut short: its end is not known. */
function stateOf(answer: unknown): string {
  if (json.flag(answer, 'cutShort')) return '  cut short'
  return json.flag(answer, 'complete') ? '' : '  live'
}

/** The end of a JSON object with an empty timeline. */
const END = '[]\n}'
/** Of a long session its order is looked for first, when others had their turn; above this the service is called busy. */
const FIRST_LINE_MS_MAX = 300_000
